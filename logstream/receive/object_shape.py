"""Which members of an object mean what, worked out once for each set of names."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from logstream.receive import logger_names as names
from logstream.receive.native_values import decode_members

_MAX_SHAPES = 4_096
# Names are the sender's: what is remembered must stay small.
_MAX_NAMES, _MAX_CHARACTERS = 64, 1_500


class Shape(NamedTuple):
    """The known names among an object's, by what they mean, best first."""

    messages: tuple[str, ...]
    levels: tuple[str, ...]
    numbers: tuple[str, ...]
    times: tuple[str, ...]
    pairs: tuple[str, str] | None
    services: tuple[str, ...]
    environments: tuple[str, ...]
    traces: tuple[str, ...]
    spans: tuple[str, ...]
    durations: tuple[str, ...]
    errors: tuple[tuple[str, tuple[str, ...]], ...]
    containers: tuple[str, ...]


_TRANSPARENT, _CONTAINERS = frozenset(names.TRANSPARENT), frozenset(names.CONTAINERS)

_shapes: dict[tuple[str, ...], Shape] = {}


def shape_of(members: dict[str, msgspec.Raw]) -> Shape:
    """What the names of an object's members mean."""
    key = tuple(members)
    shape = _shapes.get(key)
    if shape is None:
        shape = _shape(members)
        if len(key) <= _MAX_NAMES and sum(map(len, key)) <= _MAX_CHARACTERS:
            if len(_shapes) >= _MAX_SHAPES:
                _shapes.clear()
            _shapes[key] = shape
    return shape


def _shape(members: dict[str, msgspec.Raw]) -> Shape:
    def known(wanted: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in wanted if name in members)

    services = known(names.SERVICES)
    # Bunyan and pino call the program `name`; both say `pid` and `hostname` too.
    if "name" in members and "pid" in members and "hostname" in members:
        services = (*services, "name")
    levels = known(names.LEVELS)
    if not levels:
        levels = known(("levelno", "status"))
    if not levels and members.keys() >= names.MONGO:
        levels = ("s",)
    errors = (
        ("exception.type", known(names.ERROR_TYPES)),
        ("exception.message", known(names.ERROR_MESSAGES)),
        ("exception.stacktrace", known(names.STACKS)),
    )
    return Shape(
        known(names.MESSAGES),
        levels,
        known(names.NUMBERS),
        known(names.TIMES),
        next((pair for pair in names.TIME_PAIRS if members.keys() >= {*pair}), None),
        services,
        known(names.ENVIRONMENTS),
        known(names.TRACES),
        known(names.SPANS),
        known(names.DURATIONS),
        tuple(entry for entry in errors if entry[1]),
        known(names.CONTAINERS),
    )


class Opened(NamedTuple):
    """An object with the members of its inner objects beside its own, under dotted names.

    `homes` says which inner object each of the added members is in, and its name there.
    """

    members: dict[str, msgspec.Raw]
    homes: dict[str, tuple[str, str]]


def opened(members: dict[str, msgspec.Raw], containers: tuple[str, ...]) -> Opened:
    """The object with those of the containers opened that are objects, and those inside."""
    view, homes = members, dict[str, tuple[str, str]]()
    pending = [name for name in containers if bytes(members[name])[:1] == b"{"]
    if pending:
        view = dict(members)
    for container in pending:
        is_transparent = container in _TRANSPARENT
        for name, value in decode_members(view[container]).items():
            seen_as = name if is_transparent else f"{container}.{name}"
            if seen_as in view:
                continue
            view[seen_as] = value
            homes[seen_as] = container, name
            if seen_as in _CONTAINERS and bytes(value)[:1] == b"{":
                pending.append(seen_as)
    return Opened(view, homes)


# What mapping parameters may name, and the part of a Shape it goes before.
WANTED_FIELDS = {
    "msg": "messages",
    "time": "times",
    "service": "services",
    "severity": "levels",
    "trace": "traces",
    "span": "spans",
    "environment": "environments",
}


def with_wanted(
    shape: Shape, found: Opened, wanted: Mapping[str, tuple[str, ...]]
) -> tuple[Shape, Opened]:
    """The shape and view with the members that a request names by itself before all others.

    `wanted` has names, also dotted paths into inner objects, by the fields of WANTED_FIELDS.
    """
    view, homes = dict(found.members), dict(found.homes)
    first: dict[str, tuple[str, ...]] = {}
    for field, paths in wanted.items():
        there = tuple(path for path in paths if _find(view, homes, path))
        part = WANTED_FIELDS[field]
        first[part] = (*there, *(name for name in getattr(shape, part) if name not in there))
    return Shape(**(shape._asdict() | first)), Opened(view, homes)


def _find(view: dict[str, msgspec.Raw], homes: dict[str, tuple[str, str]], path: str) -> bool:
    """True when the path leads to a value, which is then in the view."""
    if path in view:
        return True
    container, _, name = path.rpartition(".")
    if not container or not _find(view, homes, container):
        return False
    raw = bytes(view[container])
    members = decode_members(raw) if raw[:1] == b"{" else {}
    if name not in members:
        return False
    view[path] = members[name]
    homes[path] = container, name
    return True

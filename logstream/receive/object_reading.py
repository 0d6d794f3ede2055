"""What a log object says of itself: its members taken for the fields of a record."""

from collections.abc import Mapping
from typing import Any

import msgspec

from logstream.receive.logger_names import COPIED, ERROR_MESSAGES, PROGRAMS, STREAMS, SURE_MESSAGES
from logstream.receive.native_values import (
    Defaults,
    decode_members,
    duration_ms,
    free_name,
    value_of,
)
from logstream.receive.object_shape import Opened, Shape, opened, shape_of, with_wanted
from logstream.receive.object_values import (
    Level,
    id_of_json,
    level_of_json,
    name_of_json,
    stack_of_json,
    text_of_bytes,
    time_of_json,
    time_of_parts,
)
from logstream.receive.severity import otel_severity_number, own_word

_encode = msgspec.json.encode
_decode = msgspec.json.Decoder().decode
_NULL = b"null"


class Reading(msgspec.Struct, gc=False):
    """The fields that an object names; None for those it does not.

    `attributes` are the members that are left. `places` says by which name each field was
    found: {"severity_number": "log.level"}.
    """

    body: str | None = None
    timestamp: int | None = None
    level: Level | None = None
    service: str | None = None
    environment: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    duration: float | None = None
    attributes: dict[str, Any] = {}
    exception: dict[str, Any] = {}
    places: dict[str, str] = {}


def read_members(
    members: dict[str, msgspec.Raw],
    defaults: Defaults,
    known: frozenset[str] = frozenset(),
    wanted: Mapping[str, tuple[str, ...]] | None = None,
) -> Reading:
    """What the members of one object say.

    Fields that are `known` already are not looked for; `wanted` names go before the usual ones
    (see object_shape.with_wanted).
    """
    view = members
    homes: dict[str, tuple[str, str]] = {}
    shape = shape_of(members)
    if shape.containers:
        view, homes = opened(members, shape.containers)
        if homes:
            shape = shape_of(view)
    if wanted:
        shape, (view, homes) = with_wanted(shape, Opened(view, homes), wanted)
    reading = Reading()
    taken: list[str] = []
    places = reading.places

    if "timestamp" not in known:
        for name in shape.times:
            reading.timestamp = time_of_json(bytes(view[name]), defaults)
            if reading.timestamp is not None:
                places["timestamp"] = name
                taken.append(name)
                break
        if shape.pairs:
            _read_time_pair(reading, shape.pairs, view, taken, defaults)
    if "severity_number" not in known:
        _read_level(reading, shape, view, taken)
    for name in shape.messages:
        raw = bytes(view[name])
        if raw[:1] == b'"':
            reading.body = _decode(raw)
            places["body"] = name
            taken.append(name)
            break
    else:
        _read_odd_body(reading, shape, view, taken)
    if "service_name" not in known:
        for name in shape.services:
            service = name_of_json(bytes(view[name]))
            if service is not None and not (name == "source" and service in STREAMS):
                # Docker puts a slash before the name of a container.
                is_container = name == "container_name"
                if name in PROGRAMS:
                    service = service.rstrip("/").rpartition("/")[2] or service
                reading.service = service.lstrip("/") or service if is_container else service
                places["service_name"] = name
                if not name.startswith(COPIED):
                    taken.append(name)
                break
    if "environment" not in known:
        for name in shape.environments:
            reading.environment = name_of_json(bytes(view[name]))
            if reading.environment is not None:
                places["environment"] = name
                taken.append(name)
                break
    if shape.traces and "trace_id" not in known:
        reading.trace_id = _id("trace_id", shape.traces, view, taken, places)
    if shape.spans and "span_id" not in known:
        reading.span_id = _id("span_id", shape.spans, view, taken, places)
    for name in shape.durations:
        reading.duration = duration_ms(value_of(view[name]))
        if reading.duration is not None:
            places["duration_ms"] = name
            break
    if shape.errors:
        _read_exception(reading, shape, view, taken)
    reading.attributes = _rest(members, homes, taken) if homes else members
    if not homes:
        for name in taken:
            members.pop(name, None)
    return reading


def _read_time_pair(
    reading: Reading,
    pair: tuple[str, str],
    view: dict[str, msgspec.Raw],
    taken: list[str],
    defaults: Defaults,
) -> None:
    """A time in two members: W3C's date and time, Google Cloud's seconds and nanoseconds."""
    first, second = pair
    if first == "date":
        day, clock = bytes(view[first]), bytes(view[second])
        if not (len(day) == 12 and day[:1] == clock[:1] == b'"'):
            return
        moment = time_of_json(day[:-1] + b" " + clock[1:], defaults)
    else:
        moment = time_of_parts(view[first], view[second])
    if moment is not None:
        if reading.timestamp is not None:
            taken.remove(reading.places["timestamp"])
        reading.timestamp = moment
        reading.places["timestamp"] = f"{first} and {second}"
        taken += pair


def _read_level(
    reading: Reading, shape: Shape, view: dict[str, msgspec.Raw], taken: list[str]
) -> None:
    """The first word that is a level, else the first number that is one, else any word.

    Who sends both (Monolog, logtail) has numbers of its own.
    """
    number, number_name, best, best_name = None, "", None, ""
    for name in shape.numbers:
        value = value_of(view[name])
        number = otel_severity_number(value) if value not in (0, "0") else None
        if number is not None:
            number_name = name
            taken.append(name)
            break
    for name in shape.levels:
        level = level_of_json(name, bytes(view[name]))
        if level is None:
            continue
        is_better = best is None or (level.is_known and not best.is_known)
        if is_better or (level.is_known and level.word is not None):
            best, best_name = level, name
            if level.is_known and level.word is not None:
                break
    if number is not None:
        word = None if best is None else best.word
        reading.level = Level(number, None if word is None else own_word(word, number))
        reading.places["severity_number"] = number_name
        if word is not None:
            taken.append(best_name)
    elif best is not None:
        reading.level = best
        reading.places["severity_number"] = best_name
        taken.append(best_name)


def _read_odd_body(
    reading: Reading, shape: Shape, view: dict[str, msgspec.Raw], taken: list[str]
) -> None:
    """The body where no member with a message's name is text."""
    for name in shape.messages:
        raw = bytes(view[name])
        if name in SURE_MESSAGES and raw != _NULL:
            text = text_of_bytes(raw) if name == "MESSAGE" and raw[:1] == b"[" else None
            reading.body = raw.decode() if text is None else text
            reading.places["body"] = name
            taken.append(name)
            return
    for name in (*ERROR_MESSAGES, "error"):
        if name in view and bytes(view[name])[:1] == b'"':
            reading.body = _decode(view[name])
            reading.places["body"] = name
            return


def _id(
    field: str,
    names: tuple[str, ...],
    view: dict[str, msgspec.Raw],
    taken: list[str],
    places: dict[str, str],
) -> str | None:
    for name in names:
        found = id_of_json(view[name])
        # A text in `trace` may be anything.
        if found is None or (name == "trace" and len(found[0]) != 32):
            continue
        text, is_whole = found
        if is_whole:
            taken.append(name)
        places[field] = name
        return text
    return None


def _read_exception(
    reading: Reading, shape: Shape, view: dict[str, msgspec.Raw], taken: list[str]
) -> None:
    for attribute, names in shape.errors:
        for name in names:
            if name in taken:
                continue
            raw = bytes(view[name])
            if attribute == "exception.stacktrace":
                text = stack_of_json(raw)
            else:
                text = _decode(raw) if raw[:1] == b'"' else None
            if text:
                reading.exception[attribute] = text
                taken.append(name)
                break


def _rest(
    members: dict[str, msgspec.Raw], homes: dict[str, tuple[str, str]], taken: list[str]
) -> dict[str, Any]:
    """The members without those that were taken, also out of the objects among them."""
    rest: dict[str, Any] = dict(members)
    cut: dict[str, set[str]] = {}
    for name in taken:
        if name in homes:
            container, own_name = homes[name]
            cut.setdefault(container, set()).add(own_name)
        else:
            rest.pop(name, None)
    for container, own_names in cut.items():
        # What comes out of our own API's `metadata` also stays in it.
        if container in rest and container != "metadata":
            inner = decode_members(rest[container])
            left = {name: value for name, value in inner.items() if name not in own_names}
            if left:
                rest[container] = msgspec.Raw(_encode(left))
            else:
                del rest[container]
    metadata = rest.get("metadata")
    if metadata is not None and bytes(metadata)[:1] == b"{":
        del rest["metadata"]
        inner = decode_members(metadata)
        return inner | {free_name(name, inner): value for name, value in rest.items()}
    return rest

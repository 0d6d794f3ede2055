"""Which routes a person means who names a path or a format, or only shows a body."""

import re
from collections.abc import Mapping

from ingest_service.guess_format import GENERIC, guess_path
from ingest_service.paths import PATHS
from ingest_service.protocols import ROUTES
from ingest_service.protocols.native import NATIVE
from ingest_service.protocols.protocol import Protocol, Route
from ingest_service.protocols.unrouted import FORWARD, SYSLOG
from logstream.errors import FilterError

_PLACE = re.compile(r"\{\w+\}")


def route_at(path: str) -> Route | None:
    """The route that takes bodies at a path."""
    for entry in (PATHS.find(path) or {}).values():
        if isinstance(entry, Route):
            return entry
    return None


def asked_routes(path: str, format: str) -> list[tuple[Protocol, str]]:
    """The protocols (and a path of each) that a request for one names; raises FilterError."""
    if path:
        route = route_at(path)
        if route is None:
            raise FilterError(
                "path",
                f"path={path[:200]}: nothing is taken there",
                "give a path of docs/ingest.md",
            )
        return [(route.protocol, path)]
    found = named_routes(format)
    if not found:
        names = [*(route.protocol.name for route in ROUTES), SYSLOG.name, FORWARD.name]
        known = ", ".join(dict.fromkeys(names))
        raise FilterError("format", f"format={format[:100]} is not known", f"use one of: {known}")
    return found


def named_routes(format: str) -> list[tuple[Protocol, str]]:
    """The protocols with this name, or this word in theirs (`otlp`, `hec`), each once."""
    found: dict[str, tuple[Protocol, str]] = {}
    for route in ROUTES:
        name = route.protocol.name
        if name == format or format in name.split("_"):
            found.setdefault(name, (route.protocol, _PLACE.sub("0", route.path)))
    for protocol in (SYSLOG, FORWARD):  # which have no path
        if format.startswith(protocol.name):
            found[protocol.name] = protocol, ""
    return sorted(found.values(), key=lambda one: one[0].name != format)


def likely_routes(
    body: bytes, content_type: str, headers: Mapping[str, str]
) -> list[tuple[Protocol, str]]:
    """Where the body was probably meant for, the likeliest first; our own API in the end."""
    guessed = guess_path(body, content_type, headers)
    route = route_at(guessed) if guessed[0] == "/" else None
    likely = [(route.protocol, guessed)] if route else named_routes(guessed)
    native = (NATIVE, "/logs/ingest")
    if guessed == GENERIC and body.lstrip()[:1] in (b"{", b"["):
        return [native]  # which knows other loggers' objects too
    return [*likely, *named_routes(GENERIC), native]

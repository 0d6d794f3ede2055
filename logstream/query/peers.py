"""The other side of a span, as its attributes name it: a service, a database, a queue.

OpenTelemetry's names, old and new; Zipkin's remote endpoint arrives as `peer.service`.
A bare address names nobody: it changes with every restart.
"""

import re
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from logstream.model import Span

LinkKind = Literal["call", "messaging", "database", "derived"]
Direction = Literal["out", "in"]

MAX_NAME_CHARS = 200
_ADDRESS = re.compile(r"[0-9.]+|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*|localhost", re.ASCII).fullmatch
_NAMES = (
    "peer.service",
    "service.peer.name",
    "db.system.name",
    "db.system",
    "db.namespace",
    "db.name",
    "messaging.system",
    "messaging.destination.name",
    "messaging.destination",
    "messaging.destination.template",
    "messaging.destination.temporary",
    "messaging.destination.anonymous",
    "messaging.operation.type",
    "messaging.operation",
    "server.address",
    "net.peer.name",
    "url.full",
    "http.url",
    "telemetry.sdk.name",
    "network.local.address",
    "network.local.port",
)
# Only these are read: attributes may be long.
_Known = msgspec.defstruct(
    "_Known",
    [(name.replace(".", "_"), Any, None) for name in _NAMES],
    rename={name.replace(".", "_"): name for name in _NAMES},
)
_decode = msgspec.json.Decoder(_Known).decode


class Peer(msgspec.Struct, frozen=True):
    """Who is on the other side: None when nothing names it.

    `direction` is which way the request or message goes, seen from the span's service; None for
    what passes nothing on, as when a message is made before it is sent.
    """

    name: str | None
    kind: LinkKind
    direction: Direction | None
    # Address and port of the span's own side.
    own_endpoint: tuple[str, str] = ("", "")


def peer_of(span: Span) -> Peer:
    """The other side of a span that is not internal."""
    known = _known(span)
    named = _text(known, "peer.service", "service.peer.name")
    is_inward = span.kind in ("server", "consumer")
    kind: LinkKind = "messaging" if span.kind in ("producer", "consumer") else "call"
    usual: Direction = "in" if is_inward else "out"
    direction: Direction | None = usual
    derived = None
    if span.kind != "server" and (
        kind == "messaging" or _text(known, "messaging.system") is not None
    ):
        kind, derived = "messaging", _queue(known)
        direction = _messaging_direction(known, usual)
    elif span.kind == "client" and (system := _text(known, "db.system.name", "db.system")):
        kind, derived = "database", _database(known, system)
    elif span.kind == "client":
        derived = _host(known)
    name = named or derived
    return Peer(
        name[:MAX_NAME_CHARS] if name else None,
        kind,
        direction,
        (str(known.network_local_address), str(known.network_local_port)),
    )


def named_peer(span: Span) -> str | None:
    """The service that a span names as its other side in so many words."""
    if b'peer.service"' not in span.attributes and b'service.peer.name"' not in span.attributes:
        return None
    return _text(_known(span), "peer.service", "service.peer.name")


def _known(span: Span) -> Any:
    try:
        return _decode(span.attributes)
    except msgspec.DecodeError:
        return _Known()


def _text(known: Any, *names: str) -> str | None:
    """The first that is a text with something in it."""
    for name in names:
        value = getattr(known, name.replace(".", "_"))
        if isinstance(value, str) and value.strip():
            return value.strip()
    return None


def _queue(known: Any) -> str | None:
    """`kafka/orders`: by destination, or everyone would seem to hear everyone through `kafka`."""
    system = _text(known, "messaging.system")
    is_passing = (
        known.messaging_destination_temporary is True
        or known.messaging_destination_anonymous is True
    )
    destination = _text(known, "messaging.destination.template") or (
        None if is_passing else _text(known, "messaging.destination.name", "messaging.destination")
    )
    return "/".join(part for part in (system, destination) if part) or None


def _messaging_direction(known: Any, usual: Direction) -> Direction | None:
    match _text(known, "messaging.operation.type", "messaging.operation"):
        case "receive" | "process" | "deliver":
            return "in"
        case "send" | "publish":
            return "out"
        case "create" | "settle":
            return None
    return usual


def _database(known: Any, system: str) -> str:
    where = _text(known, "db.namespace", "db.name") or _host(known)
    return f"{system}/{where}" if where else system


def _host(known: Any) -> str | None:
    host = _text(known, "server.address", "net.peer.name")
    if host is None:
        # Old instrumentations of OpenTelemetry send no more than this. Zipkin's linker, whose
        # senders use the same name, takes nobody's name from it.
        is_known = known.telemetry_sdk_name is not None
        url = _text(known, "url.full", *(["http.url"] if is_known else []))
        host = _host_of(url) if url else None
    return None if host is None or _ADDRESS(host) else host.lower()


def _host_of(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None

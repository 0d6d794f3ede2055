"""Where the fields of one of our own API's records came from, in words."""

from logstream.model import Origins
from logstream.receive.native_record import (
    ENVIRONMENT_NAMES,
    LATENCY_NAMES,
    MESSAGE_NAMES,
    SOURCE_NAMES,
    SPAN_NAMES,
    TIME_NAMES,
    TRACE_NAMES,
)
from logstream.receive.native_values import NUMBER_NAMES, SEVERITY_NAMES, decode_members, members_of
from logstream.receive.object_record import DEFAULT_ORIGINS

_FIELDS = {
    "service_name": SOURCE_NAMES,
    "body": MESSAGE_NAMES,
    "severity_number": (*NUMBER_NAMES, *SEVERITY_NAMES),
    "severity_text": SEVERITY_NAMES,
    "timestamp": TIME_NAMES,
    "environment": (
        *ENVIRONMENT_NAMES,
        *("metadata.deployment.environment.name", "metadata.environment"),
    ),
    "trace_id": (*TRACE_NAMES, *(f"metadata.{name}" for name in TRACE_NAMES)),
    "span_id": (*SPAN_NAMES, *(f"metadata.{name}" for name in SPAN_NAMES)),
    "duration_ms": (*(f"metadata.{name}" for name in LATENCY_NAMES), *LATENCY_NAMES),
}


def origins_of(piece: bytes) -> Origins:
    """The name each field was found under, by field, or the default it took."""
    members = members_of(piece)
    metadata = bytes(members.get("metadata", b""))
    inner = decode_members(metadata) if metadata[:1] == b"{" else {}
    places = members | {f"metadata.{name}": raw for name, raw in inner.items()}
    origins = dict(DEFAULT_ORIGINS)
    for field, names in _FIELDS.items():
        for name in names:
            if name in places and bytes(places[name]) not in (b"null", b'""'):
                origins[field] = name
                break
    kept = [name for name in members if name not in origins.values()]
    origins["attributes"] = ", ".join(kept) or "no other members"
    return origins

"""Where the fields of a record of our own API came from, read off its JSON once more.

Only for people who ask (`Arrival.wants_origins`); `native_record` reads the same names.
"""

from collections.abc import Mapping, Sequence

import msgspec

from logstream.model import LogRecord, Origins
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

RECEIPT = "time of receipt"
DEFAULT_ENVIRONMENT = "LOGSTREAM_DEFAULT_ENVIRONMENT"


def origins_of(raw: bytes, record: LogRecord) -> Origins:
    """Where each field of the record that was read from this object came from."""
    fields = members_of(raw)
    inner = _members(fields.get("metadata"))
    inside = {f"metadata.{name}": value for name, value in inner.items()}
    given = {**fields, **inside}
    origins: Origins = {
        "service_name": _first(given, SOURCE_NAMES, ""),
        "body": _first(given, MESSAGE_NAMES, ""),
        "severity_number": _first(
            given, (*NUMBER_NAMES, *SEVERITY_NAMES), "no severity given: info"
        ),
        "timestamp_unix_nano": _first(given, TIME_NAMES, RECEIPT),
        "environment": _first(
            {name: value for name, value in given.items() if value not in (b'""', b'" "')},
            (
                *ENVIRONMENT_NAMES,
                "metadata.deployment.environment.name",
                "metadata.environment",
            ),
            DEFAULT_ENVIRONMENT,
        ),
        "observed_unix_nano": RECEIPT,
    }
    if record.severity_text is not None:
        origins["severity_text"] = _first(given, SEVERITY_NAMES, "")
    if record.trace_id is not None:
        origins["trace_id"] = _first(given, _also_inside(TRACE_NAMES), "")
    if record.span_id is not None:
        origins["span_id"] = _first(given, _also_inside(SPAN_NAMES), "")
    if record.duration_ms is not None:
        names = ("metadata.latency", *LATENCY_NAMES, "metadata.duration_ms")
        origins["duration_ms"] = _first(given, names, "")
    if record.attributes != b"{}":
        taken = {"metadata", _first(given, SEVERITY_NAMES, ""), *origins.values()}
        others = [name for name in fields if name not in taken]
        origins["attributes"] = ", ".join((["metadata"] if inner else []) + others)
    return origins


def _also_inside(names: Sequence[str]) -> tuple[str, ...]:
    return (*names, *(f"metadata.{name}" for name in names))


def _first(given: Mapping[str, msgspec.Raw], names: Sequence[str], otherwise: str) -> str:
    """The first of the names that is given and not null."""
    return next(
        (name for name in names if name in given and bytes(given[name]) != b"null"), otherwise
    )


def _members(raw: msgspec.Raw | None) -> dict[str, msgspec.Raw]:
    text = b"" if raw is None else bytes(raw)
    return decode_members(text) if text[:1] == b"{" else {}

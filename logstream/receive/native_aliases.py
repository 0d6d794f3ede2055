"""Records with the usual other names for our fields (`service`, `msg`, `level`, `timestamp`).

`record_of_usual` is a fast way to what `native_record.record_from_json` gives: what the names of
a record mean is worked out once for each set of them. `is_foreign` tells another logger's object.
"""

from typing import NamedTuple

import msgspec

from logstream.model import LogRecord
from logstream.receive.json_text import is_deeper_than
from logstream.receive.native_record import (
    ENVIRONMENT_NAMES,
    LATENCY_NAMES,
    MESSAGE_NAMES,
    SOURCE_NAMES,
    SPAN_NAMES,
    TIME_NAMES,
    TRACE_NAMES,
    clean_names,
)
from logstream.receive.native_values import (
    MAX_ID_CHARS,
    NUMBER_NAMES,
    SEVERITY_NAMES,
    Defaults,
    Refused,
    decode_members,
    duration_ms,
    known_severities,
    members_of,
    normal_id,
    timestamp_of,
    value_of,
)
from logstream.receive.object_shape import shape_of

_MAX_PLANS = 2_000
_MAX_NAMES, _MAX_CHARACTERS = 64, 1_500
# Whoever says one of these speaks to us; its source was forgotten.
_OUR_NAMES = frozenset((*SOURCE_NAMES, "severity", "metadata", "createdAt"))
_UNUSUAL = frozenset(("metadata", "deployment.environment.name", *NUMBER_NAMES))
_ROLES = (
    *(SOURCE_NAMES, MESSAGE_NAMES, SEVERITY_NAMES, TIME_NAMES, ENVIRONMENT_NAMES),
    *(TRACE_NAMES, SPAN_NAMES, LATENCY_NAMES),
)
_encode = msgspec.json.encode
_decode = msgspec.json.Decoder().decode


class _Plan(NamedTuple):
    """The one name each field has in a record; `taken` are all but the latency's."""

    source: str
    message: str
    severity: str | None
    time: str | None
    environment: str | None
    trace: str | None
    span: str | None
    latency: str | None
    taken: tuple[str, ...]


_plans: dict[tuple[str, ...], _Plan | None] = {}


def record_of_usual(piece: bytes, defaults: Defaults) -> LogRecord | None:
    """The record of an object with one usual name a field, else None: take the longer way.

    Raises Refused.
    """
    if is_deeper_than(piece):
        return None
    try:
        members = decode_members(piece)
    except (msgspec.DecodeError, RecursionError):
        return None
    key = tuple(members)
    plan = _plans[key] if key in _plans else _planned(key)
    if plan is None:
        return None
    source, message = bytes(members[plan.source]), bytes(members[plan.message])
    if source[:1] != b'"' or message[:1] != b'"':
        return None
    service = clean_names.get(_decode(source))
    severity = known_severities[None]
    if plan.severity is not None:
        raw = bytes(members[plan.severity])
        if not (raw[:1] == b'"' or raw.isdigit()):
            return None
        known = known_severities.get(value_of(members[plan.severity]))
        if known is None:
            return None
        severity = known
    environment = defaults.environment
    if plan.environment is not None:
        raw = bytes(members[plan.environment])
        environment = clean_names.get(_decode(raw), "") if raw[:1] == b'"' else ""
    if not service or not environment:
        return None
    timestamp = defaults.received_unix_nano
    if plan.time is not None:
        moment = value_of(members[plan.time])
        if moment is None:
            return None
        timestamp = timestamp_of(moment, defaults)
    trace_id = span_id = duration = None
    if plan.trace is not None:
        trace_id = value_of(members[plan.trace])
        if type(trace_id) is not str or not 0 < len(trace_id) <= MAX_ID_CHARS:
            return None
        trace_id = normal_id(trace_id)
    if plan.span is not None:
        span_id = value_of(members[plan.span])
        if type(span_id) is not str or not 0 < len(span_id) <= MAX_ID_CHARS:
            return None
        span_id = normal_id(span_id)
    if plan.latency is not None:
        duration = duration_ms(value_of(members[plan.latency]))
    for name in plan.taken:
        del members[name]
    return LogRecord(
        timestamp_unix_nano=timestamp,
        observed_unix_nano=defaults.received_unix_nano,
        environment=environment,
        service_name=service,
        severity_number=severity[0],
        severity_text=severity[1],
        body=_decode(message),
        trace_id=trace_id,
        span_id=span_id,
        duration_ms=duration,
        attributes=_encode(members) if members else b"{}",
    )


def _planned(key: tuple[str, ...]) -> _Plan | None:
    plan = None
    found = [[name for name in names if name in key] for names in _ROLES]
    if _UNUSUAL.isdisjoint(key) and found[0] and found[1] and all(len(n) <= 1 for n in found):
        source, message, *others = (names[0] if names else None for names in found)
        severity, time, environment, trace, span, latency = others
        taken = tuple(name for names in found[:-1] for name in names)
        plan = _Plan(
            str(source), str(message), severity, time, environment, trace, span, latency, taken
        )
    if len(key) <= _MAX_NAMES and sum(map(len, key)) <= _MAX_CHARACTERS:
        if len(_plans) >= _MAX_PLANS:
            _plans.clear()
        _plans[key] = plan
    return plan


def is_foreign(piece: bytes) -> bool:
    """True for an object that another logger made: none of our own names, one of a logger's."""
    if is_deeper_than(piece):
        return False
    try:
        members = members_of(piece)
    except (Refused, ValueError, RecursionError):
        return False
    if not _OUR_NAMES.isdisjoint(members):
        return False
    shape = shape_of(members)
    marks = (shape.levels, shape.numbers, shape.times, shape.traces, shape.errors)
    return any(marks) or any(name[:1] == "@" for name in shape.messages)

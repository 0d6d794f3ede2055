"""One record of our own API: from its fields to a LogRecord, or a sentence saying why not.

`records_from_wires` is the hot path for the names the API documents; `record_from_json` takes
any object: aliases, unknown fields, sloppy JSON. Both give the same record for the same input.
"""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec

from logstream.model import LogRecord
from logstream.receive.json_text import MAX_DEPTH, is_deeper_than, merged
from logstream.receive.native_values import (
    INFO,
    MAX_ID_CHARS,
    MAX_NAME_CHARS,
    Defaults,
    Refused,
    bad_source,
    decode_members,
    duration_ms,
    free_name,
    id_text,
    kind_of,
    known_severities,
    members_of,
    normal_id,
    severity_of,
    take_id,
    take_severity,
    take_text,
    take_value,
    timestamp_of,
    too_deep,
    value_of,
)

_NO_METADATA = (b"", b"null", b"{}")
_EMPTY = msgspec.Raw(b"")
_MAX_NAMES = 10_000
_EXACT = 2**53
# Whole numbers of this size are microseconds; see parse_timestamp.
_FIRST_MICROS, _FIRST_NANOS = 10**14, 10**17

SOURCE_NAMES = ("source", "service", "service_name", "service.name", "serviceName")
MESSAGE_NAMES = ("message", "body", "msg")
TIME_NAMES = ("createdAt", "timestamp", "time", "@timestamp")
ENVIRONMENT_NAMES = ("environment", "env")
TRACE_NAMES = ("traceId", "trace_id")
SPAN_NAMES = ("spanId", "span_id")
LATENCY_NAMES = ("latency", "duration_ms")

_Id = Annotated[str, msgspec.Meta(max_length=MAX_ID_CHARS)]


class Wire(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """The documented fields with the types they should have."""

    source: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME_CHARS)]
    message: str
    severity: str | int | None = None
    metadata: msgspec.Raw = _EMPTY
    createdAt: str | int | float | None = None
    environment: str | None = None
    traceId: _Id | None = None
    spanId: _Id | None = None


class _Promoted(msgspec.Struct, gc=False):
    """The members of `metadata` that also become columns."""

    traceId: Any = None
    trace_id: Any = None
    spanId: Any = None
    span_id: Any = None
    latency: Any = None
    duration_ms: Any = None
    environment: Any = None
    environment_name: Any = msgspec.field(default=None, name="deployment.environment.name")


class _Usual(msgspec.Struct, gc=False):
    """The same where they are as documented; any other name or type is not usual."""

    traceId: _Id | None = None
    spanId: _Id | None = None
    latency: int | float | None = None
    trace_id: None = None
    span_id: None = None
    duration_ms: None = None
    environment: None = None
    environment_name: None = msgspec.field(default=None, name="deployment.environment.name")


_decode_promoted = msgspec.json.Decoder(_Promoted).decode
_decode_usual = msgspec.json.Decoder(_Usual).decode
# Names of services and environments as sent, to the names as stored.
clean_names: dict[str, str] = {}


def records_from_wires(wires: Sequence[Wire], defaults: Defaults) -> list[LogRecord]:
    """The records of well-formed documented fields. Raises Refused.

    What nearly every line looks like is read here without a call a field; all else by
    `_record_from_wire`, with the same outcome.
    """
    received = defaults.received_unix_nano
    records: list[LogRecord] = []
    for wire in wires:
        attributes = bytes(wire.metadata)
        severity = known_severities.get(wire.severity)
        source = clean_names.get(wire.source)
        environment = clean_names.get(wire.environment) if wire.environment else ""
        if not (severity and source) or environment is None or is_deeper_than(attributes):
            records.append(_record_from_wire(wire, defaults))
            continue
        trace_id, span_id, duration = wire.traceId, wire.spanId, None
        if attributes in _NO_METADATA:
            attributes = b"{}"
        else:
            try:
                promoted = _decode_usual(attributes)
            except msgspec.ValidationError:
                records.append(_record_from_wire(wire, defaults))
                continue
            trace_id = trace_id or promoted.traceId
            span_id = span_id or promoted.spanId
            latency = promoted.latency
            if latency is not None:
                duration = float(latency) if 0 <= latency < _EXACT else duration_ms(latency)
        moment = wire.createdAt
        if moment is None:
            timestamp = received
        elif type(moment) is int and _FIRST_MICROS <= moment < _FIRST_NANOS:
            timestamp = moment * 1_000
        else:
            timestamp = timestamp_of(moment, defaults)
        records.append(
            LogRecord(
                timestamp_unix_nano=timestamp,
                observed_unix_nano=received,
                environment=environment or defaults.environment,
                service_name=source,
                severity_number=severity[0],
                severity_text=severity[1],
                body=wire.message,
                trace_id=normal_id(trace_id) if trace_id else None,
                span_id=normal_id(span_id) if span_id else None,
                duration_ms=duration,
                attributes=attributes,
            )
        )
    return records


def _record_from_wire(wire: Wire, defaults: Defaults) -> LogRecord:
    source = wire.source.strip()
    if not source or len(source) > MAX_NAME_CHARS:
        raise bad_source(source)
    for name in (wire.source, wire.environment):
        if name and 0 < len(name.strip()) <= MAX_NAME_CHARS and len(clean_names) < _MAX_NAMES:
            clean_names[name] = name.strip()
    attributes = bytes(wire.metadata)
    return _record(
        source,
        wire.message,
        (INFO, None) if wire.severity is None else severity_of(wire.severity),
        defaults.received_unix_nano
        if wire.createdAt is None
        else timestamp_of(wire.createdAt, defaults),
        wire.environment,
        wire.traceId,
        wire.spanId,
        None,
        b"{}" if attributes in _NO_METADATA else attributes,
        defaults,
    )


def record_from_json(raw: bytes, defaults: Defaults) -> LogRecord:
    """The record of one JSON object, whatever its fields. Raises Refused."""
    if is_deeper_than(raw, MAX_DEPTH + 1):
        raise too_deep()
    fields = members_of(raw)
    source = take_text(fields, SOURCE_NAMES, "send the name of the service that wrote the line")
    if source is None:
        raise Refused("source is missing; send the name of the service that wrote the line")
    source = source.strip()
    if not source or len(source) > MAX_NAME_CHARS:
        raise bad_source(source)
    body = take_text(fields, MESSAGE_NAMES, "send text in quotes")
    if body is None:
        raise Refused("message is missing; send the line's text")
    severity = take_severity(fields)
    moment = take_value(fields, TIME_NAMES)
    environment = take_text(fields, ENVIRONMENT_NAMES, "send text in quotes")
    trace_id = take_id(fields, TRACE_NAMES)
    span_id = take_id(fields, SPAN_NAMES)
    latency = next((fields[name] for name in LATENCY_NAMES if name in fields), None)
    metadata = fields.pop("metadata", None)
    attributes = b"" if metadata is None else bytes(metadata)
    attributes = b"{}" if attributes in _NO_METADATA else attributes
    if fields and attributes[:1] == b"{":
        taken = decode_members(attributes)
        attributes = merged(attributes, {free_name(name, taken): fields[name] for name in fields})
    return _record(
        source,
        body,
        severity,
        defaults.received_unix_nano if moment is None else timestamp_of(moment, defaults),
        environment,
        trace_id,
        span_id,
        None if latency is None else value_of(latency),
        attributes,
        defaults,
    )


def _record(
    source: str,
    body: str,
    severity: tuple[int, str | None],
    timestamp_unix_nano: int,
    environment: str | None,
    trace_id: str | None,
    span_id: str | None,
    latency: Any,
    attributes: bytes,
    defaults: Defaults,
) -> LogRecord:
    if attributes != b"{}":
        if attributes[:1] != b"{":
            raise Refused(f"metadata is {kind_of(attributes)}; send an object")
        if is_deeper_than(attributes):
            raise too_deep()
        promoted = _promoted(attributes)
        trace_id = trace_id or id_text(promoted.traceId) or id_text(promoted.trace_id)
        span_id = span_id or id_text(promoted.spanId) or id_text(promoted.span_id)
        if promoted.latency is not None:
            latency = promoted.latency
        elif latency is None:
            latency = promoted.duration_ms
        if not environment:
            named = promoted.environment_name or promoted.environment
            environment = named if isinstance(named, str) else None
    if environment:
        environment = environment.strip()
        if len(environment) > MAX_NAME_CHARS:
            raise Refused(
                f"environment has {len(environment)} characters; use at most {MAX_NAME_CHARS}"
            )
    return LogRecord(
        timestamp_unix_nano=timestamp_unix_nano,
        observed_unix_nano=defaults.received_unix_nano,
        environment=environment or defaults.environment,
        service_name=source,
        severity_number=severity[0],
        severity_text=severity[1],
        body=body,
        trace_id=normal_id(trace_id) if trace_id else None,
        span_id=normal_id(span_id) if span_id else None,
        duration_ms=None if latency is None else duration_ms(latency),
        attributes=attributes,
    )


def _promoted(attributes: bytes) -> _Promoted:
    try:
        return _decode_promoted(attributes)
    except msgspec.ValidationError:  # a number beyond float or int among the promoted members
        members = decode_members(attributes)
        return _Promoted(
            **{
                name: value_of(members[name])
                for name in _Promoted.__struct_fields__
                if name in members
            }
        )

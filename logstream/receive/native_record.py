"""One record of our own API: from its fields to a LogRecord, or a sentence saying why not.

`record_from_wire` is the hot path for the names the API documents; `record_from_json` takes
any object: aliases, unknown fields, sloppy JSON. Both give the same record for the same input.
"""

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
    bad_time,
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
from logstream.receive.timestamps import NotATime, parse_timestamp

_NO_METADATA = (b"", b"null", b"{}")
_EMPTY = msgspec.Raw(b"")

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


_decode_promoted = msgspec.json.Decoder(_Promoted).decode


def record_from_wire(wire: Wire, defaults: Defaults) -> LogRecord:
    """The record of well-formed documented fields. Raises Refused."""
    source = wire.source.strip()
    if not source or len(source) > MAX_NAME_CHARS:
        raise bad_source(source)
    severity = wire.severity
    if severity is None:
        number, text = INFO, None
    else:
        number, text = known_severities.get(severity) or severity_of(severity)
    attributes = bytes(wire.metadata)
    if wire.createdAt is None:
        moment = defaults.received_unix_nano
    else:
        try:
            moment = parse_timestamp(wire.createdAt, defaults.naive_timezone)
        except NotATime as error:
            raise bad_time(wire.createdAt, error) from None
    return _record(
        source,
        wire.message,
        (number, text),
        moment,
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

"""What OTLP says, in Python values: the same from protobuf and from JSON.

An AnyValue is str, bool, int, float, bytes, list, dict, None when it is unset, or msgspec.Raw for a
number that fits neither int nor float; one that is not finite is its name (`NaN`, `Infinity`).
An id is lower-case hexadecimal, empty when it is missing or zero; one of another length is in
`malformed` under its field's name, as it was sent.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

Signal = Literal["logs", "spans", "metrics"]
TRACE_ID_BYTES, SPAN_ID_BYTES = 16, 8


class LogFields(msgspec.Struct):
    """One LogRecord. `severity_number` is 0 when unspecified, times are 0 when not given."""

    time_unix_nano: int
    observed_time_unix_nano: int
    severity_number: int
    severity_text: str
    body: Any
    attributes: dict[str, Any]
    dropped_attributes_count: int
    flags: int
    trace_id: str
    span_id: str
    event_name: str
    malformed: dict[str, Any]


class EventFields(msgspec.Struct):
    """One event of a span."""

    time_unix_nano: int
    name: str
    attributes: dict[str, Any]
    dropped_attributes_count: int


class LinkFields(msgspec.Struct):
    """One link of a span; its ids are as they were sent when they are malformed."""

    trace_id: str
    span_id: str
    trace_state: str
    attributes: dict[str, Any]
    dropped_attributes_count: int
    flags: int


class SpanFields(msgspec.Struct):
    """One Span. Kind and status are the numbers of their enums."""

    trace_id: str
    span_id: str
    parent_span_id: str
    trace_state: str
    name: str
    kind: int
    start_time_unix_nano: int
    end_time_unix_nano: int
    attributes: dict[str, Any]
    dropped_attributes_count: int
    events: list[EventFields]
    dropped_events_count: int
    links: list[LinkFields]
    dropped_links_count: int
    status_code: int
    status_message: str
    flags: int
    malformed: dict[str, Any]


class Source(msgspec.Struct):
    """What the resource and the scope around some records say."""

    resource: dict[str, Any]
    resource_dropped_attributes_count: int = 0
    resource_schema_url: str = ""
    scope_name: str = ""
    scope_version: str = ""
    scope_attributes: dict[str, Any] = {}
    scope_dropped_attributes_count: int = 0
    scope_schema_url: str = ""


class Group(NamedTuple):
    """Records of one scope of one resource, each still in its encoding."""

    resource: bytes
    resource_schema_url: str
    scope: bytes
    scope_schema_url: str
    records: Sequence[bytes]


class Wire(NamedTuple):
    """An encoding of OTLP. What reads one part raises Refused when that part is broken.

    `groups` raises DecodeError, and TooLarge for more than so many records; `alone` makes a
    whole request of one record, to be sent again.
    """

    groups: Callable[[bytes, Signal, int], Iterable[Group]]
    source: Callable[[Group], Source]
    log: Callable[[bytes], LogFields]
    span: Callable[[bytes], SpanFields]
    points: Callable[[bytes], int]
    alone: Callable[[Group, bytes, Signal], bytes]

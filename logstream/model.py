"""The values that travel along the path: log records, stored lines, counts.

Names are OpenTelemetry's. Times are integer nanoseconds since the Unix epoch
(`*_unix_nano`, UTC), because senders give nanoseconds and `datetime` cannot hold
them. Frozen: a value never changes after it was made.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

import msgspec

NANOS_PER_SECOND = 1_000_000_000
NANOS_PER_MINUTE = 60 * NANOS_PER_SECOND
NANOS_PER_DAY = 24 * 60 * NANOS_PER_MINUTE
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# What a datetime can hold, in nanoseconds since the epoch: years 1 to 9999.
_FIRST_NANO = -62_135_596_800 * NANOS_PER_SECOND
_LAST_NANO = 253_402_300_800 * NANOS_PER_SECOND - 1
_HEX_ID = re.compile(r"^[0-9a-fA-F-]+$")
_SEVERITY_ALIASES = {"warning": "warn", "err": "error", "critical": "fatal", "information": "info"}


class Severity(IntEnum):
    """The six groups; the value is the first severity_number of the group."""

    TRACE = 1
    DEBUG = 5
    INFO = 9
    WARN = 13
    ERROR = 17
    FATAL = 21

    @property
    def word(self) -> str:
        """`trace`, `debug`, `info`, `warn`, `error` or `fatal`."""
        return self.name.lower()

    @property
    def last_number(self) -> int:
        """The last severity_number of the group."""
        return self.value + 3

    @classmethod
    def of(cls, severity_number: int) -> "Severity":
        """The group of a severity_number from 1 to 24."""
        return cls((severity_number - 1) // 4 * 4 + 1)

    @classmethod
    def named(cls, word: str) -> "Severity | None":
        """The group a person names, in any case: `error`, and also `err`; None if none."""
        lowered = word.lower()
        wanted = _SEVERITY_ALIASES.get(lowered, lowered)
        return next((severity for severity in cls if severity.word == wanted), None)


SEVERITY_WORDS: tuple[str, ...] = tuple(severity.word for severity in Severity)


class LogRecord(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One log record as received, before it has an id.

    `attributes` is the text of one JSON object (UTF-8), kept as bytes so that the
    hot path never parses it. It holds neither NUL escapes nor lone surrogates.
    `severity_text` is the sender's own word when it is not the group's.
    """

    timestamp_unix_nano: int
    observed_unix_nano: int
    environment: str
    service_name: str
    severity_number: int
    body: str
    severity_text: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    duration_ms: float | None = None
    attributes: bytes = b"{}"


class Span(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One span as received, before it is stored.

    `kind` is `internal`, `server`, `client`, `producer` or `consumer`; `status` is `unset`,
    `ok` or `error`. `duration_nano` may be zero or negative: clocks are what they are.
    `attributes` is the text of one JSON object, `events` and `links` of one array of objects
    (`{"name", "timeUnixNano", "attributes"}`, `{"traceId", "spanId", "attributes"}`), all as
    clean as those of a LogRecord.
    """

    trace_id: str
    span_id: str
    environment: str
    service_name: str
    name: str
    start_unix_nano: int
    duration_nano: int
    observed_unix_nano: int
    parent_span_id: str | None = None
    kind: str = "internal"
    status: str = "unset"
    status_message: str | None = None
    attributes: bytes = b"{}"
    events: bytes = b"[]"
    links: bytes = b"[]"


class Reject(msgspec.Struct, frozen=True, gc=False):
    """One record that could not be read: its index in the request, why, and its bytes.

    `reason` is a short code to count by.
    """

    index: int
    error: str
    raw: bytes = b""
    reason: str = "bad_record"


# Where each field of a record or span came from, in words: {"service_name": "resource
# attribute service.name", "timestamp": "time of receipt"}. Keys are the value's fields.
Origins = dict[str, str]


class Decoded(msgspec.Struct, frozen=True, gc=False):
    """What a decoder made of one body, in the sender's order.

    `origins` and `span_origins` belong to `records` and `spans` one by one; they are made
    only when the Arrival asks for them.
    """

    records: list[LogRecord]
    rejects: list[Reject] = []
    spans: list[Span] = []
    origins: list[Origins] = []
    span_origins: list[Origins] = []


@dataclass(frozen=True)
class LogLine:
    """One stored log record, with its id; 0 while it waits in the spool for one.

    `pattern_id` is 0 while its skeleton is a pattern of its own.
    """

    id: int
    timestamp_unix_nano: int
    observed_unix_nano: int
    environment: str
    service_name: str
    severity_number: int
    body: str
    severity_text: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    duration_ms: float | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    skeleton_id: int = 0
    pattern_id: int = 0

    def to_api(self) -> dict[str, Any]:
        """The line in the API's shape (camelCase, times ISO 8601 UTC)."""
        return {
            "id": self.id or None,
            "source": self.service_name,
            "message": self.body,
            "severity": Severity.of(self.severity_number).word,
            "metadata": self.attributes,
            "createdAt": iso_time(self.timestamp_unix_nano),
            "environment": self.environment,
            "severityNumber": self.severity_number,
            "severityText": self.severity_text,
            "observedAt": iso_time(self.observed_unix_nano),
            "traceId": self.trace_id,
            "spanId": self.span_id,
            "latency": self.duration_ms,
            "patternId": self.pattern_id or self.skeleton_id or None,
            **({"ahead": True} if self.is_ahead else {}),
        }

    @property
    def is_ahead(self) -> bool:
        """True when its clock was more than a day ahead of ours: no chart goes that far."""
        return self.timestamp_unix_nano - self.observed_unix_nano > NANOS_PER_DAY


@dataclass(frozen=True)
class TrendBucket:
    """Counts of one time bucket. `error` includes fatal; total >= error + warn."""

    start_unix_seconds: int
    total: int
    error: int
    warn: int


def iso_time(unix_nano: int) -> str:
    """ISO 8601 UTC with 3, 6 or 9 decimals: the fewest that keep every digit."""
    seconds, nanos = divmod(unix_nano, NANOS_PER_SECOND)
    base = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()
    if nanos % 1_000_000 == 0:
        return f"{base}.{nanos // 1_000_000:03d}Z"
    if nanos % 1_000 == 0:
        return f"{base}.{nanos // 1_000:06d}Z"
    return f"{base}.{nanos:09d}Z"


def normal_trace_id(text: str) -> str:
    """Lower case without dashes when it is 16 or 32 hexadecimal digits, else unchanged."""
    bare = text.replace("-", "").lower()
    return bare if len(bare) in (16, 32) and _HEX_ID.match(text) else text


def to_datetime(unix_nano: int) -> datetime:
    """An aware UTC datetime, cut to the microsecond, and to the years 1 to 9999."""
    seconds, nanos = divmod(min(max(unix_nano, _FIRST_NANO), _LAST_NANO), NANOS_PER_SECOND)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=nanos // 1_000)


def to_unix_nano(moment: datetime) -> int:
    """Nanoseconds since the epoch of an aware datetime, exact to the microsecond."""
    delta = moment - EPOCH
    return ((delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds) * 1_000

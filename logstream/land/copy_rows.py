"""Rows in PostgreSQL's binary COPY format, built without a driver call per row.

Layout: https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format". A field is
a 4-byte length (-1 for null) and that many bytes; all integers are big-endian.
"""

import struct
from collections import Counter
from collections.abc import Iterable, Sequence

from logstream.model import LogRecord

COPY_HEADER = b"PGCOPY\n\xff\r\n\x00" + struct.pack(">ii", 0, 0)
COPY_TRAILER = struct.pack(">h", -1)
LOGS_COLUMNS = (
    "id, timestamp, observed_timestamp, skeleton_id, severity_number, timestamp_nanos, "
    "duration_ms, environment, service_name, severity_text, trace_id, span_id, body, attributes"
)
COUNTS_COLUMNS = "bucket, environment, service_name, severity_number, skeleton_id, count"

# PostgreSQL counts microseconds from 2000-01-01.
_POSTGRES_EPOCH_MICROS = 946_684_800_000_000
_NANOS_PER_MINUTE = 60_000_000_000
_NULL = struct.pack(">i", -1)
_length = struct.Struct(">i").pack
_duration = struct.Struct(">id").pack
# Field count, then id, timestamp, observed_timestamp, skeleton_id (8 bytes each),
# severity_number, timestamp_nanos (2 bytes each), every one with its length.
_log_head = struct.Struct(">hiqiqiqiqihih").pack
_count_head = struct.Struct(">hiq").pack
_count_tail = struct.Struct(">ihiqiq").pack

CountKey = tuple[int, str, str, int]


def log_rows(records: Sequence[LogRecord], first_id: int) -> bytes:
    """Rows of `logs` in the order of LOGS_COLUMNS, ids counting up from `first_id`."""
    parts: list[bytes] = []
    append = parts.append
    names: dict[str, bytes] = {}
    for line_id, record in enumerate(records, first_id):
        micros, nanos = divmod(record.timestamp_unix_nano, 1_000)
        append(
            _log_head(
                14,
                8,
                line_id,
                8,
                micros - _POSTGRES_EPOCH_MICROS,
                8,
                record.observed_unix_nano // 1_000 - _POSTGRES_EPOCH_MICROS,
                8,
                0,
                2,
                record.severity_number,
                2,
                nanos,
            )
        )
        append(_NULL if record.duration_ms is None else _duration(8, record.duration_ms))
        for name in (record.environment, record.service_name):
            known = names.get(name)
            if known is None:
                known = names[name] = _text(name)
            append(known)
        for optional in (record.severity_text, record.trace_id, record.span_id):
            append(_NULL if optional is None else _text(optional))
        append(_text(record.body))
        append(_length(len(record.attributes)))
        append(record.attributes)
    return b"".join(parts)


def count_rows(counts: Iterable[tuple[CountKey, int]]) -> bytes:
    """Delta rows of `log_counts` in the order of COUNTS_COLUMNS."""
    parts: list[bytes] = []
    for (minute, environment, service_name, severity_number), count in counts:
        parts += (
            _count_head(6, 8, minute * 60_000_000 - _POSTGRES_EPOCH_MICROS),
            _text(environment),
            _text(service_name),
            _count_tail(2, severity_number, 8, 0, 8, count),
        )
    return b"".join(parts)


def count(records: Iterable[LogRecord]) -> Counter[CountKey]:
    """Lines by (minute since the epoch, environment, service, severity_number)."""
    return Counter(
        (
            record.timestamp_unix_nano // _NANOS_PER_MINUTE,
            record.environment,
            record.service_name,
            record.severity_number,
        )
        for record in records
    )


def _text(value: str) -> bytes:
    encoded = value.encode()
    return _length(len(encoded)) + encoded

"""Rows in PostgreSQL's binary COPY format, built without a driver call per row.

Layout: https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format". A field is
a 4-byte length (-1 for null) and that many bytes; all integers are big-endian.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import msgspec

from logstream.land.skeleton_cache import NewSkeleton, SkeletonCache
from logstream.model import NANOS_PER_MINUTE, LogRecord
from logstream.skeleton import HEXADECIMAL_DIGITS

COPY_HEADER = b"PGCOPY\n\xff\r\n\x00" + struct.pack(">ii", 0, 0)
COPY_TRAILER = struct.pack(">h", -1)
LOGS_COLUMNS = (
    "id, timestamp, observed_timestamp, skeleton_id, timestamp_nanos, "
    "severity_number, environment, service_name, severity_text, "
    "duration_ms, trace_id, span_id, body, attributes"
)
COUNTS_COLUMNS = "bucket, environment, service_name, severity_number, skeleton_id, count"

# PostgreSQL counts microseconds from 2000-01-01.
POSTGRES_EPOCH_MICROS = 946_684_800_000_000
# A field without a value.
NULL = struct.pack(">i", -1)
_length = struct.Struct(">i").pack
# Lengths that need no packing: those of nearly every name, id and body.
_LENGTHS = tuple(_length(size) for size in range(4096))
_duration = struct.Struct(">id").pack
# Field count and id, each with its length where it has one.
_id_head = struct.Struct(">hiq").pack
# timestamp, observed_timestamp, skeleton_id (8 bytes each), timestamp_nanos (2 bytes).
_times = struct.Struct(">iqiqiqih").pack
_severity = struct.Struct(">ih").pack
_count_head = struct.Struct(">hiq").pack
_count_tail = struct.Struct(">ihiqiq").pack
_PARTS_PER_ROW = 10

# minute since the epoch, environment, service, severity_number, skeleton_id
CountKey = tuple[int, str, str, int, int]
_Label = tuple[str, str, int, str | None]


class EncodedRows(msgspec.Struct):
    """Rows of `logs` without their ids yet, how they count, and what they show first."""

    row_count: int
    counts: dict[CountKey, int]
    new_skeletons: dict[int, NewSkeleton]
    _parts: list[bytes]

    def with_ids(self, first_id: int) -> list[bytes]:
        """The rows in the order of LOGS_COLUMNS, in pieces, ids counting up from `first_id`."""
        self._parts[::_PARTS_PER_ROW] = [
            _id_head(14, 8, line_id) for line_id in range(first_id, first_id + self.row_count)
        ]
        return self._parts


def encode(records: Sequence[LogRecord], skeletons: SkeletonCache) -> EncodedRows:
    """Everything of the records that does not depend on when they are landed."""
    new_skeletons: dict[int, NewSkeleton] = {}
    parts: list[bytes] = []
    extend = parts.extend
    labels: dict[_Label, tuple[int, bytes]] = {}
    known_skeleton = skeletons.known.get
    tally: dict[tuple[int, int, int], int] = {}
    for record in records:
        timestamp = record.timestamp_unix_nano
        micros, nanos = divmod(timestamp, 1_000)
        label_key = (
            record.environment,
            record.service_name,
            record.severity_number,
            record.severity_text,
        )
        label = labels.get(label_key)
        if label is None:
            label = labels[label_key] = len(labels), _label_fields(label_key)
        body = record.body.encode()
        key = body.translate(None, HEXADECIMAL_DIGITS)
        skeleton_id = known_skeleton(key)
        if skeleton_id is None:
            skeleton_id = skeletons.look_up(key, record, new_skeletons)
        counted = timestamp // NANOS_PER_MINUTE, label[0], skeleton_id
        tally[counted] = tally.get(counted, 0) + 1
        duration, trace_id, span_id = record.duration_ms, record.trace_id, record.span_id
        attributes = record.attributes
        body_size, attributes_size = len(body), len(attributes)
        extend(
            (
                b"",  # the id
                _times(
                    8,
                    micros - POSTGRES_EPOCH_MICROS,
                    8,
                    record.observed_unix_nano // 1_000 - POSTGRES_EPOCH_MICROS,
                    8,
                    skeleton_id,
                    2,
                    nanos,
                ),
                label[1],
                NULL if duration is None else _duration(8, duration),
                NULL if trace_id is None else text_field(trace_id),
                NULL if span_id is None else text_field(span_id),
                _LENGTHS[body_size] if body_size < 4096 else _length(body_size),
                body,
                _LENGTHS[attributes_size] if attributes_size < 4096 else _length(attributes_size),
                attributes,
            )
        )
    names = [label_key[:3] for label_key in labels]
    counts: dict[CountKey, int] = {}
    for (minute, label_number, skeleton), lines in tally.items():
        # Labels that differ only in severity_text count as one.
        count_key = minute, *names[label_number], skeleton
        counts[count_key] = counts.get(count_key, 0) + lines
    return EncodedRows(len(records), counts, new_skeletons, parts)


def copy_stream(rows: Iterable[Sequence[bytes]]) -> bytes:
    """What one COPY is fed with: header, pieces of rows, trailer."""
    return b"".join(chain((COPY_HEADER,), chain.from_iterable(rows), (COPY_TRAILER,)))


def count_rows(counts: Iterable[tuple[CountKey, int]]) -> Iterator[bytes]:
    """Delta rows of `log_counts` in the order of COUNTS_COLUMNS, in pieces."""
    for (minute, environment, service_name, severity_number, skeleton_id), lines in counts:
        yield _count_head(6, 8, minute * 60_000_000 - POSTGRES_EPOCH_MICROS)
        yield text_field(environment)
        yield text_field(service_name)
        yield _count_tail(2, severity_number, 8, skeleton_id, 8, lines)


def _label_fields(label: _Label) -> bytes:
    environment, service_name, severity_number, severity_text = label
    return (
        _severity(2, severity_number)
        + text_field(environment)
        + text_field(service_name)
        + (NULL if severity_text is None else text_field(severity_text))
    )


def text_field(value: str) -> bytes:
    """A field of text."""
    encoded = value.encode()
    size = len(encoded)
    return (_LENGTHS[size] if size < 4096 else _length(size)) + encoded


def sized(value: bytes) -> bytes:
    """A field of these bytes."""
    return _length(len(value)) + value

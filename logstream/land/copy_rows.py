"""Rows of `logs` and `log_counts` for COPY, and lines counted by duration; see `binary_rows`."""

import math
import struct
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from logstream.durations import FIRST_STEP, LAST_STEP, STEPS_PER_DOUBLING
from logstream.land.binary_rows import LENGTHS, NULL, POSTGRES_EPOCH_MICROS, length, text_field
from logstream.land.operation_rows import LINE_KIND, OperationKey
from logstream.land.skeleton_cache import NewSkeleton, SkeletonCache
from logstream.model import NANOS_PER_MINUTE, LogRecord, Severity
from logstream.skeleton import HEXADECIMAL_DIGITS

LOGS_COLUMNS = (
    "id, timestamp, observed_timestamp, skeleton_id, timestamp_nanos, "
    "severity_number, environment, service_name, severity_text, "
    "duration_ms, trace_id, span_id, body, attributes"
)
COUNTS_COLUMNS = "bucket, environment, service_name, severity_number, skeleton_id, count"

_duration = struct.Struct(">id").pack
# Field count and id, each with its length where it has one.
_id_head = struct.Struct(">hiq").pack
# timestamp, observed_timestamp, skeleton_id (8 bytes each), timestamp_nanos (2 bytes).
_times = struct.Struct(">iqiqiqih").pack
_severity = struct.Struct(">ih").pack
_count_head = struct.Struct(">hiq").pack
_count_tail = struct.Struct(">ihiqiq").pack
_PARTS_PER_ROW = 10
# A year; in the last step whatever is longer.
_LONGEST_MS = 366 * 86_400_000.0

# minute since the epoch, environment, service, severity_number, skeleton_id
CountKey = tuple[int, str, str, int, int]
_Label = tuple[str, str, int, str | None]


class EncodedRows(msgspec.Struct):
    """Rows of `logs` without their ids yet, how they count, and what they show first.

    `durations` counts those lines that have one, as operations do.
    """

    row_count: int
    counts: dict[CountKey, int]
    durations: dict[OperationKey, int]
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
    timed: dict[tuple[int, int, int], int] = {}
    steps: dict[float, int] = {}
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
        if duration is not None:
            step = steps.get(duration)
            if step is None:
                step = steps[duration] = _step(duration)
            took = counted[0], label[0], step
            timed[took] = timed.get(took, 0) + 1
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
                LENGTHS[body_size] if body_size < 4096 else length(body_size),
                body,
                LENGTHS[attributes_size] if attributes_size < 4096 else length(attributes_size),
                attributes,
            )
        )
    names = [label_key[:3] for label_key in labels]
    counts: dict[CountKey, int] = {}
    for (minute, label_number, skeleton), lines in tally.items():
        # Labels that differ only in severity_text count as one.
        count_key = minute, *names[label_number], skeleton
        counts[count_key] = counts.get(count_key, 0) + lines
    durations: dict[OperationKey, int] = {}
    for (minute, label_number, step), lines in timed.items():
        environment, service, severity = names[label_number]
        operation = minute, environment, service, "", LINE_KIND, severity >= Severity.ERROR, step
        durations[operation] = durations.get(operation, 0) + lines
    return EncodedRows(len(records), counts, durations, new_skeletons, parts)


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


def _step(duration_ms: float) -> int:
    """The step of `durations` that a finite number of milliseconds lies in."""
    if duration_ms < 0.001:
        return FIRST_STEP
    if duration_ms > _LONGEST_MS:
        return LAST_STEP
    return min(LAST_STEP, int(math.log2(duration_ms * 1_000) * STEPS_PER_DOUBLING))

"""Rows of `spans` for COPY, and what they say of their traces and operations; see `binary_rows`."""

import struct
from collections.abc import Mapping, Sequence

import msgspec

from logstream.durations import step_of
from logstream.land.binary_rows import NULL, POSTGRES_EPOCH_MICROS, sized, text_field
from logstream.land.operation_rows import OperationKey, OperationNames
from logstream.land.trace_parts import TracePart
from logstream.model import NANOS_PER_MINUTE, Span

SPANS_COLUMNS = (
    "id, start, observed_timestamp, duration_ns, start_nanos, trace_id, span_id, "
    "parent_span_id, environment, service_name, name, kind, status, status_message, "
    "attributes, events, links"
)

# Field count and id.
_id_head = struct.Struct(">hiq").pack
# start, observed_timestamp, duration_ns (8 bytes each), start_nanos (2 bytes).
_times = struct.Struct(">iqiqiqih").pack
_PARTS_PER_ROW = 11
_LONGEST = 2**63 - 1

# Environment and service_name.
Origin = tuple[str, str]
# Environment, service_name, name and kind.
_Label = tuple[str, str, str, str]


class EncodedSpans(msgspec.Struct):
    """Rows of `spans` without their ids yet, and what they add to traces and operations."""

    row_count: int
    services: frozenset[Origin]
    traces: Sequence[TracePart]
    operations: dict[OperationKey, int]
    _parts: list[bytes]

    def with_ids(self, first_id: int) -> list[bytes]:
        """The rows in the order of SPANS_COLUMNS, in pieces, ids counting up from `first_id`."""
        self._parts[::_PARTS_PER_ROW] = [
            _id_head(17, 8, span_id) for span_id in range(first_id, first_id + self.row_count)
        ]
        return self._parts


def encode(spans: Sequence[Span], names: OperationNames) -> EncodedSpans:
    """Everything of the spans that does not depend on when they are landed.

    A duration that no bigint holds becomes the longest one.
    """
    labels: dict[_Label, tuple[int, bytes]] = {}
    traces: dict[tuple[str, str], tuple[TracePart, bytes]] = {}
    tally: dict[tuple[int, int, bool, int], int] = {}
    parts: list[bytes] = []
    extend = parts.extend
    for place, span in enumerate(spans):
        start, duration, status = span.start_unix_nano, span.duration_nano, span.status
        micros, nanos = divmod(start, 1_000)
        label_key = span.environment, span.service_name, span.name, span.kind
        label = labels.get(label_key)
        if label is None:
            label = labels[label_key] = len(labels), b"".join(map(text_field, label_key))
        trace = traces.get((span.trace_id, span.environment))
        if trace is None:
            part = TracePart(span.trace_id, span.environment, start, place)
            trace = traces[span.trace_id, span.environment] = part, text_field(span.trace_id)
        trace[0].add(span, place)
        counted = start // NANOS_PER_MINUTE, label[0], status == "error", step_of(duration)
        tally[counted] = tally.get(counted, 0) + 1
        parent, message = span.parent_span_id, span.status_message
        extend(
            (
                b"",  # the id
                _times(
                    8,
                    micros - POSTGRES_EPOCH_MICROS,
                    8,
                    span.observed_unix_nano // 1_000 - POSTGRES_EPOCH_MICROS,
                    8,
                    max(-_LONGEST, min(duration, _LONGEST)),
                    2,
                    nanos,
                ),
                trace[1],
                text_field(span.span_id),
                NULL if parent is None else text_field(parent),
                label[1],
                text_field(status),
                NULL if message is None else text_field(message),
                sized(span.attributes),
                sized(span.events),
                sized(span.links),
            )
        )
    return EncodedSpans(
        len(spans),
        frozenset(label[:2] for label in labels),
        [part for part, _ in traces.values()],
        _operations(tally, list(labels), names),
        parts,
    )


def _operations(
    tally: Mapping[tuple[int, int, bool, int], int],
    labels: Sequence[_Label],
    names: OperationNames,
) -> dict[OperationKey, int]:
    counted_as = [
        (environment, service, names.counted_as(service, name), kind)
        for environment, service, name, kind in labels
    ]
    operations: dict[OperationKey, int] = {}
    for (minute, label_number, is_error, step), spans in tally.items():
        key = minute, *counted_as[label_number], is_error, step
        operations[key] = operations.get(key, 0) + spans
    return operations

"""Rows of `spans` for COPY, and what they say of their traces and operations; see `binary_rows`."""

import struct
from collections.abc import Sequence

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
_PARTS_PER_ROW = 13
_LONGEST = 2**63 - 1

# Environment and service_name.
Origin = tuple[str, str]


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
    origins: dict[Origin, bytes] = {}
    traces: dict[tuple[str, str], TracePart] = {}
    operations: dict[OperationKey, int] = {}
    parts: list[bytes] = []
    extend = parts.extend
    for place, span in enumerate(spans):
        start, duration = span.start_unix_nano, span.duration_nano
        micros, nanos = divmod(start, 1_000)
        environment, service = origin = span.environment, span.service_name
        origin_fields = origins.get(origin)
        if origin_fields is None:
            origin_fields = origins[origin] = text_field(environment) + text_field(service)
        trace = traces.get((span.trace_id, environment))
        if trace is None:
            trace = traces[span.trace_id, environment] = TracePart(
                span.trace_id, environment, start, place
            )
        trace.add(span, place)
        operation = (
            start // NANOS_PER_MINUTE,
            environment,
            service,
            names.counted_as(service, span.name),
            span.kind,
            span.status == "error",
            step_of(duration),
        )
        operations[operation] = operations.get(operation, 0) + 1
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
                text_field(span.trace_id),
                text_field(span.span_id),
                NULL if parent is None else text_field(parent),
                origin_fields,
                text_field(span.name),
                text_field(span.kind),
                text_field(span.status),
                NULL if message is None else text_field(message),
                sized(span.attributes),
                sized(span.events),
                sized(span.links),
            )
        )
    return EncodedSpans(len(spans), frozenset(origins), tuple(traces.values()), operations, parts)

"""Rows of `spans` in PostgreSQL's binary COPY format; see `copy_rows`. Ids are the table's own."""

import struct
from collections.abc import Sequence

import msgspec

from logstream.land.copy_rows import NULL, POSTGRES_EPOCH_MICROS, sized, text_field
from logstream.model import Span

SPANS_COLUMNS = (
    "start, observed_timestamp, duration_ns, start_nanos, trace_id, span_id, parent_span_id, "
    "environment, service_name, name, kind, status, status_message, attributes, events, links"
)

# Field count; start, observed_timestamp, duration_ns (8 bytes each), start_nanos (2 bytes).
_head = struct.Struct(">hiqiqiqih").pack
_LONGEST = 2**63 - 1

# Environment and service_name.
Origin = tuple[str, str]


class EncodedSpans(msgspec.Struct, frozen=True):
    """Rows in the order of SPANS_COLUMNS, in pieces, and the services they are of."""

    row_count: int
    services: frozenset[Origin]
    parts: Sequence[bytes]


NO_SPANS = EncodedSpans(0, frozenset(), ())


def encode(spans: Sequence[Span]) -> EncodedSpans:
    """The spans as they are sent; a duration that no bigint holds becomes the longest one."""
    if not spans:
        return NO_SPANS
    origins: dict[Origin, bytes] = {}
    parts: list[bytes] = []
    extend = parts.extend
    for span in spans:
        micros, nanos = divmod(span.start_unix_nano, 1_000)
        origin = span.environment, span.service_name
        origin_fields = origins.get(origin)
        if origin_fields is None:
            origin_fields = origins[origin] = text_field(origin[0]) + text_field(origin[1])
        parent, message = span.parent_span_id, span.status_message
        extend(
            (
                _head(
                    16,
                    8,
                    micros - POSTGRES_EPOCH_MICROS,
                    8,
                    span.observed_unix_nano // 1_000 - POSTGRES_EPOCH_MICROS,
                    8,
                    max(-_LONGEST, min(span.duration_nano, _LONGEST)),
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
    return EncodedSpans(len(spans), frozenset(origins), parts)

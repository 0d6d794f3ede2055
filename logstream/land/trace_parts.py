"""What landed spans say about their traces, to be added to `trace_summaries`.

Enough for a list at once; the worker reviews each trace, which tells copies and roots exactly.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime

import msgspec

from logstream.model import Span, to_datetime

# A trace id that more share is no request.
MAX_SERVICES = 200
_LONGEST = 2**63 - 1


class TracePart:
    """The spans of one batch that belong to one trace; ids are places in the batch."""

    __slots__ = (
        "_ids", "end_nano", "environment", "error_count", "first", "last", "root",
        "services", "span_count", "start_nano", "trace_id",
    )  # fmt: skip

    def __init__(self, trace_id: str, environment: str, start_nano: int, place: int) -> None:
        self.trace_id = trace_id
        self.environment = environment
        self.start_nano = self.end_nano = start_nano
        self.span_count = self.error_count = 0
        self.services: set[str] = set()
        self.first = self.last = place
        # Start, service and name of the earliest span without a parent.
        self.root: tuple[int, str, str] | None = None
        self._ids: list[str] = []

    def add(self, span: Span, place: int) -> None:
        """Count one more span, which comes after the others in the batch."""
        start = span.start_unix_nano
        end = start + span.duration_nano
        if start < self.start_nano:
            self.start_nano = start
        elif start > self.end_nano:
            # Of a span that ends before it starts.
            self.end_nano = start
        if end > self.end_nano:
            self.end_nano = end
        if span.parent_span_id is None and (self.root is None or start < self.root[0]):
            self.root = start, span.service_name, span.name
        self.span_count += 1
        if span.status == "error":
            self.error_count += 1
        self.services.add(span.service_name)
        self.last = place
        self._ids.append(f"{span.span_id} {span.kind}")

    def spans_hash(self) -> int:
        """The same for the same spans in any order; it fits a bigint."""
        text = "\n".join(sorted(self._ids)).encode()
        return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), signed=True)


class LandedTrace(msgspec.Struct):
    """One row for `trace_summaries`, its fields named as the columns."""

    environment: str
    trace_id: str
    start: datetime
    duration_ns: int
    root_service: str | None
    root_name: str | None
    span_count: int
    error_count: int
    services: list[str]
    first_span: int
    last_span: int
    spans_hash: int


def landed_traces(parts: Iterable[tuple[TracePart, int]]) -> list[LandedTrace]:
    """One for each trace, of parts and the id that place 0 of their batch got; by trace id.

    A part that repeats the one before it, as a batch sent again does, adds no span.
    """
    by_trace: dict[tuple[str, str], list[tuple[TracePart, int]]] = {}
    for part, first_id in parts:
        by_trace.setdefault((part.trace_id, part.environment), []).append((part, first_id))
    return [_joined(by_trace[key]) for key in sorted(by_trace)]


def _joined(parts: list[tuple[TracePart, int]]) -> LandedTrace:
    start = min(part.start_nano for part, _ in parts)
    end = max(part.end_nano for part, _ in parts)
    roots = [part.root for part, _ in parts if part.root is not None]
    _, root_service, root_name = min(roots) if roots else (0, None, None)
    span_count = error_count = spans_hash = 0
    for place, (part, _) in enumerate(parts):
        before, spans_hash = spans_hash, part.spans_hash()
        if not place or spans_hash != before:
            span_count += part.span_count
            error_count += part.error_count
    return LandedTrace(
        environment=parts[0][0].environment,
        trace_id=parts[0][0].trace_id,
        start=to_datetime(start),
        duration_ns=min(end - start, _LONGEST),
        root_service=root_service,
        root_name=root_name,
        span_count=span_count,
        error_count=error_count,
        services=sorted({service for part, _ in parts for service in part.services})[:MAX_SERVICES],
        first_span=min(first_id + part.first for part, first_id in parts),
        last_span=max(first_id + part.last for part, first_id in parts),
        spans_hash=spans_hash,
    )

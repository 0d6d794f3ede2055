"""Going through traces in an order and asking the spans of each, within a time.

What only spans know has no index of its own, but where a trace's spans lie is known: under its
id, between two ids and two moments. So the summaries are read in the order wanted, and their
spans some traces at a time.
"""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import sqlalchemy as sa

from logstream.query.conditions import Condition
from logstream.query.trace_conditions import Answers, TraceConditions
from logstream.tables import spans, trace_summaries

_MAX_TRACES = 5_000
# Of one statement: doubled each time, for a page is often full soon.
_FIRST_SPANS, _MAX_SPANS = 2_000, 50_000
# Spans that lie among so many others, or fewer, are read together with those.
_MOST_OTHERS = 10
_UNSHOWN = ("calls", "spans_hash", "touched_at", "needs_review")
_SHOWN = tuple(column for column in trace_summaries.c if column.name not in _UNSHOWN)


class Budget:
    """How long a walk may take, and the row that it ended at when that was too short."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self.reached: sa.Row[Any] | None = None

    @property
    def is_spent(self) -> bool:
        """True when the time is over."""
        return time.monotonic() >= self._until


def walk(
    connection: sa.Connection,
    conditions: TraceConditions,
    order: Sequence[sa.ColumnElement[Any]],
    budget: Budget,
) -> Iterator[sa.Row[Any]]:
    """The summaries meant, in an order; ends early when the time is over."""
    candidates = connection.execute(
        sa.select(*_SHOWN, *(one.label(f"is_{n}") for n, one in enumerate(conditions.of_trace)))
        .where(*conditions.of_summary)
        .order_by(*order)
        .execution_options(stream_results=True, max_row_buffer=_MAX_TRACES)
    )
    try:
        most_spans = _FIRST_SPANS
        while some := list(_some(candidates, most_spans)):
            within = _within(some)
            found = [_having(connection, [*within, one]) for one in conditions.of_span]
            for row in some:
                key = (row.trace_id, row.environment)
                answers = Answers(row[len(_SHOWN) :], [key in having for having in found])
                if conditions.are_meant(answers):
                    yield row
            if budget.is_spent:
                budget.reached = some[-1] if candidates.fetchone() is not None else None
                return
            most_spans = min(2 * most_spans, _MAX_SPANS)
    finally:
        candidates.close()


def _some(candidates: sa.CursorResult[Any], most_spans: int) -> Iterator[sa.Row[Any]]:
    spans_seen = 0
    for row in islice(candidates, _MAX_TRACES):
        yield row
        spans_seen += row.span_count
        if spans_seen >= most_spans:
            return


def _having(connection: sa.Connection, conditions: list[Condition]) -> set[tuple[str, str]]:
    """Trace id and environment of the spans that are so."""
    statement = sa.select(spans.c.trace_id, spans.c.environment).where(*conditions).distinct()
    return {(row.trace_id, row.environment) for row in connection.execute(statement)}


def _within(some: Sequence[sa.Row[Any]]) -> list[Condition]:
    """Where the spans of these traces lie: in a stretch of ids and time, or else by trace id."""
    with_spans = [row for row in some if row.first_span is not None]
    if not with_spans:
        return [sa.false()]
    first = min(row.first_span for row in with_spans)
    last = max(row.last_span for row in with_spans)
    by_id = spans.c.id.between(first, last)
    if last - first >= _MOST_OTHERS * sum(row.span_count for row in with_spans):
        # Not both: each row found by its time would be compared with every trace id.
        trace_ids = sa.literal([row.trace_id for row in with_spans], sa.ARRAY(sa.Text))
        return [by_id, spans.c.trace_id == sa.func.any(trace_ids)]
    earliest = min(row.start for row in with_spans)
    return [by_id, spans.c.start.between(earliest, max(map(_latest, with_spans)))]


def _latest(row: sa.Row[Any]) -> datetime:
    """No span of the trace starts later."""
    start: datetime = row.start
    try:
        return start + timedelta(microseconds=row.duration_ns // 1_000 + 1)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)

"""Going through traces in an order and asking the spans of each, within a time.

What only spans know has no index of its own, but where a trace's spans lie is known: under its
id, between two ids and two moments. So the summaries are read in the order wanted, and their
spans some traces at a time.
"""

import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import islice
from typing import Any

import sqlalchemy as sa

from logstream.query.conditions import Condition
from logstream.query.trace_conditions import TraceConditions
from logstream.tables import trace_summaries

_MAX_TRACES = 5_000
# Of one statement: doubled each time, for a page is often full soon.
_FIRST_SPANS, _MAX_SPANS = 2_000, 50_000
_columns = trace_summaries.c
_PLACES = (
    *(_columns.environment, _columns.trace_id, _columns.start, _columns.duration_ns),
    *(_columns.span_count, _columns.error_count, _columns.error_line_count),
    *(_columns.first_span, _columns.last_span),
)


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
        sa.select(*_PLACES)
        .where(*conditions.of_summary)
        .order_by(*order)
        .execution_options(stream_results=True, max_row_buffer=_MAX_TRACES)
    )
    try:
        most_spans = _FIRST_SPANS
        while some := list(_some(candidates, most_spans)):
            meant = _meant(connection, some, conditions.of_spans)
            for row in some:
                if (row.trace_id, row.environment) in meant:
                    yield meant[row.trace_id, row.environment]
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


def _meant(
    connection: sa.Connection, some: Sequence[sa.Row[Any]], of_spans: Sequence[Condition]
) -> dict[tuple[str, str], sa.Row[Any]]:
    """Those whose spans are so, by trace id and environment."""
    trace_ids = sa.bindparam("trace_ids", type_=sa.ARRAY(sa.Text))
    statement = sa.select(trace_summaries).where(
        _columns.trace_id == sa.func.any(trace_ids), *of_spans
    )
    with_spans = [row for row in some if row.span_count]
    bounds = {
        "trace_ids": [row.trace_id for row in some],
        "first_span": min((row.first_span for row in with_spans), default=0),
        "last_span": max((row.last_span for row in with_spans), default=-1),
        "first_start": min(row.start for row in some),
        "last_start": max(map(_latest, some)),
    }
    rows = connection.execute(statement, bounds)
    return {(row.trace_id, row.environment): row for row in rows}


def _latest(row: sa.Row[Any]) -> Any:
    """No span of the trace starts later."""
    try:
        return row.start + timedelta(microseconds=row.duration_ns // 1_000 + 1)
    except OverflowError:
        return row.start.replace(year=9999)

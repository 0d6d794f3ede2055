"""Going through traces in an order and asking the spans of each, within a time.

What only spans know has no index of its own, but a trace's spans are found by its id. So the
summaries are read in the order wanted, and their spans some traces at a time.
"""

import time
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import sqlalchemy as sa

from logstream.query.conditions import Condition
from logstream.tables import trace_summaries

_MAX_TRACES = 1_000
# Of one statement: doubled each time, for a page is often full soon.
_FIRST_SPANS, _MAX_SPANS = 1_000, 20_000


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
    summaries: sa.Select[Any],
    of_spans: Sequence[Condition],
    budget: Budget,
) -> Iterator[sa.Row[Any]]:
    """The summaries, in their order, whose spans are so; ends early when the time is over."""
    rows = connection.execute(
        summaries.execution_options(stream_results=True, max_row_buffer=_MAX_TRACES)
    )
    try:
        most_spans = _FIRST_SPANS
        while some := list(_some(rows, most_spans)):
            meant = _meant(connection, some, of_spans)
            yield from (row for row in some if (row.trace_id, row.environment) in meant)
            if budget.is_spent:
                budget.reached = some[-1] if rows.fetchone() is not None else None
                return
            most_spans = min(2 * most_spans, _MAX_SPANS)
    finally:
        rows.close()


def _some(rows: sa.CursorResult[Any], most_spans: int) -> Iterator[sa.Row[Any]]:
    spans_seen = 0
    for row in islice(rows, _MAX_TRACES):
        yield row
        spans_seen += row.span_count
        if spans_seen >= most_spans:
            return


def _meant(
    connection: sa.Connection, some: Sequence[sa.Row[Any]], of_spans: Sequence[Condition]
) -> set[tuple[str, str]]:
    """Trace id and environment of those whose spans are so."""
    columns = trace_summaries.c
    statement = sa.select(columns.trace_id, columns.environment).where(
        columns.trace_id == sa.func.any(sa.cast([row.trace_id for row in some], sa.ARRAY(sa.Text))),
        *of_spans,
    )
    return {(row.trace_id, row.environment) for row in connection.execute(statement)}

"""Going through traces in an order and asking the spans of each, within a time.

What only spans know has no index of its own, but where a trace's spans lie is known: under its
id, between two ids and two moments. So the summaries are read in the order wanted, and their
spans some traces at a time. When hardly one of them is meant, all spans of the time are asked
once whether they are so.
"""

import time
from collections.abc import Generator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import sqlalchemy as sa

from logstream.query.conditions import Condition
from logstream.query.rare_traces import Key, rare_traces
from logstream.query.trace_conditions import Answers, TraceConditions
from logstream.tables import spans, trace_summaries

_MAX_TRACES = 5_000
# Of one statement: doubled each time, for a page is often full soon.
_FIRST_SPANS, _MAX_SPANS = 2_000, 50_000
# Spans that lie among so many others, or fewer, are read together with those.
_MOST_OTHERS = 10
# When of so many traces fewer than one in so many is meant, the others are not walked through.
_RARE_AFTER, _RARE = 1_000, 100
_UNSHOWN = ("calls", "spans_hash", "touched_at", "needs_review")
_SHOWN = tuple(column for column in trace_summaries.c if column.name not in _UNSHOWN)


class Budget:
    """How long a walk may take, and the row that it ended at when that was too short."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self.reached: sa.Row[Any] | None = None

    @property
    def left_seconds(self) -> float:
        """What is left of the time; zero or less when it is over."""
        return self._until - time.monotonic()


def walk(
    connection: sa.Connection,
    conditions: TraceConditions,
    order: Sequence[sa.ColumnElement[Any]],
    budget: Budget,
) -> Iterator[sa.Row[Any]]:
    """The summaries meant, in an order; ends early when the time is over."""
    walked: set[Key] = set()
    found, may_be_rare = 0, conditions.required is not None
    portions = _portions(connection, conditions, order)
    while some := next(portions, None):
        new = [row for row in some if _key(row) not in walked]
        for row in _meant(connection, conditions, new):
            found += 1
            yield row
        if budget.left_seconds <= 0:
            budget.reached = some[-1] if next(portions, None) else None
            break
        if may_be_rare:
            walked.update(map(_key, some))
            if len(walked) >= _RARE_AFTER and found * _RARE < len(walked):
                may_be_rare = False
                rare = rare_traces(connection, conditions, budget.left_seconds / 2)
                if rare is not None:
                    portions.close()
                    only = trace_summaries.c.trace_id.in_({trace_id for trace_id, _ in rare})
                    portions = _portions(connection, conditions, order, only)
    portions.close()


def _portions(
    connection: sa.Connection,
    conditions: TraceConditions,
    order: Sequence[sa.ColumnElement[Any]],
    *more: Condition,
) -> Generator[list[sa.Row[Any]]]:
    """The summaries that may be meant, some at a time, with what they answer to `of_trace`."""
    rows = connection.execute(
        sa.select(*_SHOWN, *(one.label(f"is_{n}") for n, one in enumerate(conditions.of_trace)))
        .where(*conditions.of_summary, *more)
        .order_by(*order)
        .execution_options(stream_results=True, max_row_buffer=_MAX_TRACES)
    )
    try:
        most_spans = _FIRST_SPANS
        while some := list(_some(rows, most_spans)):
            yield some
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
    connection: sa.Connection, conditions: TraceConditions, some: Sequence[sa.Row[Any]]
) -> Iterator[sa.Row[Any]]:
    within = _within(some)
    found = [_having(connection, [*within, one]) for one in conditions.of_span]
    for row in some:
        answers = Answers(row[len(_SHOWN) :], [_key(row) in having for having in found])
        if conditions.are_meant(answers):
            yield row


def _having(connection: sa.Connection, conditions: list[Condition]) -> set[Key]:
    """The traces of the spans that are so."""
    statement = sa.select(spans.c.trace_id, spans.c.environment).where(*conditions).distinct()
    return {_key(row) for row in connection.execute(statement)}


def _key(row: sa.Row[Any, Any] | sa.Row[Any]) -> Key:
    return row.trace_id, row.environment


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

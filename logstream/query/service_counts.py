"""What the counts say of every service in a time: calls, errors, durations, lines.

Spans are told apart by what they are to a service: its calls are its server and consumer spans,
if it has any, otherwise all its spans; if it sends none, its log lines.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from logstream.filter import LogFilter
from logstream.model import NANOS_PER_SECOND, Severity, to_datetime
from logstream.query.conditions import Condition, choice_conditions
from logstream.query.whole_time import WholeTime, counted_rows
from logstream.tables import (
    log_counts,
    log_counts_hourly,
    operation_counts,
    operation_counts_hourly,
)

# Kinds of spans that answer somebody else.
ENTRY_KINDS = ("server", "consumer")
# As operation_counts has lines that carry a duration.
LINE_KIND = "line"

_IN_MEMORY = sa.text("SELECT set_config('work_mem', '64MB', true)")

# What a count is of; a service is told by the first that it has any of.
Told = Literal["entries", "spans", "lines"]
_NUMBERS: tuple[Told, ...] = ("entries", "spans", "lines")


@dataclass
class Tally:
    """Counts of one kind: errors, durations by step, and both by piece of time."""

    calls: int = 0
    errors: int = 0
    steps: Counter[int] = field(default_factory=Counter)
    pieces: Counter[int] = field(default_factory=Counter)
    error_pieces: Counter[int] = field(default_factory=Counter)


@dataclass
class ServiceCounts:
    """One service in one time. Of `durations` of lines only the steps are known."""

    entries: Tally = field(default_factory=Tally)
    # Every other span.
    others: Tally = field(default_factory=Tally)
    # Lines that carry a duration.
    timed_lines: Tally = field(default_factory=Tally)
    lines: Tally = field(default_factory=Tally)

    @property
    def told_by(self) -> Told:
        """What its calls are."""
        if self.entries.calls:
            return "entries"
        return "spans" if self.others.calls else "lines"

    def calls(self, told_by: Told) -> Tally:
        """Its calls, when they are told by that."""
        match told_by:
            case "entries":
                return self.entries
            case "spans":
                return self.others
        lines = self.lines
        return Tally(
            lines.calls,
            lines.errors,
            self.timed_lines.steps,
            lines.pieces,
            lines.error_pieces,
        )

    @property
    def is_anything(self) -> bool:
        """False when everything it sent was removed again."""
        return bool(self.entries.calls or self.others.calls or self.lines.calls)


Counted = defaultdict[str, ServiceCounts]


def count_services(
    connection: sa.Connection,
    log_filter: LogFilter,
    time: WholeTime,
    before: WholeTime | None = None,
    *,
    begins: Sequence[int] = (),
    by_minute: bool = False,
) -> tuple[Counted, Counted]:
    """Every service in a time, and in the one before it; with `begins` (Unix seconds) by piece.

    A piece is named by its place among `begins`, from 1 on. `by_minute` where pieces are
    shorter than an hour, or do not begin with one.
    """
    now: Counted = defaultdict(ServiceCounts)
    then: Counted = defaultdict(ServiceCounts)

    def conditions(table: sa.Table) -> list[Condition]:
        return [
            *choice_conditions(table.c.environment, log_filter.environment),
            *choice_conditions(table.c.service_name, log_filter.service),
        ]

    def rows(minutes: sa.Table, hours: sa.Table, names: tuple[str, ...]) -> sa.Subquery:
        parts = [
            part.add_columns(sa.false().label("is_before"))
            for part in counted_rows(minutes, hours, names, conditions, time, by_minute=by_minute)
        ]
        if before is not None:
            parts += [
                part.add_columns(sa.true().label("is_before"))
                for part in counted_rows(minutes, hours, names, conditions, before)
            ]
        return sa.union_all(*parts).subquery()

    spans = rows(
        operation_counts,
        operation_counts_hourly,
        ("service_name", "kind", "is_error", "duration_step"),
    )
    kind = spans.c.kind
    group = sa.case((kind.in_(ENTRY_KINDS), 0), (kind == LINE_KIND, 2), else_=1)
    for row in _sums(connection, spans, group, spans.c.is_error, spans.c.duration_step, begins):
        counts = (then if row.is_before else now)[row.service_name]
        _add((counts.entries, counts.others, counts.timed_lines)[row.what], row)
    lines = rows(log_counts, log_counts_hourly, ("service_name", "severity_number"))
    is_error = lines.c.severity_number >= int(Severity.ERROR)
    no_step = sa.literal(0)
    for row in _sums(connection, lines, sa.literal(0), is_error, no_step, begins):
        _add((then if row.is_before else now)[row.service_name].lines, row)
    return now, then


def _sums(
    connection: sa.Connection,
    rows: sa.Subquery,
    what: sa.ColumnElement[int],
    is_error: sa.ColumnElement[bool],
    step: sa.ColumnElement[int],
    begins: Sequence[int],
) -> Sequence[sa.Row[Any]]:
    """Totals of each service by duration step, and once more by piece of time.

    Each row holds `places`, which are steps or with `is_by_piece` pieces, and their `totals`.
    """
    # Sorting half a million rows takes far longer than counting them in memory.
    connection.execute(_IN_MEMORY)
    moments = sa.literal(
        [to_datetime(begin * NANOS_PER_SECOND) for begin in begins],
        ARRAY(sa.DateTime(timezone=True)),
    )
    piece: sa.ColumnElement[Any] = sa.case(
        (rows.c.is_before, 0),
        else_=sa.func.width_bucket(rows.c.bucket, moments, type_=sa.Integer),
    )
    labelled = sa.select(
        rows.c.is_before,
        rows.c.service_name,
        what.label("what"),
        is_error.label("is_error"),
        step.label("duration_step"),
        (piece if begins else sa.literal(0)).label("piece"),
        rows.c["count"].label("n"),
    ).subquery()
    columns = labelled.c
    key = (columns.is_before, columns.service_name, columns.what, columns.is_error)
    sets = [sa.tuple_(*key, columns.duration_step)]
    if begins:
        sets.append(sa.tuple_(*key, columns.piece))
    by_place = (
        sa.select(
            *key,
            sa.func.grouping(columns.duration_step).label("is_by_piece"),
            sa.func.coalesce(columns.duration_step, columns.piece).label("place")
            if begins
            else columns.duration_step.label("place"),
            sa.cast(sa.func.sum(columns.n), sa.BigInteger).label("total"),
        )
        .group_by(sa.func.grouping_sets(*sets))
        .subquery()
    )
    names = [by_place.c[name] for name in (*(one.name for one in key), "is_by_piece")]
    statement: sa.Select[Any] = sa.select(
        *names,
        sa.func.array_agg(by_place.c.place).label("places"),
        sa.func.array_agg(by_place.c.total).label("totals"),
    ).group_by(*names)
    return connection.execute(statement).all()


def _add(tally: Tally, row: sa.Row[Any]) -> None:
    counts = dict(zip(row.places, row.totals, strict=True))
    if row.is_by_piece:
        tally.pieces.update(counts)
        if row.is_error:
            tally.error_pieces.update(counts)
        return
    total = sum(row.totals)
    tally.calls += total
    tally.steps.update(counts)
    if row.is_error:
        tally.errors += total

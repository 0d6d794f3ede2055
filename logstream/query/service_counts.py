"""What the counts say of every service in a time: calls, errors, durations, lines.

Spans are told apart by what they are to a service: its calls are its server and consumer spans,
if it has any, otherwise all its spans; if it sends none, its log lines.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
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

# Sorting half a million rows takes far longer than counting them in memory.
_IN_MEMORY = sa.text("SELECT set_config('work_mem', '64MB', true)")

_KEY = ("is_before", "is_by_piece", "service_name", "what", "is_error")

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

    def parts(minutes: sa.Table, hours: sa.Table, names: tuple[str, ...]) -> list[_Part]:
        found = [
            (part.subquery(), False)
            for part in counted_rows(minutes, hours, names, conditions, time, by_minute=by_minute)
        ]
        if before is not None:
            found += [
                (part.subquery(), True)
                for part in counted_rows(minutes, hours, names, conditions, before)
            ]
        return found

    def of_spans(rows: sa.Subquery) -> _Labels:
        kind = rows.c.kind
        what = sa.case((kind.in_(ENTRY_KINDS), 0), (kind == LINE_KIND, 2), else_=1)
        return _Labels([kind], what, rows.c.is_error, rows.c.duration_step)

    def of_lines(rows: sa.Subquery) -> _Labels:
        is_error = rows.c.severity_number >= int(Severity.ERROR)
        return _Labels([], sa.literal_column("0"), is_error, None)

    spans = parts(
        operation_counts,
        operation_counts_hourly,
        ("service_name", "kind", "is_error", "duration_step"),
    )
    for row in _sums(connection, spans, of_spans, begins):
        counts = (then if row.is_before else now)[row.service_name]
        _add((counts.entries, counts.others, counts.timed_lines)[row.what], row)
    lines = parts(log_counts, log_counts_hourly, ("service_name", "severity_number"))
    for row in _sums(connection, lines, of_lines, begins):
        _add((then if row.is_before else now)[row.service_name].lines, row)
    return now, then


# Rows of counts, and whether they are of the time before.
_Part = tuple[sa.Subquery, bool]


@dataclass
class _Labels:
    """How rows of counts are told apart: `what` depends on `names` alone."""

    names: Sequence[sa.ColumnElement[Any]]
    what: sa.ColumnElement[int]
    is_error: sa.ColumnElement[bool]
    step: sa.ColumnElement[int] | None


def _sums(
    connection: sa.Connection,
    parts: Sequence[_Part],
    labels_of: Callable[[sa.Subquery], _Labels],
    begins: Sequence[int],
) -> Sequence[sa.Row[Any]]:
    """Totals of each service by duration step, and once more by piece of the time.

    Each row holds `places`, which are steps or with `is_by_piece` pieces, and their `totals`.
    Each part is summed by itself first, which is where the rows are many.
    """
    connection.execute(_IN_MEMORY)
    moments = sa.literal(
        [to_datetime(begin * NANOS_PER_SECOND) for begin in begins],
        ARRAY(sa.DateTime(timezone=True)),
    )
    summed: list[sa.Select[Any]] = []
    for rows, is_before in parts:
        labels = labels_of(rows)
        for is_by_piece in (False, True):
            if is_by_piece and (is_before or not begins):
                continue
            by: list[sa.ColumnElement[Any]] = []
            place: sa.ColumnElement[int] = sa.literal_column("0")
            if is_by_piece:
                by = [rows.c.bucket]
                place = sa.func.width_bucket(rows.c.bucket, moments, type_=sa.Integer)
            elif labels.step is not None:
                by = [labels.step]
                place = sa.cast(labels.step, sa.Integer)
            summed.append(
                sa.select(
                    sa.literal(is_before).label("is_before"),
                    sa.literal(is_by_piece).label("is_by_piece"),
                    rows.c.service_name,
                    labels.what.label("what"),
                    labels.is_error.label("is_error"),
                    place.label("place"),
                    sa.func.sum(rows.c["count"]).label("n"),
                ).group_by(rows.c.service_name, *labels.names, labels.is_error, *by)
            )
    columns = sa.union_all(*summed).subquery().c
    key = [columns[name] for name in _KEY]
    by_place = (
        sa.select(*key, columns.place, sa.cast(sa.func.sum(columns.n), sa.BigInteger).label("n"))
        .group_by(*key, columns.place)
        .subquery()
        .c
    )
    names = [by_place[name] for name in _KEY]
    statement: sa.Select[Any] = sa.select(
        *names,
        sa.func.array_agg(by_place.place).label("places"),
        sa.func.array_agg(by_place.n).label("totals"),
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

"""Sums over the counts of spans and lines, service by service.

There are many rows: some for each operation and kind of span, each duration and each minute or
hour. Each part of a time is summed by itself, which goes through its rows once, and what comes
back is a row for each service and kind with all its steps or pieces.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True)
class Source:
    """Two tables of counts, what they distinguish, and which of it is an error."""

    minutes: sa.Table
    hours: sa.Table
    names: Sequence[str]
    is_error: Callable[[sa.Subquery], sa.ColumnElement[bool]]


SPANS = Source(
    operation_counts,
    operation_counts_hourly,
    ("service_name", "kind", "is_error", "duration_step"),
    lambda rows: rows.c.is_error,
)
LINES = Source(
    log_counts,
    log_counts_hourly,
    ("service_name", "severity_number"),
    lambda rows: rows.c.severity_number >= int(Severity.ERROR),
)

# What to tell counts apart by, None for nothing, and the number that it is called.
_Place = tuple[sa.ColumnElement[Any] | None, sa.ColumnElement[int]]
By = Callable[[sa.Subquery], _Place]


def by_step(rows: sa.Subquery) -> _Place:
    """By duration."""
    return rows.c.duration_step, sa.cast(rows.c.duration_step, sa.Integer)


def by_nothing(rows: sa.Subquery) -> _Place:
    """All together."""
    return None, sa.literal_column("0")


def by_piece(begins: Sequence[int]) -> By:
    """By the piece of time: 1 for what is at or after the first of `begins`, and so on."""
    moments = sa.literal(
        [to_datetime(begin * NANOS_PER_SECOND) for begin in begins],
        ARRAY(sa.DateTime(timezone=True)),
    )
    return lambda rows: (
        rows.c.bucket,
        sa.func.width_bucket(rows.c.bucket, moments, type_=sa.Integer),
    )


class ServiceSums:
    """Sums of what a filter chooses by environment and service."""

    def __init__(self, connection: sa.Connection, log_filter: LogFilter) -> None:
        connection.execute(_IN_MEMORY)
        self._connection = connection
        self._filter = log_filter

    def of(
        self,
        source: Source,
        time: WholeTime,
        by: By,
        *,
        services: Iterable[str] | None = None,
        is_entry: bool | None = None,
        by_minute: bool = False,
    ) -> Sequence[sa.Row[Any]]:
        """(service_name, kind, is_error, places, totals); `kind` is '' of lines.

        Only of `services`; of spans only the entries, or only all the others.
        """
        if services is not None:
            services = list(services)
            if not services:
                return []

        def conditions(table: sa.Table) -> list[Condition]:
            name = table.c.service_name
            found = [
                *choice_conditions(table.c.environment, self._filter.environment),
                *choice_conditions(name, self._filter.service),
            ]
            if services is not None:
                found.append(_is_any(name, services))
            if is_entry is not None:
                answers = table.c.kind.in_(ENTRY_KINDS)
                found.append(answers if is_entry else sa.not_(answers))
            return found

        parts = [
            _summed(part.subquery(), source, by)
            for part in counted_rows(
                source.minutes, source.hours, source.names, conditions, time, by_minute=by_minute
            )
        ]
        return self._connection.execute(_gathered(sa.union_all(*parts).subquery())).all()


_KEY = ("service_name", "kind", "is_error")


def _summed(rows: sa.Subquery, source: Source, by: By) -> sa.Select[Any]:
    apart, place = by(rows)
    has_kind = "kind" in source.names
    is_error = source.is_error(rows)
    group = [rows.c.service_name, is_error]
    group += [rows.c.kind] if has_kind else []
    group += [] if apart is None else [apart]
    return sa.select(
        rows.c.service_name,
        (rows.c.kind if has_kind else sa.literal_column("''")).label("kind"),
        is_error.label("is_error"),
        place.label("place"),
        sa.func.sum(rows.c["count"]).label("n"),
    ).group_by(*group)


def _gathered(summed: sa.Subquery) -> sa.Select[Any]:
    """One row for all places of a service and kind: rows are what takes long to read."""
    key = [summed.c[name] for name in (*_KEY, "place")]
    total = sa.cast(sa.func.sum(summed.c.n), sa.BigInteger).label("n")
    by_place = sa.select(*key, total).group_by(*key).subquery().c
    names = [by_place[name] for name in _KEY]
    return sa.select(
        *names,
        sa.func.array_agg(by_place.place).label("places"),
        sa.func.array_agg(by_place.n).label("totals"),
    ).group_by(*names)


def _is_any(column: sa.ColumnElement[str], names: Iterable[str]) -> Condition:
    return column == sa.func.any(sa.literal(list(names), sa.ARRAY(sa.Text)))

"""Reading lines in their order: (timestamp, nanoseconds, id), newest or oldest first."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql import visitors

from logstream.model import LogLine, to_datetime, to_unix_nano
from logstream.query.catalogue import Segment, id_condition
from logstream.query.conditions import Condition, time_conditions
from logstream.tables import STREAM, logs

Key = tuple[int, int]


@dataclass(frozen=True)
class Order:
    """Newest first (or oldest first), beyond a line's key (timestamp_unix_nano, id)."""

    beyond: Key | None = None
    is_newest_first: bool = True

    def conditions(self) -> list[Condition]:
        """Only lines that come after `beyond` in this order."""
        if self.beyond is None:
            return []
        micros, nanos = divmod(self.beyond[0], 1_000)
        moment = sa.literal(to_datetime(micros * 1_000), sa.DateTime(timezone=True))
        key = sa.tuple_(logs.c.timestamp, logs.c.timestamp_nanos, logs.c.id)
        bound = sa.tuple_(
            moment,
            sa.literal(nanos, sa.SmallInteger),
            sa.literal(self.beyond[1], sa.BigInteger),
        )
        return [key < bound if self.is_newest_first else key > bound]

    def columns(self, table: Any) -> list[sa.ColumnElement[Any]]:
        """For ORDER BY."""
        columns = [table.c.timestamp, table.c.timestamp_nanos, table.c.id]
        return [column.desc() for column in columns] if self.is_newest_first else columns

    def sorted(self, lines: Iterable[Any]) -> list[Any]:
        """Lines of several statements in this order."""
        return sorted(lines, key=key_of, reverse=self.is_newest_first)


class Reading:
    """What is read of each line: all of it, as a LogLine.

    Another reading gives other values, which have a `timestamp_unix_nano` and an `id` too.
    """

    columns: tuple[sa.ColumnElement[Any], ...] = tuple(logs.c)
    # True when no more lines are wanted, however many were asked for.
    is_full = False

    def read(self, connection: sa.Connection, statement: sa.Select[Any], order: Order) -> list[Any]:
        """One value for each row of the statement, which gives `columns` in this order."""
        return [to_line(row) for row in connection.execute(statement)]


WHOLE_LINES = Reading()


def key_of(line: Any) -> Key:
    """What lines are ordered by."""
    return line.timestamp_unix_nano, line.id


def read_lines(
    connection: sa.Connection,
    conditions: list[Condition],
    segments: list[Segment],
    order: Order,
    *,
    start: int | None,
    end: int | None,
    limit: int,
    streams: frozenset[int] | None = None,
    reading: Reading = WHOLE_LINES,
) -> list[Any]:
    """The first `limit` lines of start <= time < end in the segments that meet the conditions.

    With `streams`, of which every line must be, sealed segments are read by their stream
    index: the first lines of each. Everything else is read by time.
    """
    meant = [*conditions, *order.conditions(), *time_conditions(logs.c.timestamp, start, end)]

    def first_of(where: list[Condition]) -> sa.Select[Any]:
        statement = sa.select(*reading.columns).where(*where, *meant)
        return statement.order_by(*order.columns(logs)).limit(limit)

    sealed = [segment for segment in segments if segment.is_sealed]
    if streams is None or not sealed:
        arms = [first_of([id_condition(segments)])] if segments else []
    else:
        names = sa.func.unnest(sa.literal(sorted(streams), ARRAY(sa.BigInteger)))
        named = names.table_valued(sa.column("stream", sa.BigInteger)).render_derived("named")
        is_of_stream = sa.literal_column(STREAM, sa.BigInteger) == named.c.stream
        of_stream = first_of([is_of_stream, id_condition(sealed)]).correlate(named).lateral()
        arms = [sa.select(of_stream).select_from(named.join(of_stream, sa.true()))]
        unsealed = [segment for segment in segments if not segment.is_sealed]
        if unsealed:
            arms.append(first_of([id_condition(unsealed)]))
    if not arms:
        return []
    if len(arms) == 1 and streams is None:
        return reading.read(connection, arms[0], order)
    return _merged(connection, arms, order, limit, reading)


def read_few_lines(
    connection: sa.Connection,
    conditions: list[Condition],
    segments: list[Segment],
    order: Order,
    *,
    start: int | None,
    end: int | None,
    limit: int,
    reading: Reading = WHOLE_LINES,
) -> list[Any]:
    """`read_lines` where few lines meet the conditions: all are read, then ordered.

    Walking an index in their order until there are enough would pass by all the others.
    """
    if not segments:
        return []
    meant = [*conditions, *order.conditions(), *time_conditions(logs.c.timestamp, start, end)]
    few = sa.select(*reading.columns).where(id_condition(segments), *meant).offset(0).subquery()
    statement = sa.select(few).order_by(*order.columns(few)).limit(limit)
    return reading.read(connection, statement, order)


def read_lines_of_trace(
    connection: sa.Connection,
    conditions: list[Condition],
    segments: list[Segment],
    order: Order,
    *,
    start: int | None,
    end: int | None,
    limit: int,
    reading: Reading = WHOLE_LINES,
) -> list[Any]:
    """The first `limit` lines that meet the conditions, one of which names a trace.

    Unsealed segments are asked under their own names: beside a range of ids the planner
    prefers to read all of it to using the bloom filter of trace ids.
    """
    meant = [*conditions, *order.conditions(), *time_conditions(logs.c.timestamp, start, end)]
    all_meant = (
        sa.select(*reading.columns).where(*meant).order_by(*order.columns(logs)).limit(limit)
    )
    by_name = [one for one in segments if one.name and not one.is_sealed]
    by_id = [one for one in segments if not one.name or one.is_sealed]
    arms = [_of_leaf(all_meant, one.name) for one in by_name]
    if by_id:
        arms.append(all_meant.where(id_condition(by_id)))
    return _merged(connection, arms, order, limit, reading)


def _merged(
    connection: sa.Connection,
    arms: list[sa.Select[Any]],
    order: Order,
    limit: int,
    reading: Reading,
) -> list[Any]:
    both = sa.union_all(*(sa.select(arm.subquery()) for arm in arms)).subquery()
    statement = sa.select(both).order_by(*order.columns(both)).limit(limit)
    return reading.read(connection, statement, order)


def _of_leaf(statement: sa.Select[Any], name: str) -> sa.Select[Any]:
    """The same question asked of one partition."""
    leaf = sa.table(name, *(sa.column(column.name, column.type) for column in logs.c))

    def replaced(element: Any, **_: Any) -> Any:
        if element is logs:
            return leaf
        is_column = isinstance(element, sa.Column) and element.table is logs
        return leaf.c[element.name] if is_column else None

    question: Any = visitors.replacement_traverse(statement, {}, replaced)
    return cast("sa.Select[Any]", question)


def to_line(row: sa.Row[Any]) -> LogLine:
    """A row of `logs` as a value."""
    return LogLine(
        id=row.id,
        timestamp_unix_nano=to_unix_nano(row.timestamp) + row.timestamp_nanos,
        observed_unix_nano=to_unix_nano(row.observed_timestamp),
        environment=row.environment,
        service_name=row.service_name,
        severity_number=row.severity_number,
        body=row.body,
        severity_text=row.severity_text,
        trace_id=row.trace_id,
        span_id=row.span_id,
        duration_ms=row.duration_ms,
        attributes=row.attributes,
        skeleton_id=row.skeleton_id,
    )

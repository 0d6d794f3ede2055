"""Lines in the order in which they were received: history to play."""

import time
from collections import defaultdict
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import UserDefinedType

from logstream.filter import LogFilter
from logstream.model import NANOS_PER_SECOND, SEVERITY_WORDS, LogLine, to_datetime, to_unix_nano
from logstream.ports import Received, ReceivedCount
from logstream.query.as_of import BY_INDEX
from logstream.query.catalogue import Segment, id_condition, of_receipt
from logstream.query.conditions import Condition, minute_of, time_conditions
from logstream.query.lines import to_line
from logstream.query.scope import resolve
from logstream.tables import logs

# Looking for the next line: as far as this at first, then ever further while that is quick.
_FIRST_LOOK = NANOS_PER_SECOND
_GROWTH = 8
_QUICK_SECONDS = 0.03
LOOK_SECONDS = 0.3
_received = logs.c.observed_timestamp
_PLACE: sa.ColumnElement[Any] = sa.literal_column("logs.ctid")
_IDS, _TEXTS = ARRAY(sa.BigInteger), ARRAY(sa.Text)


class _Places(UserDefinedType[list[str]]):
    """Places of rows in their table."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "tid[]"


def received(
    connection: sa.Connection,
    segments: list[Segment],
    log_filter: LogFilter,
    start: int,
    end: int,
    *,
    limit: int,
    slots: int,
) -> Received:
    """See LogReader.received."""
    connection.execute(BY_INDEX)
    whenever = log_filter.without("range").without("at")
    conditions = resolve(connection, whenever, 0).line_conditions()
    meant = [*conditions, *_in_interval(segments, start, end)]
    counts = _counts(connection, meant, start, end, slots)
    total = sum(one.count for one in counts)
    return Received(
        lines=_lines(connection, segments, meant, total, limit),
        total=total,
        counts=counts,
        next_unix_nano=_next(connection, segments, conditions, end),
    )


def _in_interval(segments: list[Segment], start: int, end: int | None) -> list[Condition]:
    held = of_receipt(segments, start, end)
    return [id_condition(held), *time_conditions(_received, start, end)]


def _counts(
    connection: sa.Connection, meant: list[Condition], start: int, end: int, slots: int
) -> list[ReceivedCount]:
    edges = [to_datetime(-(-edge // 1_000) * 1_000) for edge in slot_starts(start, end, slots)]
    slot = sa.func.width_bucket(
        _received, sa.literal(edges, ARRAY(sa.DateTime(timezone=True)))
    ).label("slot")
    minute = minute_of(logs.c.timestamp).label("minute")
    group = (logs.c.severity_number - 1) // 4
    labels = (slot, logs.c.environment, logs.c.service_name, group.label("group"), minute)
    statement = sa.select(*labels, sa.func.count()).where(*meant).group_by(*labels)
    rows = connection.execute(statement).all()
    minutes = {row.minute: to_unix_nano(row.minute) // NANOS_PER_SECOND for row in rows}
    counts = [
        ReceivedCount(
            slot=number - 1,
            environment=environment,
            service_name=service,
            severity=SEVERITY_WORDS[group],
            minute_unix_seconds=minutes[moment],
            count=count,
        )
        for number, environment, service, group, moment, count in rows
    ]
    return sorted(counts, key=lambda one: one.slot)


def slot_starts(start: int, end: int, slots: int) -> list[int]:
    """Where each of so many equal parts of an interval begins, in nanoseconds."""
    return [start + (end - start) * number // slots for number in range(slots)]


def _lines(
    connection: sa.Connection,
    segments: list[Segment],
    meant: list[Condition],
    total: int,
    limit: int,
) -> list[LogLine]:
    if total <= limit:
        statement = sa.select(logs).where(*meant).order_by(_received, logs.c.id)
        return [to_line(row) for row in connection.execute(statement)]
    lines: list[LogLine] = []
    for segment, picked in _sample(connection, segments, meant, total, limit).items():
        ids = sa.literal([line_id for line_id, _ in picked], _IDS)
        places = sa.cast(sa.literal([place for _, place in picked], _TEXTS), _Places)
        # By their places, seen a moment ago: the index of ids is not made for so many at once.
        statement = sa.select(logs).where(
            id_condition([segment]),
            _PLACE.op("=", is_comparison=True)(sa.func.any(places)),
            (logs.c.id + 0).op("=", is_comparison=True)(sa.func.any(ids)),
        )
        lines += [to_line(row) for row in connection.execute(statement)]
    return sorted(lines, key=lambda line: (line.observed_unix_nano, line.id))


def _sample(
    connection: sa.Connection,
    segments: list[Segment],
    meant: list[Condition],
    total: int,
    limit: int,
) -> dict[Segment, list[tuple[int, str]]]:
    """(id, place) of `limit` lines, equally far from one another, by segment."""
    # As they lie, which is nearly the order of receipt: sorting all would cost more than reading.
    number = sa.func.row_number().over().label("number")
    numbered = sa.select(logs.c.id, _PLACE.label("place"), number).where(*meant).subquery()
    step = numbered.c.number * limit // total
    step_before = (numbered.c.number - 1) * limit // total
    statement = sa.select(numbered.c.id, sa.cast(numbered.c.place, sa.Text)).where(
        step > step_before
    )
    found: dict[Segment, list[tuple[int, str]]] = defaultdict(list)
    for line_id, place in connection.execute(statement):
        segment = next(one for one in segments if one.first_id <= line_id < one.end_id)
        found[segment].append((line_id, place))
    return found


def _next(
    connection: sa.Connection, segments: list[Segment], conditions: list[Condition], end: int
) -> int | None:
    """The first receipt from `end` on; a moment before it when it is not found in time."""
    deadline = time.monotonic() + LOOK_SECONDS
    look, reached = _FIRST_LOOK, end
    while held := of_receipt(segments, reached, None):
        # Between segments nothing was received.
        reached = max(
            reached, min(reached if one.received is None else one.received[0] for one in held)
        )
        to = reached + look if reached + look < time.time_ns() else None
        started = time.monotonic()
        meant = [*conditions, *_in_interval(held, reached, to)]
        first = connection.scalar(sa.select(sa.func.min(_received)).where(*meant))
        if first is not None:
            return to_unix_nano(first)
        if to is None:
            return None
        reached = to
        if time.monotonic() >= deadline:
            return reached
        if time.monotonic() - started < _QUICK_SECONDS:
            look *= _GROWTH
    return None

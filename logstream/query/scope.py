"""What a question means, once the store was asked which skeletons can matter."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import sqlalchemy as sa

from logstream.filter import LogFilter
from logstream.query.conditions import (
    Condition,
    label_conditions,
    row_conditions,
    time_conditions,
)
from logstream.query.text_lookup import skeletons_holding
from logstream.tables import logs


@dataclass(frozen=True)
class Scope:
    """The lines of start <= time < end (nanoseconds, None where open) that a filter means.

    No line of a skeleton outside `skeleton_ids` can match; None when nothing is known.
    """

    log_filter: LogFilter
    start: int | None
    end: int | None
    skeleton_ids: tuple[int, ...] | None = None

    @property
    def has_labels(self) -> bool:
        """True when what the counts know leaves some lines out."""
        return bool(self.counted_conditions(logs))

    def counted_conditions(self, table: sa.Table) -> list[Condition]:
        """What the lines and the counts both know, without the time."""
        conditions = label_conditions(self.log_filter, table)
        if self.skeleton_ids is not None:
            conditions.append(_is_any(table.c.skeleton_id, self.skeleton_ids))
        return conditions

    def line_conditions(self) -> list[Condition]:
        """Exactly the rows of `logs`, but for the time of the lines themselves."""
        at = self.log_filter.at_unix_nano
        return [
            *self.counted_conditions(logs),
            *row_conditions(self.log_filter),
            *time_conditions(logs.c.observed_timestamp, None, at),
        ]

    def within(self, start: int | None, end: int | None) -> "Scope":
        """The same lines of another time."""
        return replace(self, start=start, end=end)

    def whenever_received(self) -> "Scope":
        """The same lines and those that came after `at`."""
        return replace(self, log_filter=self.log_filter.without("at"))

    def of_skeletons(self, skeleton_ids: Iterable[int] | None) -> "Scope":
        """Only the lines of these skeletons; the same when None."""
        if skeleton_ids is None:
            return self
        both = set(skeleton_ids)
        if self.skeleton_ids is not None:
            both &= set(self.skeleton_ids)
        return replace(self, skeleton_ids=tuple(sorted(both)))


def resolve(
    connection: sa.Connection,
    log_filter: LogFilter,
    now_unix_nano: int,
    skeleton_ids: Iterable[int] | None = None,
) -> Scope:
    """The scope of a filter, if given only with lines of these skeletons."""
    start, end = log_filter.window_unix_nano(now_unix_nano)
    found = skeletons_holding(connection, log_filter.text)
    return Scope(log_filter, start, end, found).of_skeletons(skeleton_ids)


def _is_any(column: sa.Column[int], values: tuple[int, ...]) -> Condition:
    array = sa.literal(list(values), sa.ARRAY(sa.BigInteger))
    return column == sa.func.any(array)

"""Which segments there are, and which of them can hold lines of a time."""

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from logstream.model import to_unix_nano
from logstream.query.conditions import Condition
from logstream.tables import logs

FRESH_SECONDS = 1.0
_LAST_ID = 2**63 - 1
# Later than any time that can be stored.
LAST_NANO = 2**63 * 1_000
_SEGMENTS = sa.text(
    "SELECT first_id, end_id, name, state, hours, received FROM segments WHERE state <> 'dropped'"
    " ORDER BY first_id DESC"
)

Span = tuple[int, int]


@dataclass(frozen=True)
class Segment:
    """A range of ids, stored in the table `name` ("" when that is not known yet).

    `hours` are the spans that hold its lines, None while lines may land.
    A span is (start, end) in nanoseconds since the epoch; they are in order and apart.
    """

    first_id: int
    end_id: int
    name: str
    is_sealed: bool
    hours: tuple[Span, ...] | None
    # From its first receipt of a line to after its last; None while that is not known.
    received: Span | None = None

    def newest(self, start: int | None, end: int | None) -> int | None:
        """No line of start <= time < end in it is as new as this; None when it has none.

        An open segment may have one at any time.
        """
        latest = LAST_NANO if end is None else end
        if self.hours is None:
            return latest
        low, high = next((span for span in reversed(self.hours) if span[0] < latest), (0, 0))
        return min(high, latest) if low < high and (start is None or high > start) else None

    def may_hold(self, start: int | None, end: int | None) -> bool:
        """True when a line of start <= time < end may be in it."""
        return self.newest(start, end) is not None

    def may_hold_received(self, start: int | None, end: int | None) -> bool:
        """True when a line that was received in start <= time < end may be in it."""
        if self.received is None:
            return True
        first, after = self.received
        return first < after and (end is None or first < end) and (start is None or after > start)


class Catalogue:
    """The segments, read once a second for all who ask in this process.

    What it says may be a second old. That never makes an answer wrong: a segment's hours are
    fixed once they are known, one that is sealed in between is read as if it were not, and
    the ids that follow the last segment are always among the open ones.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._segments: list[Segment] = []
        self._fresh_until = 0.0

    def segments(self, connection: sa.Connection) -> list[Segment]:
        """All that are not dropped, the highest ids first."""
        with self._lock:
            if time.monotonic() >= self._fresh_until:
                self._segments = _read(connection)
                self._fresh_until = time.monotonic() + FRESH_SECONDS
            return self._segments


def of_window(segments: Iterable[Segment], start: int | None, end: int | None) -> list[Segment]:
    """The segments that may hold lines of start <= time < end."""
    return [segment for segment in segments if segment.may_hold(start, end)]


def of_receipt(segments: Iterable[Segment], start: int | None, end: int | None) -> list[Segment]:
    """The segments that may hold lines that were received in start <= time < end."""
    return [segment for segment in segments if segment.may_hold_received(start, end)]


def newest_first(
    segments: Iterable[Segment], start: int | None, end: int | None
) -> list[tuple[int, Segment]]:
    """(the end of its newest lines in the window, segment), newest first."""
    found = [(segment.newest(start, end), segment) for segment in segments]
    held = [(newest, segment) for newest, segment in found if newest is not None]
    return sorted(held, key=lambda item: (-item[0], -item[1].first_id))


def id_condition(segments: Iterable[Segment]) -> Condition:
    """Restricts `logs` to the segments by ranges of ids, so that others are not even planned."""
    return in_id_ranges(sorted((segment.first_id, segment.end_id) for segment in segments))


def in_id_ranges(ranges: list[tuple[int, int]]) -> Condition:
    """Ids of ascending ranges, each (first, end); neighbours are joined."""
    joined: list[tuple[int, int]] = []
    for first, end in ranges:
        if joined and joined[-1][1] == first:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((first, end))
    return sa.or_(
        sa.false(), *(sa.and_(logs.c.id >= first, logs.c.id < end) for first, end in joined)
    )


def _read(connection: sa.Connection) -> list[Segment]:
    rows = connection.execute(_SEGMENTS).all()
    # Whatever landed since lies in ids beyond the last segment.
    beyond = Segment(rows[0].end_id if rows else 0, _LAST_ID, name="", is_sealed=False, hours=None)
    return [beyond, *(_segment(row) for row in rows)]


def _segment(row: sa.Row[tuple[object, ...]]) -> Segment:
    hours, received = row.hours, row.received
    return Segment(
        row.first_id,
        row.end_id,
        row.name,
        row.state == "sealed",
        None
        if hours is None
        else tuple((to_unix_nano(span.lower), to_unix_nano(span.upper)) for span in hours),
        received if received is None else _receipts(received),
    )


def _receipts(received: Any) -> Span:
    # The last one is inclusive, and stored to the microsecond.
    if received.isempty:
        return 0, 0
    return to_unix_nano(received.lower), to_unix_nano(received.upper) + 1_000

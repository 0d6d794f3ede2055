"""Spans of time to read one after the other, sized by what the counts say lies in them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from logstream.query.catalogue import Segment, of_window
from logstream.query.hours import MAX_STREAMS, Hour
from logstream.query.scope import Scope

# Of one statement: planning more of them takes longer than reading.
MAX_SEGMENTS = 12
_GROWTH = 4
# An hour's lines are not spread evenly.
_MARGIN = 1.3
_LEAST_NANOS = 1_000_000


@dataclass(frozen=True)
class Slice:
    """Nanoseconds start <= time < end, which hold about so many lines, in these segments.

    All of them belong to `streams`; None when those are too many to name.
    """

    start: int
    end: int
    lines: int
    segments: tuple[Segment, ...]
    streams: frozenset[int] | None


def slices(
    hours: Iterable[Hour],
    scope: Scope,
    segments: list[Segment],
    *,
    first_look: int,
    most: int,
    end_of_lines: Callable[[Hour], int],
    is_newest_first: bool,
) -> Iterator[Slice]:
    """The scope's time in the order of the hours: about `first_look` lines, then ever more.

    No slice is meant to hold more than `most` lines. Hours without lines lie in none.
    `end_of_lines` says where the lines of an hour end, which matters for the present one.
    """
    look = first_look
    group: list[Hour] = []
    held: dict[int, Segment] = {}
    for hour in hours:
        of_hour = {one.first_id: one for one in of_window(segments, hour.start, hour.end)}
        if group and (hour.lines > look or len({**held, **of_hour}) > MAX_SEGMENTS):
            yield from _whole(group, held, scope)
            look = min(look * _GROWTH, most)
            group, held = [], {}
        if hour.lines > 2 * look:
            last = end_of_lines(hour)
            for piece in _cut(hour, last, of_hour, scope, look, most, is_newest_first):
                yield piece
                look = min(look * _GROWTH, most)
            continue
        group.append(hour)
        held.update(of_hour)
        if sum(one.lines for one in group) >= look:
            yield from _whole(group, held, scope)
            look = min(look * _GROWTH, most)
            group, held = [], {}
    if group:
        yield from _whole(group, held, scope)


def _whole(group: list[Hour], held: dict[int, Segment], scope: Scope) -> Iterator[Slice]:
    start, end = _clipped(scope, min(hour.start for hour in group), max(hour.end for hour in group))
    if start < end:
        lines = sum(hour.lines for hour in group)
        yield Slice(start, end, lines, tuple(held.values()), _streams(group))


def _cut(
    hour: Hour,
    last: int,
    held: dict[int, Segment],
    scope: Scope,
    look: int,
    most: int,
    is_newest_first: bool,
) -> Iterator[Slice]:
    """One hour, whose lines end at `last`, in pieces."""
    start, end = _clipped(scope, hour.start, last)
    nanos_per_line = (last - hour.start) / hour.lines
    while start < end:
        width = max(_LEAST_NANOS, int(nanos_per_line * look * _MARGIN))
        # In whole microseconds, as the column is: a line must not fall between two slices.
        width -= width % 1_000
        if is_newest_first:
            edge = max(start, _whole_micros(end) - width)
            low, high, end = edge, end, edge
        else:
            edge = min(end, _whole_micros(start) + width)
            low, high, start = start, edge, edge
        yield Slice(low, high, look, tuple(held.values()), hour.streams)
        look = min(look * _GROWTH, most)


def _whole_micros(unix_nano: int) -> int:
    return unix_nano // 1_000 * 1_000


def _clipped(scope: Scope, start: int, end: int) -> tuple[int, int]:
    return (
        start if scope.start is None else max(start, scope.start),
        end if scope.end is None else min(end, scope.end),
    )


def _streams(group: list[Hour]) -> frozenset[int] | None:
    named: set[int] = set()
    for hour in group:
        if hour.streams is None:
            return None
        named |= hour.streams
    return frozenset(named) if len(named) <= MAX_STREAMS else None

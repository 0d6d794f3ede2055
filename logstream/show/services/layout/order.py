"""In which order the things of a layer stand, so that few arrows cross."""

from bisect import bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from logstream.show.services.layout.lanes import Item

_SWEEPS = 8
Pair = tuple[Item, Item]


def name_of(item: Item) -> tuple[str, ...]:
    """What things are ordered by when nothing else tells."""
    return (item,) if isinstance(item, str) else tuple(map(str, item))


def ordered(columns: Sequence[Sequence[Item]], pairs: Iterable[Pair]) -> list[list[Item]]:
    """The columns with few crossings of the pairs, each from one column to the next.

    Barycentres, swept to and fro; the best seen is kept.
    """
    after: dict[Item, list[Item]] = {}
    before: dict[Item, list[Item]] = {}
    for left, right in sorted(set(pairs), key=lambda pair: (name_of(pair[0]), name_of(pair[1]))):
        after.setdefault(left, []).append(right)
        before.setdefault(right, []).append(left)
    order = [sorted(column, key=name_of) for column in columns]
    best, fewest = order, crossings(order, after)
    for sweep in range(_SWEEPS):
        order = [list(column) for column in order]
        is_forward = sweep % 2 == 0
        places = range(1, len(order)) if is_forward else range(len(order) - 2, -1, -1)
        for place in places:
            beside = order[place - 1] if is_forward else order[place + 1]
            _sort(order[place], beside, before if is_forward else after)
        count = crossings(order, after)
        if count < fewest:
            best, fewest = order, count
        if not fewest:
            break
    return best


def crossings(order: Sequence[Sequence[Item]], after: Mapping[Item, Sequence[Item]]) -> int:
    """How many pairs cross."""
    count = 0
    for left, right in pairwise(order):
        place = {item: number for number, item in enumerate(right)}
        passed: list[int] = []
        for item in left:
            ends = [place[other] for other in after.get(item, ())]
            count += sum(len(passed) - bisect_right(passed, end) for end in ends)
            for end in ends:
                insort(passed, end)
    return count


def _sort(
    column: list[Item], beside: Sequence[Item], linked: Mapping[Item, Sequence[Item]]
) -> None:
    """By the mean place of what each is linked with; one without links keeps its place."""
    place = {item: number for number, item in enumerate(beside)}
    scale = len(beside) / max(1, len(column))
    keys = {}
    for number, item in enumerate(column):
        ends = [place[other] for other in linked.get(item, ())]
        keys[item] = sum(ends) / len(ends) if ends else number * scale
    column.sort(key=lambda item: (keys[item], name_of(item)))

"""The whole map: groups of services beside and below one another, lone ones in rows beneath."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from logstream.show.services.layout.heights import SERVICE_HEIGHT, height_of, heights
from logstream.show.services.layout.lanes import Item, ways
from logstream.show.services.layout.layers import Call, layers, neighbours, without_cycles
from logstream.show.services.layout.order import ordered

COLUMN = 176
LONE_GAP = 40
_LEAST_COLUMNS = 5
# Tried one by one: the map should fill a window about twice as wide as it is high.
_MOST_ROWS = (6, 8, 12, 16, 24)
_WIDTH_TO_HEIGHT = 2


@dataclass(frozen=True)
class Place:
    """The middle of a service. A lone one has no calls to or from any other."""

    x: int
    y: int
    is_lone: bool = False


@dataclass(frozen=True)
class Layout:
    """Where services stand, and which points their calls pass between both ends."""

    places: Mapping[str, Place] = field(default_factory=dict)
    points: Mapping[Call, Sequence[tuple[int, int]]] = field(default_factory=dict)


def lay_out(services: Iterable[str], calls: Iterable[Call]) -> Layout:
    """Places for all of them, whoever is named by a call included."""
    known = {call for call in calls if call[0] != call[1]}
    linked = {name for call in known for name in call}
    names = sorted({*services, *linked})
    groups = [_lay_out_group(group) for group in _groups(sorted(known))]
    places, points = _beside(groups)
    # A call that was turned round for the layers passes the same points the other way.
    turned = {(target, source): list(reversed(way)) for (source, target), way in points.items()}
    lone = [name for name in names if name not in linked]
    places |= _lone_places(lone, places.values())
    every = {call: points.get(call, turned.get(call, ())) for call in sorted(known)}
    return Layout(places, every)


def lay_out_again(before: Layout, services: Iterable[str], calls: Iterable[Call]) -> Layout:
    """As `lay_out`, but who had a place keeps it; others take the nearest that is free.

    The places of services that are gone stay free for them.
    """
    known = {call for call in calls if call[0] != call[1]}
    linked = {name for call in known for name in call}
    names = {*services, *linked}
    kept = {
        name: place
        for name, place in before.places.items()
        # Who is lone no longer belongs among the others.
        if not (place.is_lone and name in linked)
    }
    new = sorted(names - kept.keys())
    if not kept or len(new) > len(kept):
        return lay_out(names, known)
    for name in _nearest_first([name for name in new if name in linked], known, kept):
        kept[name] = _free_place(name, known, kept)
    lone = [name for name in new if name not in linked]
    kept |= _lone_places(lone, kept.values())
    return Layout(kept, {call: before.points.get(call, ()) for call in sorted(known)})


def _groups(calls: Sequence[Call]) -> list[list[Call]]:
    """The calls of services that hang together, the largest group first."""
    beside = neighbours([*calls, *((target, source) for source, target in calls)])
    group_of: dict[str, int] = {}
    for first in beside:
        if first in group_of:
            continue
        number, ahead = len(set(group_of.values())), [first]
        while ahead:
            name = ahead.pop()
            if name not in group_of:
                group_of[name] = number
                ahead.extend(beside[name])
    groups: dict[int, list[Call]] = {}
    for call in calls:
        groups.setdefault(group_of[call[0]], []).append(call)
    sizes = {
        number: len({name for call in group for name in call}) for number, group in groups.items()
    }
    return [groups[number] for number in sorted(groups, key=lambda one: (-sizes[one], one))]


def _lay_out_group(calls: Sequence[Call]) -> Layout:
    forward = without_cycles(calls)
    layered = [_in_layers(forward, most) for most in _MOST_ROWS]
    columns, passed = min(layered, key=lambda one: _size(one[0]))
    pairs = sorted({pair for way in passed.values() for pair in pairwise(way)}, key=str)
    order = ordered(columns, pairs)
    linked: dict[Item, list[Item]] = {}
    for left, right in pairs:
        linked.setdefault(left, []).append(right)
        linked.setdefault(right, []).append(left)
    y = heights(order, linked)
    x = {item: place * COLUMN for place, column in enumerate(order) for item in column}
    places = {item: Place(x[item], int(y[item])) for item in x if isinstance(item, str)}
    points = {call: [(x[item], int(y[item])) for item in way[1:-1]] for call, way in passed.items()}
    return Layout(places, points)


def _in_layers(
    forward: Sequence[Call], most: int
) -> tuple[list[list[Item]], dict[Call, list[Item]]]:
    """What stands in each layer, lanes included, and what each call passes."""
    layer = layers(forward, most)
    passed = ways(forward, layer)
    columns: list[set[Item]] = [set() for _ in range(max(layer.values()) + 1)]
    for (source, _), way in passed.items():
        for step, item in enumerate(way):
            columns[layer[source] + step].add(item)
    return [list(column) for column in columns], passed


def _size(columns: Sequence[Sequence[Item]]) -> float:
    """How large a window it takes, about."""
    height = max(sum(height_of(item) for item in column) for column in columns)
    return max(len(columns) * COLUMN / _WIDTH_TO_HEIGHT, height)


def _beside(
    groups: Sequence[Layout],
) -> tuple[dict[str, Place], dict[Call, list[tuple[int, int]]]]:
    """All groups in one drawing: in rows as wide as the widest, the largest first."""
    places: dict[str, Place] = {}
    points: dict[Call, list[tuple[int, int]]] = {}
    widest = max((_width(group) for group in groups), default=0)
    left = top = bottom = 0
    for group in groups:
        if left and left + _width(group) > widest:
            left, top = 0, bottom
        for name, place in group.places.items():
            places[name] = Place(place.x + left, place.y + top)
        for call, way in group.points.items():
            points[call] = [(x + left, y + top) for x, y in way]
        bottom = max(bottom, top + _height(group) + SERVICE_HEIGHT)
        left += _width(group) + COLUMN
    return places, points


def _width(group: Layout) -> int:
    return max(place.x for place in group.places.values())


def _height(group: Layout) -> int:
    return max(place.y for place in group.places.values())


def _lone_places(names: Sequence[str], others: Iterable[Place]) -> dict[str, Place]:
    """Rows of lone services beneath everything that has a place already."""
    taken = list(others)
    if not names:
        return {}
    if any(place.is_lone for place in taken):
        last = max(
            (place for place in taken if place.is_lone), key=lambda place: (place.y, place.x)
        )
        top, count = last.y, last.x // COLUMN + 1
    else:
        bottom = max((place.y for place in taken), default=-SERVICE_HEIGHT - LONE_GAP)
        top, count = bottom + SERVICE_HEIGHT + LONE_GAP, 0
    across = max(place.x for place in taken) // COLUMN + 1 if taken else 0
    across = max(across, _LEAST_COLUMNS, round(math.sqrt(len(names) * 0.8)))
    return {
        name: Place(number % across * COLUMN, top + number // across * SERVICE_HEIGHT, is_lone=True)
        for number, name in enumerate(names, count)
    }


def _nearest_first(
    names: Sequence[str], calls: Iterable[Call], kept: Mapping[str, Place]
) -> list[str]:
    """Those with the most neighbours that have a place, then the others."""
    known = [(source in kept) * [target] + (target in kept) * [source] for source, target in calls]
    near = [name for pair in known for name in pair]
    return sorted(names, key=lambda name: (-near.count(name), name))


def _free_place(name: str, calls: Iterable[Call], kept: Mapping[str, Place]) -> Place:
    callers = [kept[s] for s, t in calls if t == name and s in kept]
    callees = [kept[t] for s, t in calls if s == name and t in kept]
    if callers:
        x = max(place.x for place in callers) + COLUMN
    elif callees:
        x = min(place.x for place in callees) - COLUMN
    else:
        x = 0
    beside = [place.y for place in [*callers, *callees]]
    wanted = round(sum(beside) / len(beside)) if beside else 0
    taken = [place.y for place in kept.values() if place.x == x]
    candidates = {wanted, *(y + step for y in taken for step in (-SERVICE_HEIGHT, SERVICE_HEIGHT))}
    free = [y for y in candidates if all(abs(y - other) >= SERVICE_HEIGHT for other in taken)]
    return Place(x, min(free, key=lambda y: (abs(y - wanted), y)))

"""How far down each thing stands: near what it is linked with, and never over another."""

from collections.abc import Mapping, Sequence

from logstream.show.services.layout.lanes import Item

SERVICE_HEIGHT, LANE_HEIGHT = 56, 10
_ROUNDS = 12
# How much a lane pulls on another: long ways should be straight, as Graphviz' dot has them.
_STRAIGHT = 4


def heights(
    order: Sequence[Sequence[Item]], linked: Mapping[Item, Sequence[Item]]
) -> dict[Item, float]:
    """The middle of each thing, the top one's not above 0; `linked` goes both ways."""
    y: dict[Item, float] = {}
    for column in order:
        y.update(zip(column, _apart(column, [0.0] * len(column)), strict=True))
    for round_number in range(_ROUNDS):
        columns = order if round_number % 2 == 0 else order[::-1]
        for column in columns:
            wanted = [_middle(item, linked.get(item, ()), y) for item in column]
            y.update(zip(column, _apart(column, wanted), strict=True))
    top = min(y.values(), default=0.0)
    return {item: round(place - top) for item, place in y.items()}


def _middle(item: Item, others: Sequence[Item], y: Mapping[Item, float]) -> float:
    """Where a thing would stand if it were alone: amid what it is linked with."""
    if not others:
        return y[item]
    weights = [_weight(item) * _weight(other) for other in others]
    return sum(y[o] * weight for o, weight in zip(others, weights, strict=True)) / sum(weights)


def _weight(item: Item) -> int:
    return 1 if isinstance(item, str) else _STRAIGHT


def _apart(column: Sequence[Item], wanted: Sequence[float]) -> list[float]:
    """The places nearest to those wanted (least squares) that keep order and distance.

    Isotonic regression by pooling neighbours: M. Ayer and others, "An empirical distribution
    function for sampling with incomplete information" (1955).
    """
    offsets, offset = [], 0.0
    for number, item in enumerate(column):
        if number:
            offset += (height_of(column[number - 1]) + height_of(item)) / 2
        offsets.append(offset)
    pools: list[tuple[float, int, int]] = []
    for item, place, offset in zip(column, wanted, offsets, strict=True):
        mean, weight, size = place - offset, _weight(item), 1
        while pools and pools[-1][0] > mean:
            other, other_weight, count = pools.pop()
            mean = (mean * weight + other * other_weight) / (weight + other_weight)
            weight, size = weight + other_weight, size + count
        pools.append((mean, weight, size))
    free = [mean for mean, _, size in pools for _ in range(size)]
    return [place + offset for place, offset in zip(free, offsets, strict=True)]


def height_of(item: Item) -> int:
    """The room that a thing takes in its column."""
    return SERVICE_HEIGHT if isinstance(item, str) else LANE_HEIGHT

"""Which layer each service stands in: at the right of whoever calls it, so many to a layer."""

from collections.abc import Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush

Call = tuple[str, str]


def without_cycles(calls: Iterable[Call]) -> list[Call]:
    """The calls in order, those that close a circle turned round; none to oneself, none twice.

    Callers that nobody calls are followed first, so that a circle is entered where requests are.
    """
    known = sorted({call for call in calls if call[0] != call[1]})
    after = neighbours(known)
    called = {target for _, target in known}
    names = sorted(after, key=lambda name: (name in called, -len(after[name]), name))
    turned: set[Call] = set()
    done: set[str] = set()
    for first in names:
        if first in done:
            continue
        on_the_way, walk = {first}, [(first, iter(after[first]))]
        while walk:
            name, left = walk[-1]
            for target in left:
                if target in on_the_way:
                    turned.add((name, target))
                elif target not in done:
                    on_the_way.add(target)
                    walk.append((target, iter(after[target])))
                    break
            else:
                walk.pop()
                on_the_way.discard(name)
                done.add(name)
    return sorted({(call[1], call[0]) if call in turned else call for call in known})


def layers(calls: Sequence[Call], most: int) -> dict[str, int]:
    """The layer of every service, at most `most` to a layer; `calls` have no cycle.

    List scheduling as E. G. Coffman and R. L. Graham do it ("Optimal scheduling for
    two-processor systems", 1972): whoever has the longest way still to go is placed first.
    """
    after = neighbours(calls)
    before = neighbours((target, source) for source, target in calls)
    ways = _longest_ways(after, before)
    waiting = {name: len(before[name]) for name in after}
    ready = [(-ways[name], name) for name in after if not waiting[name]]
    heapify(ready)
    layer: dict[str, int] = {}
    full: dict[int, int] = {}
    while ready:
        _, name = heappop(ready)
        place = max((layer[other] + 1 for other in before[name]), default=0)
        while full.get(place, 0) >= most:
            place += 1
        layer[name] = place
        full[place] = full.get(place, 0) + 1
        for target in after[name]:
            waiting[target] -= 1
            if not waiting[target]:
                heappush(ready, (-ways[target], target))
    _pull_callers(layer, full, after, before, most)
    return layer


def neighbours(calls: Iterable[Call]) -> dict[str, list[str]]:
    """Whom each one calls, in order; everyone that is named has an entry."""
    found: dict[str, list[str]] = {}
    for source, target in calls:
        found.setdefault(source, []).append(target)
        found.setdefault(target, [])
    return {name: sorted(found[name]) for name in sorted(found)}


def _longest_ways(
    after: Mapping[str, Sequence[str]], before: Mapping[str, Sequence[str]]
) -> dict[str, int]:
    """How many calls follow one another from each service on, at most."""
    left = {name: len(after[name]) for name in after}
    ready = [name for name in after if not left[name]]
    ways: dict[str, int] = {}
    while ready:
        name = ready.pop()
        ways[name] = max((ways[target] + 1 for target in after[name]), default=0)
        for source in before[name]:
            left[source] -= 1
            if not left[source]:
                ready.append(source)
    return ways


def _pull_callers(
    layer: dict[str, int],
    full: dict[int, int],
    after: Mapping[str, Sequence[str]],
    before: Mapping[str, Sequence[str]],
    most: int,
) -> None:
    """Whom nobody calls stands beside what it calls first, where there is room."""
    for name in sorted(layer):
        if before[name] or not after[name]:
            continue
        for place in range(min(layer[other] for other in after[name]) - 1, layer[name], -1):
            if full.get(place, 0) < most:
                full[layer[name]] -= 1
                full[place] = full.get(place, 0) + 1
                layer[name] = place
                break

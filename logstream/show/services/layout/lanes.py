"""The ways of calls that pass layers: lanes between the services, shared by calls of one end.

Without them a long arrow would run behind services that it has nothing to do with. Those of one
service run together, as in a river, so that many arrows stay few lines.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from logstream.show.services.layout.layers import Call

# A service by its name; a lane by whom it is of, its direction, and the layer it passes.
Lane = tuple[str, str, int]
Item = str | Lane


def ways(calls: Sequence[Call], layer: Mapping[str, int]) -> dict[Call, list[Item]]:
    """What each call passes, its two services included, one thing a layer."""
    long = [call for call in calls if layer[call[1]] - layer[call[0]] > 1]
    leaving = Counter(source for source, _ in long)
    arriving = Counter(target for _, target in long)
    found: dict[Call, list[Item]] = {}
    for source, target in calls:
        passed = range(layer[source] + 1, layer[target])
        is_from = leaving[source] > arriving[target]
        end, direction = (source, "from") if is_from else (target, "to")
        lanes: list[Item] = [(end, direction, place) for place in passed]
        found[source, target] = [source, *lanes, target]
    return found

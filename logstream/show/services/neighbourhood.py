"""One service and those around it, so many calls away in either direction."""

from collections.abc import Iterable
from dataclasses import dataclass

from logstream.trace_port import ServiceEdge, ServiceMap

MOST_STEPS = 3


@dataclass(frozen=True)
class Focus:
    """What of the map is looked at; `expanded` are shown with their own neighbours too."""

    service: str
    steps: int = 1
    expanded: tuple[str, ...] = ()


def in_order(found: ServiceMap) -> ServiceMap:
    """The map in the order of names, whichever calls were more just now."""
    return ServiceMap(
        sorted(found.nodes, key=lambda node: node.service),
        sorted(found.edges, key=lambda edge: (edge.source, edge.target, edge.kind)),
    )


def around(whole: ServiceMap, focus: Focus) -> tuple[ServiceMap, dict[str, int]]:
    """The part that is looked at, and how many neighbours of each service are left out."""
    beside = _beside(whole.edges)
    shown, edge_of_it = {focus.service}, {focus.service}
    for _ in range(focus.steps):
        edge_of_it = {other for name in edge_of_it for other in beside.get(name, ())} - shown
        shown |= edge_of_it
    for name in focus.expanded:
        if name in shown:
            shown |= beside.get(name, set())
    nodes = [node for node in whole.nodes if node.service in shown]
    edges = [edge for edge in whole.edges if edge.source in shown and edge.target in shown]
    hidden = {name: len(beside.get(name, set()) - shown) for name in shown}
    return ServiceMap(nodes, edges), {name: count for name, count in hidden.items() if count}


def _beside(edges: Iterable[ServiceEdge]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for edge in edges:
        if edge.source == edge.target:
            continue
        found.setdefault(edge.source, set()).add(edge.target)
        found.setdefault(edge.target, set()).add(edge.source)
    return found

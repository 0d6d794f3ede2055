"""The Python side of the map: services, calls and their places in, what was clicked out."""

from collections.abc import Callable, Mapping
from typing import Any

from logstream.show.asked import Asked
from logstream.show.explore.components.panel import SHOW, Panel, service_palette
from logstream.show.services.layout.places import COLUMN, Layout
from logstream.show.services.neighbourhood import Focus
from logstream.trace_port import ServiceMap

HERE = SHOW / "services" / "components"
_SCRIPTS = (
    "link",
    "numbers",
    "metrics",
    "camera",
    "map_shapes",
    "map_picture",
    "map_card",
    "service_map",
)
SERVICE_MAP = Panel(
    "service_map",
    *(SHOW / "live_trend" / name for name in ("axis.js", "bars.js")),
    *(HERE / f"{name}.js" for name in _SCRIPTS),
    *(HERE / name for name in ("bar.css", "service_map.css")),
)


def service_map(
    drawn: ServiceMap,
    layout: Layout,
    *,
    seconds: float,
    as_of: float,
    timezone: str,
    view: str,
    links: Mapping[str, str],
    hidden: Mapping[str, int],
    focus: Focus | None = None,
    is_untidy: bool = False,
    follow: Callable[[Asked], None],
    key: str = "map-of-services",
) -> None:
    """Draw it. Calls were made in `seconds`; `hidden` counts the neighbours left out.

    `view` names the question: the map of another one is fitted into the window anew. A link is
    an address to which the name of a service is added.
    """
    nodes = [
        {
            "name": node.service,
            "kind": node.kind,
            "isKnown": node.is_known,
            "calls": node.calls,
            "errors": node.errors,
            "p95Ms": milliseconds(node.p95_nano),
            "hidden": hidden.get(node.service, 0),
            "x": place.x,
            "y": place.y,
            "isLone": place.is_lone,
        }
        for node in drawn.nodes
        if (place := layout.places.get(node.service)) is not None
    ]
    edges = [
        {
            "source": edge.source,
            "target": edge.target,
            "kind": edge.kind,
            "calls": edge.calls,
            "errors": edge.errors,
            "p95Ms": milliseconds(edge.p95_nano),
            "points": list(layout.points.get((edge.source, edge.target), ())),
        }
        for edge in drawn.edges
        if edge.source in layout.places and edge.target in layout.places
        if edge.source != edge.target
    ]
    data: dict[str, Any] = {
        "nodes": nodes,
        "edges": edges,
        "seconds": seconds,
        "asOf": as_of,
        "timezone": timezone,
        "column": COLUMN,
        "layout": view,
        "links": dict(links),
        "focus": None if focus is None else {"service": focus.service, "steps": focus.steps},
        "isUntidy": is_untidy,
        "palette": service_palette(),
    }
    SERVICE_MAP(data, key=key, follow=follow)


def milliseconds(nano: float | None) -> float | None:
    """For the browser, None as it is."""
    return None if nano is None else round(nano / 1e6, 3)

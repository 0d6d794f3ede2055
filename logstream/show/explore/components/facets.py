"""The Python side of the facets: fields with their values in, clicks out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from logstream.show.asked import Asked
from logstream.show.explore.components.panel import HERE, Panel, service_palette

FACETS = Panel(
    "facets", *(HERE / name for name in ("values.js", "facets.js", "values.css", "facets.css"))
)
# Every value costs the browser a row; others are found by searching.
MOST_SENT = 200


@dataclass(frozen=True)
class Facet:
    """One field with what it offers: (value, label, count), most frequent first.

    `total` is of the lines that were counted, for shares; `distinct` of the values there are.
    `sought_for` is what the values were searched for in Python, "" for nothing. `field` is as in
    `Difference`; `note` says over which lines was counted, when not over all.
    """

    field: str
    title: str
    values: Sequence[tuple[str, str, int]]
    total: int
    distinct: int
    only: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    note: str = ""
    is_pinned: bool = False
    sought_for: str = ""


def facet_rail(
    facets: Sequence[Facet],
    *,
    field_count: int | None,
    follow: Callable[[Asked], None],
    key: str = "facet-rail",
) -> None:
    """Draw them; `field_count` fields are on the tab that lists all, None for no way there."""
    data = {
        "facets": [
            {
                "field": facet.field,
                "title": facet.title,
                "values": facet.values,
                "total": facet.total,
                "distinct": facet.distinct,
                "only": facet.only,
                "excluded": facet.excluded,
                "note": facet.note,
                "isPinned": facet.is_pinned,
                "soughtFor": facet.sought_for,
            }
            for facet in facets
        ],
        "fieldCount": field_count,
        "palette": service_palette(),
    }
    FACETS(data, key=key, follow=follow)

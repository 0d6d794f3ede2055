"""The Python side of the table of attributes: what is known of each in, clicks out."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from logstream.filter import Choice
from logstream.ports import Fields
from logstream.show.asked import Asked
from logstream.show.explore.components.panel import HERE, Panel, service_palette

FIELDS = Panel(
    "field_table",
    *(HERE / name for name in ("values.js", "fields.js", "values.css", "fields.css")),
)
MOST_VALUES = 20


def field_table(
    fields: Fields,
    *,
    chosen: Mapping[str, Choice],
    pinned: Collection[str],
    follow: Callable[[Asked], None],
    key: str = "field-table",
) -> None:
    """Draw them; `chosen` values by field, both it and `pinned` named as in `Difference`."""
    rows: list[dict[str, Any]] = []
    for one in fields.fields:
        field = f"attribute:{one.name}"
        choice = chosen.get(field, Choice())
        rows.append(
            {
                "field": field,
                "title": one.name,
                "lines": one.lines,
                "kind": one.kind,
                "distinct": one.distinct,
                "values": [list(value) for value in one.values[:MOST_VALUES]],
                "only": choice.only,
                "excluded": choice.excluded,
                "isPinned": field in pinned,
            }
        )
    data = {
        "fields": rows,
        "looked": fields.looked,
        "total": fields.total,
        "palette": service_palette(),
    }
    FIELDS(data, key=key, follow=follow)

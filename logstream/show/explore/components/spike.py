"""The Python side of a comparison: differences in, clicks out."""

from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any

from logstream.filter import Choice
from logstream.ports import Differences
from logstream.show.asked import Asked
from logstream.show.explore.choices import title_of
from logstream.show.explore.components.panel import HERE, SHOW, Panel, service_palette

SPIKE = Panel(
    "spike",
    SHOW / "live_trend" / "axis.js",
    *(HERE / name for name in ("difference_words.js", "spike.js", "spike.css")),
)


def spike_panel(
    differences: Differences,
    *,
    what: str,
    baseline: str,
    baselines: Sequence[tuple[str, str]],
    chosen: Mapping[tuple[str, str], Choice],
    note: str = "",
    painted: tuple[str, str, Sequence[int]] | None = None,
    follow: Callable[[Asked], None],
    key: str = "spike-panel",
) -> None:
    """Draw it. `what` names the time; `baselines` are (name, words), `baseline` the name in use.

    `chosen` says of (field, value) what the filter makes of it. `painted` are the counts of one
    (field, value) in the bars of the histogram.
    """
    rows: list[dict[str, Any]] = []
    for one in differences.differences:
        choice = chosen.get((one.field, one.value), Choice())
        rows.append(
            {
                "field": one.field,
                "title": title_of(one.field),
                "value": one.value,
                "label": one.label,
                "count": one.count,
                "share": one.share,
                "baselineCount": one.baseline_count,
                "baselineShare": one.baseline_share,
                # JSON knows no infinity: never seen before.
                "lift": one.lift if isfinite(one.lift) else None,
                "p": one.p_value,
                "isOnly": one.value in choice.only,
                "isOut": one.value in choice.excluded,
            }
        )
    data = {
        "differences": rows,
        "what": what,
        "total": differences.total,
        "baseline": baseline,
        "baselines": [list(one) for one in baselines],
        "baselineTotal": differences.baseline_total,
        "note": note,
        "painted": None
        if painted is None
        else {"field": painted[0], "value": painted[1], "counts": list(painted[2])},
        "palette": service_palette(),
    }
    SPIKE(data, key=key, follow=follow)

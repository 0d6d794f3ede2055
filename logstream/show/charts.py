"""Charts as pure functions: a frame in, a chart out."""

from typing import Any

import altair as alt
import pandas as pd

# Streamlit changes the padding in place, so a plain number will not do.
PADDING = {"left": 2, "right": 6, "top": 4, "bottom": 4}
RATE_TICKS = [0, 10, 100, 1000, 10_000, 100_000]


def rate_chart(frame: pd.DataFrame) -> Any:
    """Lines accepted per second over time. Columns: at (ms since the epoch), lines, when."""
    base = alt.Chart(frame)
    x = alt.X(
        "at:T",
        scale=alt.Scale(type="utc", nice=False),
        axis=alt.Axis(
            title=None,
            grid=False,
            tickCount=5,
            labelExpr="format(round((now() - time(datum.value)) / 60000), 'd') + ' min ago'",
            labelPadding=3,
            tickSize=3,
        ),
    )
    # A burst of thousands must not flatten the tens of every day; symlog also holds zero.
    y = alt.Y(
        "lines:Q",
        axis=_count_axis(3, values=RATE_TICKS),
        scale=alt.Scale(type="symlog", nice=False, zero=True),
    )
    tooltip = [alt.Tooltip("when:N", title="Time"), alt.Tooltip("lines:Q", format=",")]
    area = base.mark_area(opacity=0.15, color="#888888").encode(x=x, y=y, tooltip=tooltip)
    line = base.mark_line(strokeWidth=1.5, color="#888888").encode(x=x, y=y)
    return alt.layer(area, line).properties(height="container", width="container", padding=PADDING)


def _count_axis(ticks: int, **places: Any) -> alt.Axis:
    # Vega's own SI format labels zero "0k" beside "1k".
    words = (
        "datum.value >= 1e6 ? format(datum.value / 1e6, '~r') + 'M' : "
        "datum.value >= 1e3 ? format(datum.value / 1e3, '~r') + 'k' : format(datum.value, '~r')"
    )
    return alt.Axis(
        title=None,
        tickCount=ticks,
        labelExpr=words,
        domain=False,
        ticks=False,
        labelOverlap="greedy",
        **places,
    )


def compiled(chart: Any) -> dict[str, Any]:
    """The Vega-Lite specification without its data, to be sent with fresh data each time."""
    spec: dict[str, Any] = chart.to_dict()
    for key in ("datasets", "data", "$schema", "config"):
        spec.pop(key, None)
    for layer in spec.get("layer", []):
        layer.pop("data", None)
    return spec

"""Charts as pure functions: a frame in, a chart out. Colours come from the theme's palette.

`chartCategoricalColors` in `.streamlit/config.toml` holds grey, the error and the warn
colour of `palette.py` in the order of SERIES, for light and dark.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any

import altair as alt
import pandas as pd

from logstream.model import TrendBucket
from logstream.show.words import whole

SERIES = ("total", "errors", "warnings")
# Streamlit changes the padding in place, so a plain number will not do.
PADDING = {"left": 2, "right": 6, "top": 4, "bottom": 0}
RATE_TICKS = [0, 10, 100, 1000, 10_000, 100_000]
BRUSH, RESTORE = "range", "restore"
TREND_COLUMNS = ("start", "middle", "end", "series", "part", "count", "when", *SERIES)

# Widest bucket in seconds and how the time axis is labelled up to it.
_LABEL_FORMS = (
    (1_800, "%H:%M"),
    (7_200, "%a %H:%M"),
    (86_400, "%a %d %b"),
    (7 * 86_400, "%d %b %Y"),
    (float("inf"), "%b %Y"),
)


def trend_frame(
    buckets: Sequence[TrendBucket], bucket_seconds: int, now: datetime, zone: tzinfo
) -> pd.DataFrame:
    """One row per bucket and series, oldest first; times in milliseconds since the epoch.

    `part` is `settled` or `open` (the bucket that holds `now`, still filling); the last
    settled bucket also begins the open part, so that the lines meet. `when` is the bucket's
    time in `zone`.
    """
    rows: list[tuple[Any, ...]] = []
    for place, bucket in enumerate(buckets):
        begin = bucket.start_unix_seconds
        is_open = begin <= now.timestamp() < begin + bucket_seconds
        counts = {"total": bucket.total, "errors": bucket.error, "warnings": bucket.warn}
        next_is_open = (
            place + 1 < len(buckets)
            and not is_open
            and (
                buckets[place + 1].start_unix_seconds
                <= now.timestamp()
                < begin + 2 * bucket_seconds
            )
        )
        parts = ("open",) if is_open else ("settled", "open") if next_is_open else ("settled",)
        when = _when(begin, bucket_seconds, zone) + (" (still filling)" if is_open else "")
        for part in parts:
            rows += [
                (
                    begin * 1000.0,
                    (begin + bucket_seconds / 2) * 1000.0,
                    (begin + bucket_seconds) * 1000.0,
                    series,
                    part,
                    counts[series],
                    when,
                    *(whole(counts[name]) for name in SERIES),
                )
                for series in SERIES
            ]
    return pd.DataFrame(rows, columns=list(TREND_COLUMNS))


def _when(begin: int, bucket_seconds: int, zone: tzinfo) -> str:
    start, end = (
        datetime.fromtimestamp(at, UTC).astimezone(zone) for at in (begin, begin + bucket_seconds)
    )
    if bucket_seconds >= 86_400:
        return f"{start:%a %d %b %Y} – {end:%a %d %b %Y}"
    return f"{start:%a %d %b %H:%M} – {end:%H:%M}"


def trend_chart(
    frame: pd.DataFrame, *, bucket_seconds: int, offsets: Sequence[tuple[int, int]]
) -> Any:
    """Total, errors and warnings over time; drag selects a range, double-click restores.

    `offsets` are (from unix seconds, UTC offset in seconds), as `offset_steps` gives them:
    the axis is drawn in UTC and labelled in the zone, daylight-saving changes included.
    """
    x_axis = alt.Axis(
        title=None,
        grid=False,
        tickCount=8,
        labelExpr=_label_expression(bucket_seconds, offsets),
        labelOverlap=True,
        labelFlush=False,
        labelPadding=3,
        tickSize=3,
    )
    scale = alt.Scale(type="utc", nice=False)
    x = alt.X("middle:T", axis=x_axis, scale=scale)
    y = alt.Y(
        "count:Q",
        axis=_count_axis(2, tickMinStep=1),
        # Errors are a hundredth of the lines: on a linear scale they lie on the floor.
        scale=alt.Scale(type="sqrt", nice=2, zero=True),
        stack=None,
    )
    colour = alt.Color("series:N", scale=alt.Scale(domain=list(SERIES)), legend=None)
    dash = alt.StrokeDash(
        "part:N", scale=alt.Scale(domain=["settled", "open"], range=[[1, 0], [3, 3]]), legend=None
    )
    base = alt.Chart(frame)
    open_band = (
        base.transform_filter("datum.part == 'open' && datum.series == 'total'")
        .transform_filter("indexof(datum.when, 'filling') > 0")
        .mark_rect(opacity=0.1, color="#888888")
        .encode(x=alt.X("start:T", scale=scale), x2="end:T")
    )
    area = (
        base.transform_filter("datum.series == 'total'")
        .mark_area(opacity=0.12, interpolate="linear", color="#888888")
        .encode(x=x, y=y, detail="part:N")
    )
    lines = base.mark_line(strokeWidth=1.5, interpolate="linear", clip=False).encode(
        x=x, y=y, color=colour, strokeDash=dash
    )
    hover = alt.selection_point(name="hover", on="pointerover", clear="pointerout", empty=False)
    hits = (
        base.transform_filter("datum.series == 'total'")
        .mark_rect(color="#888888", cursor="crosshair")
        .encode(
            x=alt.X("start:T", scale=scale, axis=x_axis),
            x2="end:T",
            opacity=alt.condition(hover, alt.value(0.18), alt.value(0)),
            tooltip=[
                alt.Tooltip("when:N", title="Time"),
                alt.Tooltip("total:N", title="Lines"),
                alt.Tooltip("errors:N", title="Errors"),
                alt.Tooltip("warnings:N", title="Warnings"),
            ],
        )
        .add_params(
            hover,
            alt.selection_interval(name=BRUSH, encodings=["x"]),
            alt.selection_point(name=RESTORE, on="dblclick", fields=["start"], clear=False),
        )
    )
    # Without a line at all the axis still begins at the bottom.
    floor = base.mark_rule(opacity=0).encode(y=alt.datum(1))
    return alt.layer(open_band, area, lines, floor, hits).properties(
        height="container",
        width="container",
        padding=PADDING,
    )


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
    return alt.layer(area, line).properties(
        height="container", width="container", padding={**PADDING, "bottom": 4}
    )


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


def _label_expression(bucket_seconds: int, offsets: Sequence[tuple[int, int]]) -> str:
    """A Vega expression giving an axis label in the zone of `offsets`."""
    shift = str(offsets[0][1] * 1000)
    at = "time(datum.value)"
    for begin, offset in offsets[1:]:
        shift = f"({at} < {begin * 1000} ? {shift} : {offset * 1000})"
    local = f"({at} + {shift})"
    form = next(
        (form for widest, form in _LABEL_FORMS if bucket_seconds <= widest), _LABEL_FORMS[-1][1]
    )
    return f"utcFormat({local}, '{form}')"

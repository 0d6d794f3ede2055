"""A small histogram as plain HTML: what the buckets of /metrics hold, one bar each."""

import html
from collections.abc import Callable, Sequence

from logstream.show.words import counted, percent, whole

Bucket = tuple[float | None, int]


def distribution_html(
    title: str,
    buckets: Sequence[Bucket],
    *,
    value_words: Callable[[float], str],
    noun: str,
    marks: Sequence[tuple[str, float | None]] = (),
) -> str:
    """The histogram with its first and last bound under it, `marks` (p50 …) in its heading.

    `buckets` are (upper bound or None for "more", count), lowest first, as `GET /system`
    gives them; empty ones at both ends are left out. `noun` is what was counted.
    """
    heading = "".join(
        f"<span><i>{html.escape(name)}</i> {html.escape(value_words(value))}</span>"
        for name, value in marks
        if value is not None
    )
    opening = f"<h3 class='section'>{html.escape(title)}</h3><div class='marks'>{heading}</div>"
    filled = [place for place, (_, count) in enumerate(buckets) if count]
    if not filled:
        return f"{opening}<p class='quiet'>Nothing measured yet.</p>"
    first, last = filled[0], filled[-1]
    lows = [0.0, *(upper or 0.0 for upper, _ in buckets)]
    total = sum(count for _, count in buckets)
    most = max(count for _, count in buckets)
    bars = []
    for place in range(first, last + 1):
        upper, count = buckets[place]
        low = value_words(lows[place])
        bounds = f"over {low}" if upper is None else f"{low} to {value_words(upper)}"
        words = f"{bounds}: {counted(count, noun)}, {percent(count, total)}"
        height = max(100 * count / most, 3 if count else 0)
        bars.append(
            f"<span title='{html.escape(words)}'><b style='height:{height:.0f}%'></b></span>"
        )
    final = buckets[last][0]
    ends = (value_words(lows[first]), "more" if final is None else value_words(final))
    alt = html.escape(
        f"{title}: {whole(total)} {noun}s between {ends[0]} and {ends[1]}", quote=True
    )
    return (
        f"{opening}<div class='bars' role='img' aria-label='{alt}'>{''.join(bars)}</div>"
        f"<div class='ends'><span>{html.escape(ends[0])}</span>"
        f"<span>{counted(total, noun)}</span><span>{html.escape(ends[1])}</span></div>"
    )

"""Numbers, sizes, times and untrusted text as people read them."""

import re
from datetime import datetime, tzinfo

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|~<>$:&^=])")
_BYTE_UNITS = ("B", "kB", "MB", "GB", "TB")


def plain(text: str) -> str:
    """Text from outside for a Streamlit label: every Markdown, LaTeX and icon sign is inert."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def short(text: str, length: int = 48) -> str:
    """The text, or its beginning and `…` when it is longer than `length`."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def whole(count: float) -> str:
    """A count with its thousands separated: `12,345`."""
    return f"{count:,.0f}"


def counted(count: int, noun: str) -> str:
    """`1 line`, `12,345 lines`."""
    return f"{whole(count)} {noun}" if count == 1 else f"{whole(count)} {noun}s"


def compact(count: float) -> str:
    """A count in at most four signs, for tight places: `980`, `1.2k`, `34k`, `5.6M`."""
    value = float(count)
    for unit in ("", "k", "M"):
        if abs(value) < 999.5:
            is_short = unit and abs(value) < 9.95
            return f"{value:.1f}{unit}" if is_short else f"{value:.0f}{unit}"
        value /= 1000
    return f"{value:.1f}G" if abs(value) < 9.95 else f"{value:.0f}G"


def percent(part: int, total: int) -> str:
    """A share as `12 %`; a share that is neither none nor all never reads 0 % or 100 %."""
    if not total or not part:
        return "0 %"
    share = 100 * part / total
    if share < 1:
        return "<1 %"
    return ">99 %" if 99 < share < 100 else f"{share:.0f} %"


def size(count: float) -> str:
    """Bytes in the decimal unit that keeps the number small: `1.5 MB`."""
    for unit in _BYTE_UNITS:
        if abs(count) < 1000 or unit == _BYTE_UNITS[-1]:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError("the last unit takes every size")


def milliseconds(duration_ms: float | None) -> str:
    """A duration with its unit: `0.4 ms`, `12 ms`, `1.25 s`; `–` when unknown."""
    if duration_ms is None:
        return "–"
    if duration_ms < 10:
        return f"{duration_ms:.1f} ms"
    return f"{duration_ms:.0f} ms" if duration_ms < 1000 else f"{duration_ms / 1000:.2f} s"


def span(seconds: float) -> str:
    """A length of time in its two largest units: `45 s`, `3 min 20 s`, `2 d 4 h`."""
    left = int(seconds)
    parts: list[str] = []
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        amount, left = divmod(left, length)
        if amount or (unit == "s" and not parts):
            parts.append(f"{amount} {unit}")
        elif parts:
            break
    return " ".join(parts[:2])


def clock_time(moment: datetime, zone: tzinfo, *, near: datetime) -> str:
    """`14:05:09`, with the date in front when it is not the day of `near`."""
    local = moment.astimezone(zone)
    is_same_day = local.date() == near.astimezone(zone).date()
    form = "%H:%M:%S" if local.second else "%H:%M"
    return local.strftime(form if is_same_day else f"%Y-%m-%d {form}")

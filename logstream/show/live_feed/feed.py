"""The Python side of the feed: what the browser is told, and what the reader asked for.

The rows do not pass through Streamlit while the browser reaches hub and service itself: then
Streamlit only says which filter, zone and line are meant.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import streamlit as st

from logstream.errors import FilterError
from logstream.filter import Choice, LogFilter, range_seconds
from logstream.model import normal_trace_id
from logstream.show.asked import keeping, taken
from logstream.show.live_feed.text_tree import text_for_browser
from logstream.show.palette import SERVICE_PALETTE, SEVERITY_COLOURS
from logstream.text_query import TextPart, TextQuery, folded, term_for, with_term

FOLDER = Path(__file__).parent
# Newest lines come first, 500 at a time: a short time after keeps the line in reach.
AROUND_BEFORE, AROUND_AFTER = timedelta(minutes=5), timedelta(seconds=5)
# Joined in this order into one module, one idea a file. These draw lines, wherever from:
# the results of Explore (show/results/) are drawn by the same.
READING_SCRIPTS = (
    "predicate.js",
    "text.js",
    "shared.js",
    "browser.js",
    "columns.js",
    "options.js",
    "gaps.js",
    "store.js",
    "questions.js",
    "line_reader.js",
    "service_clock.js",
    "leaving.js",
    "trace_links.js",
    "row.js",
    "signs.js",
    "heights.js",
    "rows.js",
    "column_head.js",
    "view_options.js",
    "neighbours.js",
    "drawer.js",
    "panel.js",
    "keys.js",
    "reading.js",
    "line_view.js",
)
SCRIPTS = (
    *READING_SCRIPTS,
    "hub_client.js",
    "sampling.js",
    "lower_rungs.js",
    "heard.js",
    "holes.js",
    "source.js",
    "playback.js",
    "bands.js",
    "visits.js",
    "aim.js",
    "pausing.js",
    "feed_keys.js",
    "surroundings.js",
    "player.js",
    "player_bar.js",
    "feed.js",
)
READING_STYLES = (
    "feed.css",
    "columns.css",
    "view_options.css",
    "reading.css",
    "drawer.css",
)
STYLES = (*READING_STYLES, "player.css")


@dataclass(frozen=True)
class FeedEvent:
    """What the reader asked for inside the feed.

    `kind` is `filter` (only this value), `exclude` (hide it), `trace` (every line of this
    trace, whatever else is filtered), `loosen` (drop the field), `time` (the 15 minutes up to
    this moment), `around` (every line of one environment around this moment), `at` (the page
    as it looked at this moment; "" for live again), `position` (where a playback is now, not
    a choice of the reader's), or leaves the filter as it is: `pin` (pin this service or let it
    go), `refresh` (draw everything as it is now), `page` (the same filter on another page) or
    `open` (the waterfall of this trace; the field is a span id or "").
    `field` is a URL name of LogFilter: env, service, severity, trace, q or range, or
    `attribute:` and the attribute's name. For `time`, `around`, `at` and `position` the value is
    ISO 8601; the field of `around` is the environment's name, that of `at` and `position` the
    speed, that of `page` is `explore` or `live`.
    """

    kind: str
    field: str
    value: str = ""

    @property
    def speed(self) -> int:
        """Of `at` and `position`: how fast the past is played; 0 stands still."""
        return int(self.field) if re.fullmatch(r"\d{1,3}", self.field) else 0

    def applied_to(self, log_filter: LogFilter) -> LogFilter:
        """The filter the reader meant; unchanged when the event means nothing to it."""
        match self.kind, self.field:
            case "loosen", name if name in log_filter.to_url() or name == "range":
                return log_filter.without(name)
            case "trace", _:
                return LogFilter(
                    environment=log_filter.environment,
                    trace_id=normal_trace_id(self.value),
                    at=log_filter.at,
                )
            case "time", _:
                return self._in_time(log_filter, timedelta(minutes=15), timedelta(seconds=1))
            case "around", environment:
                bare = LogFilter(environment=Choice(only=(environment,)), at=log_filter.at)
                changed = self._in_time(bare, AROUND_BEFORE, AROUND_AFTER)
                return log_filter if changed == bare else changed
            case "at" | "position", _:
                read, problems = LogFilter.read_url({"at": self.value})
                return log_filter if problems else replace(log_filter, at=read.at)
            case "filter", "trace":
                return replace(log_filter, trace_id=normal_trace_id(self.value))
            case "filter", "q":
                return replace(log_filter, q=with_term(log_filter.q, _as_term(self.value)))
            case "filter" | "exclude", attribute if attribute.startswith("attribute:"):
                name, is_excluded = attribute.removeprefix("attribute:"), self.kind == "exclude"
                term = term_for(name, self.value, is_excluded)
                return replace(log_filter, q=with_term(log_filter.q, term))
            case "filter" | "exclude", "env":
                return replace(log_filter, environment=self._changed(log_filter.environment))
            case "filter" | "exclude", "service":
                return replace(log_filter, service=self._changed(log_filter.service))
            case "filter" | "exclude", "severity":
                return replace(log_filter, severity=self._changed(log_filter.severity))
        return log_filter

    def _in_time(self, log_filter: LogFilter, before: timedelta, after: timedelta) -> LogFilter:
        try:
            moment = datetime.fromisoformat(self.value).astimezone(UTC).replace(microsecond=0)
            return replace(log_filter, range_text="", start=moment - before, end=moment + after)
        except (ValueError, OverflowError):
            return log_filter

    def _changed(self, choice: Choice) -> Choice:
        if self.kind == "filter":
            return Choice(only=(self.value,))
        return Choice(
            only=tuple(kept for kept in choice.only if kept != self.value),
            excluded=tuple(dict.fromkeys((*choice.excluded, self.value))),
        )


def live_feed(
    log_filter: LogFilter,
    *,
    service_url: str,
    service_port: int,
    line: str = "",
    timezone: str = "UTC",
    page_pass: str = "",
    pinned: Sequence[str] = (),
    relay_path: str = "",
    handed: Mapping[str, Any] | None = None,
    speed: int = 0,
    picks: int = 0,
    key: str = "feed",
) -> FeedEvent | None:
    """Draw the feed down to the window's lower edge; give what the reader asked for, once.

    `service_url` is the ingest service as browsers see it, or "" for the page's own host with
    `service_port`. `line` (a log id) opens that line's detail even when the filter excludes
    it; the feed then keeps the URL's `line` up to date by itself. `timezone` is an IANA name
    or `local` for the browser's own. `page_pass` lets the browser in at the service; a newer one
    may be given at any time. `pinned` are the services that can be let go. `relay_path` is where
    the page's own host relays questions to the service, and `handed` what the browser wished of
    this process; see lower_rungs.py. With `log_filter.at` the feed plays the past from there,
    `speed` times as fast as it was, or stands still (0); `picks` must grow whenever that moment
    was chosen outside the feed, which moves on by itself.
    """
    _component()(
        key=key,
        data={
            "key": key,
            # The browser's own position is the moment meant.
            "filter": filter_for_browser(replace(log_filter, at=None)),
            "at": log_filter.to_url().get("at", ""),
            "speed": speed,
            "picks": picks,
            "line": line,
            "timezone": timezone,
            "pinned": list(pinned),
            "handed": dict(handed or {}) or None,
            **reach(service_url, service_port, page_pass=page_pass, relay_path=relay_path),
        },
        on_asked_change=keeping(key),
        on_wish_change=lambda: None,
    )
    return read_event(taken(key))


def reach(
    service_url: str, service_port: int, *, page_pass: str, relay_path: str
) -> dict[str, Any]:
    """What every list of lines is told: where to ask for them, and in which colours."""
    return {
        "serviceUrl": service_url.rstrip("/"),
        "servicePort": service_port,
        "pass": page_pass,
        "relayPath": relay_path,
        "palette": {"severities": SEVERITY_COLOURS, "services": SERVICE_PALETTE},
    }


def filter_for_browser(log_filter: LogFilter) -> dict[str, Any]:
    """The filter as `predicate.js` reads it, its URL parameters, and each active field.

    `active` lists what could be loosened: field, words for a button, and the URL parameters
    of the filter without it.
    """
    start, end = replace(log_filter, range_text="").window_unix_nano(0)
    at = log_filter.at_unix_nano
    return {
        "environment": _choice(log_filter.environment),
        "service": _choice(log_filter.service),
        "severity": _choice(log_filter.severity),
        "traceId": log_filter.trace_id,
        "text": text_for_browser(log_filter.text),
        "rangeSeconds": range_seconds(log_filter.range_text) if log_filter.range_text else 0,
        "startUnixNano": None if start is None else str(start),
        "endUnixNano": None if end is None else str(end),
        "atUnixNano": None if at is None else str(at),
        "url": log_filter.to_url(),
        "words": log_filter.words(),
        "active": [
            {"field": name, "label": label, "url": log_filter.without(name).to_url()}
            for name, label in _active(log_filter)
        ],
    }


def read_event(asked: object) -> FeedEvent | None:
    """The event the browser sent; None for nothing and for anything malformed."""
    if not isinstance(asked, Mapping):
        return None
    parts = [asked.get(name) for name in ("kind", "field", "value")]
    if not all(isinstance(part, str) for part in parts):
        return None
    kind, field, value = (str(part) for part in parts)
    return FeedEvent(kind, field, value)


def feed_script() -> str:
    """The component's JavaScript module."""
    return joined(SCRIPTS)


def feed_markup() -> str:
    """The component's HTML."""
    return with_parts((FOLDER / "feed.html").read_text(encoding="utf-8"))


def with_parts(markup: str) -> str:
    """HTML with the files named in its comments put in their place."""
    for name in ("player.html", "rows.html", "drawer.html"):
        markup = markup.replace(f"<!-- {name} -->", joined((name,)))
    return markup


def joined(names: tuple[str, ...]) -> str:
    """The text of these files of this folder, one after the other."""
    return "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in names)


_mounts: list[Any] = []


def _component() -> Any:
    # Registered on first use: importing this module must not need a running Streamlit.
    if not _mounts:
        _mounts.append(
            st.components.v2.component(
                "logstream_live_feed",
                html=feed_markup(),
                css=joined(STYLES),
                js=feed_script(),
            )
        )
    return _mounts[0]


def _active(log_filter: LogFilter) -> list[tuple[str, str]]:
    names = {
        "env": "environment",
        "service": "service",
        "severity": "severity",
        "trace": "trace",
        "q": "text",
    }
    url = log_filter.to_url()
    active = [
        (name, f"{words} {_shortened(url[name])}") for name, words in names.items() if name in url
    ]
    if log_filter.range_text or log_filter.start is not None or log_filter.end is not None:
        active.append(("range", f"time range {log_filter.range_text}".strip()))
    return active


def _shortened(text: str) -> str:
    return text if len(text) <= 24 else f"{text[:23]}…"


def _choice(choice: Choice) -> dict[str, list[str]]:
    return {"only": list(choice.only), "excluded": list(choice.excluded)}


def _as_term(value: str) -> str:
    # A phrase cannot hold a quote or cross a line; its longest part finds the same line.
    parts = [part.strip() for part in value.replace("\n", '"').split('"')]
    longest = max(parts, key=len)
    try:
        is_word = TextQuery.parse(longest) == TextQuery((TextPart(folded(longest)),))
    except FilterError:
        is_word = False
    return longest if is_word else f'"{longest}"' if longest else ""

"""The Python side of the found lines: what the browser is told, and what the reader asked for.

The browser searches by itself, at the ingest service or through the dashboard's relay; Streamlit
only says which filter, zone and line are meant.
"""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from logstream.filter import LogFilter
from logstream.show.asked import keeping, taken
from logstream.show.live_feed.feed import (
    READING_SCRIPTS,
    READING_STYLES,
    FeedEvent,
    filter_for_browser,
    joined,
    reach,
    read_event,
    with_parts,
)

_HERE = Path(__file__).parent
_SCRIPTS = ("result_source.js", "around_results.js", "nothing_found.js", "results.js")


def found_lines(
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
    searches: int = 0,
    key: str = "found",
) -> FeedEvent | None:
    """Draw the lines under a filter down to the window's lower edge; give what was asked, once.

    The parameters are those of `live_feed`. `handed` answers the browser's wish for a page of
    lines while the service is away, see explore/handed_page.py. When `searches` grows, the
    browser searches again.
    """
    _component()(
        key=key,
        data={
            "key": key,
            "filter": filter_for_browser(log_filter),
            "line": line,
            "timezone": timezone,
            "pinned": list(pinned),
            "handed": dict(handed or {}) or None,
            "searches": searches,
            "nowUnixMs": time.time_ns() // 1_000_000,
            **reach(service_url, service_port, page_pass=page_pass, relay_path=relay_path),
        },
        on_asked_change=keeping(key),
        on_wish_change=lambda: None,
    )
    return read_event(taken(key))


def results_script() -> str:
    """The component's JavaScript module."""
    return f"{joined(READING_SCRIPTS)}\n{_joined(_SCRIPTS)}"


def _joined(names: tuple[str, ...]) -> str:
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in names)


_mounts: list[Any] = []


def _component() -> Any:
    # Registered on first use: importing this module must not need a running Streamlit.
    if not _mounts:
        _mounts.append(
            st.components.v2.component(
                "logstream_found_lines",
                html=with_parts(_joined(("results.html",))),
                css=f"{joined(READING_STYLES)}\n{_joined(('results.css',))}",
                js=results_script(),
            )
        )
    return _mounts[0]

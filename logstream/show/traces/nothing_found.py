"""A list without a trace: why, and the one thing to do."""

from dataclasses import replace
from datetime import UTC, datetime

import streamlit as st

from logstream.filter import LogFilter
from logstream.show import session, url_state
from logstream.show.cards import empty
from logstream.show.time_range import range_words
from logstream.show.url_state import View
from logstream.show.words import short

WIDER = "24h"


def draw_nothing(view: View) -> None:
    """Loosen the filter, look further back, or send spans."""
    chosen = view.chosen
    now = datetime.now(UTC)
    when = range_words(view.log_filter, view.zone, now)
    filters = chosen.without("range").without("at").without("env")
    if filters != LogFilter():
        empty(
            f"No trace is so in the time shown: {when}.",
            "Take a filter away under the bar above, or choose a longer time.",
        )
    else:
        where = " and ".join(chosen.environment.only)
        kind = f"No trace of {short(where, 60)}" if where else "No trace"
        empty(f"{kind} begins in the time shown: {when}.", "Choose a longer time, or send some.")
    with st.container(horizontal=True, gap="small", key="trace-loosen"):
        if filters != LogFilter():
            st.button("Reset filters", key="traces-reset", on_click=url_state.reset)
        if view.log_filter.range_text != WIDER:
            st.button(
                "Show the last 24 h",
                key="traces-wider",
                on_click=_show_wider,
            )
        if chosen.environment:
            st.button("All environments", key="traces-everywhere", on_click=_show_everywhere)
    if filters == LogFilter():
        _how_to_send()


def _show_wider() -> None:
    chosen = url_state.shown().chosen
    url_state.change(replace(chosen, range_text=WIDER, start=None, end=None))


def _show_everywhere() -> None:
    url_state.change(url_state.shown().chosen.without("env"))


def _how_to_send() -> None:
    """Two lines that make any OpenTelemetry SDK send here."""
    settings = session.settings()
    address = (settings.public_url or settings.url).rstrip("/")
    st.html(
        "<p class='quiet'>Any OpenTelemetry SDK sends its spans here with two environment "
        "variables; log lines that carry a trace id show up as traces by themselves.</p>"
    )
    st.code(
        f"export OTEL_EXPORTER_OTLP_ENDPOINT={address}\n"
        "export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
        language="bash",
    )

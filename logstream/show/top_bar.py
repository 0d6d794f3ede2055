"""The bar on top of every page: environment, time and zone, query, state, share."""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import streamlit as st

from logstream.errors import LogStreamError
from logstream.filter import Choice, range_seconds
from logstream.show import session, url_state
from logstream.show.copy_link import copy_link
from logstream.show.history_control import draw_history
from logstream.show.query_box import draw_query_box
from logstream.show.state_pill import state_pill
from logstream.show.time_range import DEFAULT_RANGE, MORE_PRESETS, PRESETS, range_words
from logstream.show.url_state import View
from logstream.show.widget_values import is_echo, show_value
from logstream.show.words import plain
from logstream.zones import read_zone

ALL_ENVIRONMENTS = ""


def draw_top_bar(
    view: View,
    now: datetime,
    *,
    narrowed_by: Collection[str] | None = None,
    is_of_traces: bool = False,
) -> None:
    """Draw the bar; every control writes to the URL.

    What does not narrow the page (`narrowed_by`, None for everything) is kept in sight but
    still, so that nobody waits for an effect; it holds for the page one came from. Traces are
    searched in words of their own, and know no moment of the past.
    """
    has_time = narrowed_by is None or "time" in narrowed_by
    is_searched = narrowed_by is None or "q" in narrowed_by
    with st.container(horizontal=True, vertical_alignment="center", key="top-bar", gap="small"):
        with st.container(key="env-picker", width=176):
            _environment(view)
        with st.container(key="time-range", horizontal=True, width="content", gap=None):
            _range(view, has_time)
            _zone_and_custom_range(view, now)
        with st.container(key="history", width="content"):
            draw_history(view, now, is_enabled=is_searched and not is_of_traces)
        with st.container(key="query"):
            draw_query_box(view, is_enabled=is_searched, is_of_traces=is_of_traces)
        state_pill()
        with st.container(key="share", width="content"):
            # As of a moment a relative range stands still already.
            range_text = "" if view.chosen.at is not None else view.log_filter.range_text
            copy_link(
                url_state.whole_url(),
                range_text=range_text,
                saved=view.saved,
                is_modified=view.is_modified,
                times_opened=url_state.times_opened(),
            )


def _environment(view: View) -> None:
    try:
        known = session.environments()
    except LogStreamError:
        session.note_missing_answer()
        known = []
    chosen = view.chosen.environment.to_url()
    options = [ALL_ENVIRONMENTS, *(Choice((name,)).to_url() for name in known)]
    if chosen not in options:
        options.append(chosen)
    show_value("pick-env", chosen)
    st.selectbox(
        "Environment",
        options,
        key="pick-env",
        format_func=_environment_words,
        label_visibility="collapsed",
        on_change=_environment_chosen,
    )


def _environment_words(value: str) -> str:
    choice = Choice.from_url(value)
    if not choice:
        return "All environments"
    return " and ".join([*choice.only, *(f"not {name}" for name in choice.excluded)])


def _environment_chosen() -> None:
    if is_echo("pick-env"):
        return
    environment = Choice.from_url(st.session_state["pick-env"] or ALL_ENVIRONMENTS)
    url_state.change(replace(url_state.shown().chosen, environment=environment))


def _range(view: View, is_enabled: bool) -> None:
    preset = view.log_filter.range_text
    chosen = preset if preset in PRESETS else None
    show_value("pick-range", chosen)
    st.segmented_control(
        "Time range",
        PRESETS,
        key="pick-range",
        label_visibility="collapsed",
        disabled=not is_enabled,
        on_change=_range_chosen,
    )


def _range_chosen() -> None:
    if is_echo("pick-range"):
        return
    view, picked = url_state.shown(), st.session_state["pick-range"]
    if picked is None and view.log_filter.range_text not in PRESETS:
        # Not a click: a chosen time has just emptied the control, and the browser echoes that.
        return
    range_text = picked or DEFAULT_RANGE
    if range_text == view.log_filter.range_text:
        return  # the browser echoes what was set here, not a choice
    url_state.change(replace(view.chosen, range_text=range_text, start=None, end=None))


def _zone_and_custom_range(view: View, now: datetime) -> None:
    zone, log_filter = view.zone, view.log_filter
    words = range_words(log_filter, zone, now)
    is_preset = log_filter.range_text in PRESETS
    label = view.timezone if is_preset else f"{words} · {view.timezone}"
    with st.popover(plain(label), key="time-zone", icon=":material/schedule:"):
        _zone(view)
        _more_ranges(view)
        start = log_filter.start or now - timedelta(
            seconds=range_seconds(log_filter.range_text or DEFAULT_RANGE)
        )
        end = log_filter.end or now
        with st.form("custom-range", border=False):
            # Shown as wall-clock time of the chosen zone; the widget itself knows no zone.
            for name, text, moment in (("from", "From", start), ("to", "To", end)):
                local = moment.astimezone(zone).replace(tzinfo=None, microsecond=0)
                st.datetime_input(
                    f"{text} ({view.timezone})",
                    value=local,
                    key=f"custom-{name}-{view.timezone}-{int(_slot(moment))}",
                    step=timedelta(minutes=1),
                    format="YYYY-MM-DD",
                )
            st.form_submit_button(
                "Show this time",
                on_click=_custom_range_chosen,
                args=(
                    f"custom-from-{view.timezone}-{int(_slot(start))}",
                    f"custom-to-{view.timezone}-{int(_slot(end))}",
                ),
            )


def _more_ranges(view: View) -> None:
    preset = view.log_filter.range_text
    chosen = preset if preset in MORE_PRESETS else None
    show_value("pick-more-range", chosen)
    st.segmented_control("Last", MORE_PRESETS, key="pick-more-range", on_change=_more_range_chosen)


def _more_range_chosen() -> None:
    picked = st.session_state["pick-more-range"]
    if picked is not None and not is_echo("pick-more-range"):
        url_state.change(replace(url_state.shown().chosen, range_text=picked, start=None, end=None))


def _slot(moment: datetime) -> float:
    """A widget's identity may not change while it is edited, though `now` moves."""
    return moment.timestamp() // 3600


def _custom_range_chosen(from_key: str, to_key: str) -> None:
    view = url_state.shown()
    first, last = st.session_state[from_key], st.session_state[to_key]
    if first is None or last is None:
        return
    start, end = (moment.replace(tzinfo=view.zone).astimezone(UTC) for moment in (first, last))
    if start > end:
        start, end = end, start
    if start == end:
        end += timedelta(minutes=1)
    url_state.change(replace(view.chosen, range_text="", start=start, end=end))


def _zone(view: View) -> None:
    browser = st.context.timezone or "UTC"
    options = list(dict.fromkeys(["UTC", browser, view.timezone]))
    try:
        read_zone(browser)
    except LogStreamError:
        options.remove(browser)
    show_value("pick-tz", view.timezone)
    st.radio(
        "Time zone",
        options,
        key="pick-tz",
        format_func=lambda name: plain(f"{name} (browser)" if name == browser != "UTC" else name),
        on_change=_zone_chosen,
        horizontal=True,
    )


def _zone_chosen() -> None:
    if is_echo("pick-tz"):
        return
    url_state.change_timezone(st.session_state["pick-tz"])

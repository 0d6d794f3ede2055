"""The control beside the time range that shows the page as it looked at a moment of the past."""

from datetime import UTC, datetime, timedelta

import streamlit as st

from logstream.show import url_state
from logstream.show.url_state import View

SHORTCUTS = (
    ("5 min ago", timedelta(minutes=5)),
    ("1 h ago", timedelta(hours=1)),
    ("Yesterday, same time", timedelta(days=1)),
)


def draw_history(view: View, now: datetime, *, is_enabled: bool = True) -> None:
    """Draw the control; what is picked stands still until the reader presses play."""
    at = view.chosen.at
    picks = url_state.moment_picks()
    # A pick makes another popover of it, so that the open one closes over the page it changed.
    with st.popover(
        "History",
        key=f"history-{picks}",
        icon=":material/history:",
        disabled=not is_enabled,
        help="Show this page as it looked at a moment, and play on from there (t)",
    ):
        st.html("<span class='quiet'>As it looked then: lines received later are absent.</span>")
        with st.container(horizontal=True, gap="small", key="history-shortcuts"):
            for words, ago in SHORTCUTS:
                st.button(words, key=f"history-{words}", on_click=_ago_chosen, args=(ago,))
        with st.form("history-moment", border=False):
            moment = at or now - timedelta(minutes=5)
            local = moment.astimezone(view.zone).replace(tzinfo=None, microsecond=0)
            key = f"history-at-{view.timezone}-{picks}"
            st.datetime_input(
                f"Moment ({view.timezone})",
                # A widget may not change while it is edited, though time moves.
                value=st.session_state.setdefault(f"{key}-first", local),
                key=key,
                step=timedelta(minutes=1),
                format="YYYY-MM-DD",
            )
            st.form_submit_button("Show this moment", on_click=_moment_chosen, args=(key,))
        if at is not None:
            st.button("Back to live", key="history-live", on_click=_back_to_live)


def _ago_chosen(ago: timedelta) -> None:
    moment = datetime.now(UTC).replace(microsecond=0) - ago
    url_state.change_moment(moment, is_pick=True)


def _moment_chosen(key: str) -> None:
    picked: datetime | None = st.session_state[key]
    if picked is None:
        return
    moment = picked.replace(tzinfo=url_state.shown().zone).astimezone(UTC)
    url_state.change_moment(min(moment, datetime.now(UTC).replace(microsecond=0)), is_pick=True)


def _back_to_live() -> None:
    url_state.change_moment(None, is_pick=True)

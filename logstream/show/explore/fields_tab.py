"""The tab Fields: every attribute, how widespread it is, and its values."""

import streamlit as st

from logstream.errors import LogStreamError
from logstream.show import preferences, session, url_state
from logstream.show.asked import Asked
from logstream.show.cards import empty, guarded
from logstream.show.explore import questions
from logstream.show.explore.choices import choose, chosen_of
from logstream.show.explore.components.facets import MOST_SENT
from logstream.show.explore.components.fields import field_table
from logstream.show.explore.rerun import redraw_page, redraw_when_changed
from logstream.show.url_state import View

_OFFERED = "fields-offered"
_ACTS = ("toggle", "only", "exclude")


def draw_fields(view: View) -> None:
    """One row an attribute."""
    _table()


@st.fragment
@guarded("The attributes cannot be drawn.")
def _table() -> None:
    redraw_when_changed()
    log_filter = url_state.shown().log_filter
    try:
        fields = questions.fields(log_filter, MOST_SENT)
    except LogStreamError:
        session.note_missing_answer()
        raise
    if not fields.fields:
        if fields.looked:
            empty("No line here carries attributes.", "Senders add them as `metadata`.")
        else:
            empty("No line, so no attribute.", "Choose a longer time, or take a filter away.")
        return
    offered = {f"attribute:{one.name}": [value for value, _ in one.values] for one in fields.fields}
    st.session_state[_OFFERED] = offered
    field_table(
        fields,
        chosen={field: chosen_of(log_filter, field, values) for field, values in offered.items()},
        pinned=preferences.current().pinned_fields,
        follow=_follow,
    )


def _follow(asked: Asked) -> None:
    kind, field, value = (str(asked.get(name, "")) for name in ("kind", "field", "value"))
    if kind in _ACTS:
        values = st.session_state.get(_OFFERED, {}).get(field, ())
        url_state.change(choose(url_state.shown().chosen, field, value, kind, values))
        redraw_page()
    elif kind == "pin":
        preferences.toggle_field(field)
        redraw_page()

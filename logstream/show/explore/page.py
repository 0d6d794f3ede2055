"""The Explore page: ask, histogram, facets at the left, results in tabs at the right.

Lines are asked for first, by the browser itself, while the counts are still on their way. Each
part fails alone.
"""

from collections.abc import Callable
from functools import partial

import streamlit as st

from logstream.show import url_state
from logstream.show.cards import guarded
from logstream.show.explore.ask_box import draw_ask
from logstream.show.explore.facet_rail import draw_rail_switches, is_rail_drawn, rail_key
from logstream.show.explore.facets import draw_facets
from logstream.show.explore.fields_tab import draw_fields
from logstream.show.explore.histogram import draw_histogram
from logstream.show.explore.keep_bar import draw_keep_bar
from logstream.show.explore.patterns_tab import draw_patterns
from logstream.show.explore.results import draw_results
from logstream.show.explore.spike import draw_spike
from logstream.show.explore.tabs import draw_tabs
from logstream.show.url_state import View

_TABS = {
    "lines": ("The lines cannot be drawn.", draw_results),
    "patterns": ("The patterns cannot be drawn.", draw_patterns),
    "fields": ("The fields cannot be drawn.", draw_fields),
}


def draw_explore() -> None:
    """Everything on the page under the common bars."""
    view = url_state.shown()
    ask = st.container(key="ask", gap=None)
    histogram = st.container(key="histogram-place", gap=None)
    spike = st.container(key="spike-place", gap=None)
    with st.container(key="explore-body", horizontal=True, gap="small"):
        rail = st.container(key=rail_key(), gap=None) if is_rail_drawn() else None
        results = st.container(key="results", gap=None)
    with results:
        _draw_results(view)
    with ask:
        _part("The box for questions cannot be drawn.", draw_ask, view)
    with histogram:
        _part("The histogram cannot be drawn.", draw_histogram, view)
    with spike:
        _part("The spike cannot be explained.", draw_spike, view)
    if rail is not None:
        with rail, st.container(key="facets", gap=None):
            _part("The facets cannot be drawn.", draw_facets, view)


def _draw_results(view: View) -> None:
    with st.container(key="results-bar", horizontal=True, vertical_alignment="center"):
        draw_rail_switches()
        draw_tabs(view)
        _part("Saved views cannot be drawn.", draw_keep_bar, view)
    title, draw = _TABS[view.tab]
    _part(title, draw, view)


def _part(title: str, draw: Callable[[View], None], view: View) -> None:
    guarded(title)(partial(draw, view))()

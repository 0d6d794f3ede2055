"""The Explore page: ask, histogram, facets at the left, results in tabs at the right."""

import streamlit as st

from logstream.show import url_state
from logstream.show.explore.ask_box import draw_ask
from logstream.show.explore.facets import draw_facets
from logstream.show.explore.fields_tab import draw_fields
from logstream.show.explore.histogram import draw_histogram
from logstream.show.explore.keep_bar import draw_keep_bar
from logstream.show.explore.patterns_tab import draw_patterns
from logstream.show.explore.results import draw_results
from logstream.show.explore.spike import draw_spike
from logstream.show.explore.tabs import draw_tabs


def draw_explore() -> None:
    """Everything on the page under the common bars."""
    view = url_state.shown()
    with st.container(key="ask"):
        draw_ask(view)
    draw_histogram(view)
    draw_spike(view)
    facets, results = st.columns([1, 4], gap="small")
    with facets, st.container(key="facets"):
        draw_facets(view)
    with results, st.container(key="results"):
        with st.container(key="results-bar", horizontal=True, vertical_alignment="center"):
            draw_tabs(view)
            draw_keep_bar(view)
        match view.tab:
            case "patterns":
                draw_patterns(view)
            case "fields":
                draw_fields(view)
            case _:
                draw_results(view)

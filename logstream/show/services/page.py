"""The Services page: all of them as a list or as a map, or one of them in detail."""

import streamlit as st

from logstream.show import url_state
from logstream.show.services.asked import chosen_service
from logstream.show.services.detail import draw_detail
from logstream.show.services.list_tab import draw_list
from logstream.show.services.map_tab import draw_map
from logstream.show.services.ways_out import follow_way_out
from logstream.show.widget_values import is_echo, show_value

# How all services are shown; the first one is usual. A parameter of the URL.
SHOW = "show"
_TABS = {"list": draw_list, "map": draw_map}
_WORDS = {"list": ":material/table_rows: List", "map": ":material/hub: Map"}


def draw_services() -> None:
    """Everything on the page under the common bars."""
    follow_way_out()
    view = url_state.shown()
    service = chosen_service(view)
    if service is not None:
        draw_detail(view, service)
        return
    tab = st.query_params.get(SHOW, "list")
    draw = _TABS.get(tab, draw_list)
    _draw_tabs(tab if tab in _TABS else "list")
    draw(view)


def show_tab(tab: str) -> None:
    """From a callback: the list or the map."""
    if tab == "list":
        st.query_params.pop(SHOW, None)
    else:
        st.query_params[SHOW] = tab


def _tab_chosen() -> None:
    if not is_echo("pick-services-tab"):
        show_tab(st.session_state["pick-services-tab"])


def _draw_tabs(tab: str) -> None:
    show_value("pick-services-tab", tab)
    with st.container(key="services-tabs"):
        st.segmented_control(
            "Show services as",
            list(_TABS),
            key="pick-services-tab",
            format_func=lambda name: _WORDS[name],
            required=True,
            label_visibility="collapsed",
            on_change=_tab_chosen,
        )

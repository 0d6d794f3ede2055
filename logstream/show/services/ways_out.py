"""From a service to its traces, its lines, and what it sends now."""

from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from logstream.filter import Choice, LogFilter
from logstream.show import url_state
from logstream.show.asked import Asked
from logstream.show.url_state import View

_PAGES = Path(__file__).resolve().parents[3] / "pages"
PLACES = ("traces", "explore", "live")
_GO = "services-go"


def links(view: View) -> dict[str, str]:
    """The address of each page beside this one, to which a service's name is to be added."""
    return {page: f"{page}?{urlencode([*_of(view, page), ('service', '')])}" for page in PLACES}


def go_from(asked: Asked) -> None:
    """From a callback: the run that follows shows the page that was asked for."""
    page, service = str(asked.get("page", "")), str(asked.get("service", ""))
    if page in PLACES and service:
        go(page, replace(url_state.shown().chosen, service=Choice((service,)), severity=Choice()))


def go(page: str, chosen: LogFilter) -> None:
    """From a callback: the run that follows shows this filter on another page."""
    st.session_state[_GO] = (page, chosen)


def follow_way_out() -> None:
    """First thing on the page: go where the last click leads."""
    if _GO not in st.session_state:
        return
    page, chosen = st.session_state.pop(_GO)
    url_state.change(_kept(chosen, page))
    st.switch_page(_PAGES / f"{page}.py", query_params=url_state.shown().to_url())


def open_service(service: str) -> None:
    """From a callback: show everything about one service, or all of them (``""``)."""
    chosen = url_state.shown().chosen
    only = Choice((service,)) if service else Choice()
    url_state.change(replace(chosen, service=only))


def _of(view: View, page: str) -> list[tuple[str, str]]:
    chosen = replace(view.chosen, service=Choice(), severity=Choice())
    return list(replace(view, chosen=_kept(chosen, page), saved=None).to_url().items())


def _kept(chosen: LogFilter, page: str) -> LogFilter:
    """Neither a search nor a trace of before; Live has no fixed end of time."""
    kept = replace(chosen, q=chosen.q if page == "explore" else "", trace_id="")
    return replace(kept, start=None, end=None, at=None) if page == "live" else kept

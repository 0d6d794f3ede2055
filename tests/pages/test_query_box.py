"""What a typed search does to the page, and what the box is told."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.shop import OpenPage, chips, query_box, url_of


def box_alone() -> None:
    """The box without a page around it; what was typed stands in the session."""
    import streamlit as st

    from logstream.show import url_state
    from logstream.show.query_box import draw_query_box

    url_state.current("live")
    if "typing" in st.session_state:
        url_state.change_query(st.session_state.pop("typing").strip())
    draw_query_box(url_state.shown())


@pytest.fixture
def alone(dashboard: pytest.MonkeyPatch) -> AppTest:
    page = AppTest.from_function(box_alone, default_timeout=30)
    page.query_params["severity"] = "error"
    return page.run()


def typed(page: AppTest, text: str) -> AppTest:
    page.session_state["typing"] = text
    return page.run()


def test_a_typed_search_goes_to_the_url_without_the_blanks_around_it(alone: AppTest) -> None:
    typed(alone, "  timed out ")
    assert url_of(alone) == {"severity": "error", "q": "timed out"}
    assert query_box(alone)["text"] == "timed out"
    typed(alone, "")
    assert url_of(alone) == {"severity": "error"}


def test_a_mistake_stays_in_the_box_and_the_search_before_in_force(alone: AppTest) -> None:
    typed(alone, "timeout")
    typed(alone, "timeout severity>=loud")
    assert url_of(alone) == {"severity": "error", "q": "timeout severity>=loud"}
    assert alone.session_state["url-view"].chosen.q == "timeout"
    told = query_box(alone)
    assert told["text"] == "timeout severity>=loud"
    assert told["mistake"]["problem"] == "severity 'loud' is not known"
    shown, caret = told["mistake"]["lines"].split("\n")
    assert shown[caret.index("^") :] == "loud"
    typed(alone, "timeout severity>=warn")
    assert query_box(alone)["mistake"] is None
    assert url_of(alone)["q"] == "timeout severity>=warn"


def test_what_may_go_on_is_told_from_what_is_wrong(alone: AppTest) -> None:
    typed(alone, "a (b OR")
    assert query_box(alone)["mistake"]["isAtEnd"]
    typed(alone, "OR a (b)")
    assert not query_box(alone)["mistake"]["isAtEnd"]


def test_a_broken_search_of_the_url_stands_in_the_box_to_be_mended(open_page: OpenPage) -> None:
    page = open_page(q="timeout (refused", severity="error")
    assert query_box(page)["text"] == "timeout (refused"
    assert "did you mean timeout (refused)?" in query_box(page)["mistake"]["hint"]
    assert "`)` is missing" in chips(page)[1].replace("\\", "")
    # What may complete it is asked of the lines of the other filters.
    assert query_box(page)["parameters"] == {"severity": "error", "range": "15m"}

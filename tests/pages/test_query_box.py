"""What a typed search does to the page, and what the box is told."""

from tests.shop import OpenPage, chips, query_box, type_search, url_of


def test_a_typed_search_goes_to_the_url_without_the_blanks_around_it(open_page: OpenPage) -> None:
    page = open_page(severity="error")
    type_search(page, "  timed out ")
    assert url_of(page) == {"severity": "error", "q": "timed out"}
    assert query_box(page)["text"] == "timed out"
    type_search(page, "")
    assert url_of(page) == {"severity": "error"}


def test_a_mistake_stays_in_the_box_and_the_search_before_in_force(open_page: OpenPage) -> None:
    page = open_page(severity="error")
    type_search(page, "timeout")
    type_search(page, "timeout severity>=loud")
    assert url_of(page) == {"severity": "error", "q": "timeout severity>=loud"}
    assert page.session_state["url-view"].chosen.q == "timeout"
    told = query_box(page)
    assert told["text"] == "timeout severity>=loud"
    assert told["mistake"]["problem"] == "severity 'loud' is not known"
    shown, caret = told["mistake"]["lines"].split("\n")
    assert shown[caret.index("^") :] == "loud"
    type_search(page, "timeout severity>=warn")
    assert query_box(page)["mistake"] is None
    assert url_of(page)["q"] == "timeout severity>=warn"


def test_what_may_go_on_is_told_from_what_is_wrong(open_page: OpenPage) -> None:
    page = open_page(severity="error")
    type_search(page, "a (b OR")
    assert query_box(page)["mistake"]["isAtEnd"]
    type_search(page, "OR a (b)")
    assert not query_box(page)["mistake"]["isAtEnd"]


def test_a_broken_search_of_the_url_stands_in_the_box_to_be_mended(open_page: OpenPage) -> None:
    page = open_page(q="timeout (refused", severity="error")
    assert query_box(page)["text"] == "timeout (refused"
    assert "did you mean timeout (refused)?" in query_box(page)["mistake"]["hint"]
    assert "`)` is missing" in chips(page)[1].replace("\\", "")
    # What may complete it is asked of the lines of the other filters.
    assert query_box(page)["parameters"] == {"severity": "error", "range": "15m"}

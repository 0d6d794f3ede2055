"""What a person prefers travels in a cookie, and a cookie may hold anything."""

import pytest

from logstream.show import preferences
from logstream.show.preferences import MOST_COOKIE_BYTES, Preferences
from logstream.show.url_state import read_view
from tests.shop import OpenPage, chips, url_of


@pytest.mark.parametrize(
    "given",
    [
        Preferences(),
        Preferences("Asia/Kolkata", ("checkout", "größe; 價格=1,2", 'quote"\\', "-dash")),
        Preferences(pinned=("cart",), pinned_fields=("attribute:http.route", "pattern")),
    ],
)
def test_a_cookie_brings_back_what_it_was_given(given: Preferences) -> None:
    value = given.to_cookie()
    assert not set(value) & set(" ;,\"'\\=")
    assert Preferences.from_cookie(value) == given


@pytest.mark.parametrize(
    "value",
    ["", "{", "%7B%7D", "null", "%5B%5D", "7", "%ff", '{"timezone":"Mars/Olympus","pinned":"a"}'],
)
def test_a_cookie_that_cannot_be_read_is_as_on_a_first_visit(value: str) -> None:
    assert Preferences.from_cookie(value) == Preferences()


def test_the_first_pins_are_kept_when_a_cookie_cannot_hold_them_all() -> None:
    # 10 names of 500 letters: 6 of them and what stands around fit 3,500 bytes, 7 do not.
    names = tuple(f"{n}" * 500 for n in range(10))
    value = Preferences(pinned=names).to_cookie()
    assert len(value) <= MOST_COOKIE_BYTES
    assert Preferences.from_cookie(value).pinned == names[:6]


def test_a_zone_in_the_url_wins_over_the_remembered_one_and_utc_is_said_when_it_is_unusual() -> (
    None
):
    assert read_view({}, "Europe/Berlin").timezone == "Europe/Berlin"
    assert read_view({}, "Europe/Berlin").to_url() == {"tz": "Europe/Berlin"}
    assert read_view({"tz": "UTC"}, "Europe/Berlin").to_url() == {"tz": "UTC"}
    assert read_view({"tz": "UTC"}).to_url() == {}
    unknown = read_view({"tz": "Mars/Olympus"}, "Europe/Berlin")
    assert (unknown.timezone, len(unknown.problems)) == ("Europe/Berlin", 1)


def test_a_chosen_zone_is_remembered(open_page: OpenPage) -> None:
    page = open_page(tz="Asia/Kolkata")
    page.radio(key="pick-tz").set_value("UTC").run()
    assert url_of(page) == {}
    remembered: Preferences = page.session_state[preferences._PREFERENCES]
    assert remembered.timezone == "UTC"


def test_errors_only_goes_there_and_back_to_what_was(open_page: OpenPage) -> None:
    page = open_page(severity="info")
    page.button(key="errors-only").click().run()
    assert chips(page) == ["severity error", "severity fatal"]
    page.button(key="errors-only").click().run()
    assert url_of(page) == {"severity": "info"}
    # From a link that says errors only there is nothing to go back to but everything.
    page.query_params["severity"] = "error,fatal"
    page.run()
    page.button(key="errors-only").click().run()
    assert url_of(page) == {}


def test_pinned_services_count_their_lines_and_errors_and_are_one_click(
    open_page: OpenPage,
) -> None:
    page = open_page(service="checkout")
    page.button(key="pin-service").click().run()
    # The shop's checkout: 3 info and 2 error.
    assert page.button(key="pinned-0").label == "checkout 5 :red[⊗ 2]"
    page.button(key="pinned-0").click().run()
    assert url_of(page) == {}
    page.multiselect(key="pick-service").set_value(["cart"]).run()
    page.button(key="pin-service").click().run()
    assert page.button(key="pinned-1").label == "cart 1"
    page.button(key="pinned-1").click().run()
    assert url_of(page) == {}
    page.button(key="pinned-1").click().run()
    page.button(key="pin-service").click().run()
    assert "pinned-1" not in {button.key for button in page.button}


def test_the_name_that_a_reader_signs_with_is_remembered_as_one_line() -> None:
    kept = Preferences(name="Ada 💥 Lovelace")
    assert Preferences.from_cookie(kept.to_cookie()) == kept
    assert Preferences.from_cookie('{"name": "a\\n b"}').name == "a b"
    assert Preferences.from_cookie('{"name": 7}').name == ""

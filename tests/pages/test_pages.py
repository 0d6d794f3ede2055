"""Every page opens against a real database, whatever the URL says, and says what it knows."""

import json
import time

import pytest
from streamlit.testing.v1 import AppTest

from logstream.show import system_store
from tests.shop import (
    HOSTILE_NAME,
    ROOT,
    OpenPage,
    chip_buttons,
    chips,
    open_by_name,
    query_box,
    text_of,
    type_search,
)

PAGES = sorted(path.stem for path in (ROOT / "pages").glob("[a-z]*.py"))
URLS = {
    "nothing": {},
    "everything": {
        "env": "production",
        "service": "checkout,-cart",
        "severity": "error,warn",
        "trace": "4BF92F35-77B34DA6A3CE929D0E0E4736",
        "q": 'timed "5000 ms" -health',
        "range": "24h",
        "tz": "Europe/Berlin",
        "line": "3",
    },
    "an absolute range": {"from_": "2026-01-31T10:00:00Z", "to_": "2026-01-31T11:00:00Z"},
    "an open range": {"to_": "2026-01-31T11:00:00Z"},
    "rubbish": {
        "severity": "loud,\\",
        "range": "yesterday",
        "from_": "noon",
        "to_": "31/01",
        "tz": "Mars/Olympus",
        "trace": "zz",
        "line": "<script>",
        "env": ",,-",
    },
    "swapped times": {"from_": "2026-02-01T00:00:00Z", "to_": "2026-01-01T00:00:00Z"},
    "a NUL and markup": {"q": "\x00", "service": "<img src=x onerror=alert(1)>"},
}


def test_the_page_list_is_the_folder() -> None:
    assert PAGES == ["explore", "live", "services", "system", "traces"]


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("parameters", URLS.values(), ids=URLS.keys())
def test_every_page_opens_with_any_url(
    open_page: OpenPage, name: str, parameters: dict[str, str]
) -> None:
    page = open_page(name, **parameters)
    assert not page.exception
    assert "could not be drawn" not in text_of(page)


@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_alone(open_page: OpenPage, name: str) -> None:
    page = AppTest.from_file(str(ROOT / f"pages/{name}.py"), default_timeout=30).run()
    assert not page.exception


def test_live_counts_the_last_fifteen_minutes_in_the_database(open_page: OpenPage) -> None:
    told = [
        json.loads(part.proto.json) for part in open_page().get("bidi_component") if part.proto.json
    ]
    (trend,) = [data for data in told if "bucketSeconds" in data]
    # 3 info + 2 error + 1 warn + 1 fatal; the line of two hours ago is not in range.
    assert sum(trend["total"]) == 7
    # An error is ERROR or FATAL: 2 + 1.
    assert sum(trend["error"]) == 3
    assert sum(trend["warn"]) == 1
    assert len(trend["total"]) == 15 and abs(trend["asOfMs"] / 1000 - time.time()) < 60
    (breakdown,) = [data for data in told if "rows" in data]
    counts = {row["word"]: row["count"] for row in breakdown["rows"]}
    assert counts == {"fatal": 1, "error": 2, "warn": 1, "info": 3, "debug": 0, "trace": 0}


def test_severities_and_services_are_offered_with_their_counts(open_page: OpenPage) -> None:
    page = open_page(severity="error", service="checkout")
    # A facet never narrows its own options: severities of checkout, services of error.
    assert page.button(key="severity-info").label.endswith("info 3")
    assert page.button(key="severity-error").label.endswith("error 2")
    assert page.button(key="severity-warn").label.endswith("warn 0")
    services = page.multiselect(key="pick-service").options
    assert "checkout" in services  # chosen: its name alone
    assert "checkout  2" in open_page(severity="error").multiselect(key="pick-service").options


def test_all_environments_are_the_default_and_said_so(open_page: OpenPage) -> None:
    page = open_page()
    picker = page.selectbox(key="pick-env")
    assert picker.value == ""
    assert picker.options == ["All environments", "production", "staging"]


def test_a_hostile_service_name_stays_text_in_its_chip(open_page: OpenPage) -> None:
    page = open_page(service=HOSTILE_NAME)
    assert chips(page) == [f"service {HOSTILE_NAME}"]
    label = chip_buttons(page)[0].label
    assert "\\[pay\\]\\(" in label and "\\<b\\>" in label


def test_system_says_the_service_is_away_and_shows_what_the_database_knows(
    open_page: OpenPage,
) -> None:
    text = text_of(open_page("system"))
    assert "The ingest service at http://127.0.0.1:9 does not answer" in text
    assert "PostgreSQL" in text and "logs_000000" in text
    assert "2 open. Sealing keeps up." in text
    assert "Lines are kept" in text and "for ever" in text


def test_system_tells_in_words_how_far_sealing_is() -> None:
    states = {"open": 2, "closed": 1, "sealed": 1200, "dropped": 3}
    assert system_store.state_words(states) == "1,200 sealed, 1 closed, 2 open, 3 removed"
    assert system_store.waiting_words({"states": {"open": 2}}) == "Sealing keeps up."
    care = {"states": states, "waitingLines": 1_000_000, "waitingSeconds": 200.5}
    assert (
        system_store.waiting_words(care)
        == "1,000,000 lines wait to be sealed, for 3 min 20 s at most."
    )
    sealed = {"state": "sealed", "rows": 5, "hasAttributeIndex": True}
    assert system_store.segment_words(sealed) == "sealed"
    assert (
        system_store.segment_words({**sealed, "hasAttributeIndex": False})
        == "sealed, attributes not indexed"
    )
    assert system_store.segment_words({**sealed, "hasTrigram": True}) == "sealed, with trigrams"


def test_system_shows_time_and_search_without_letting_them_promise_anything(
    open_page: OpenPage,
) -> None:
    page = open_page("system", q="paid", range="1h")
    assert not query_box(page)["isEnabled"]
    assert query_box(open_page(q="paid"))["isEnabled"]


@pytest.mark.parametrize("is_typed", [False, True], ids=["in a link", "typed"])
def test_a_search_that_cannot_be_read_is_shown_with_its_place_and_kept(
    open_page: OpenPage, is_typed: bool
) -> None:
    page = open_page("explore", q="paid" if is_typed else "(paid OR")
    if is_typed:
        type_search(page, "(paid OR")
    text = text_of(page)
    assert not page.exception
    assert "The search cannot be read." in text
    assert "(paid OR\n" in text and "^" in text
    assert query_box(page)["text"] == "(paid OR"
    # No list stands there as if nobody had asked for anything.
    drawn = [part.proto.json for part in page.get("bidi_component")]
    assert not any("searches" in data for data in drawn)
    type_search(page, "(paid OR created)")
    assert "cannot be read" not in text_of(page)
    assert any("searches" in part.proto.json for part in page.get("bidi_component"))


def test_a_lost_database_is_a_sentence_and_a_next_step(dashboard: pytest.MonkeyPatch) -> None:
    dashboard.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:9/nothing")
    for name in PAGES:
        page = open_by_name(name)
        assert not page.exception
        text = text_of(page)
        assert "The database does not answer." in text
        assert "logstream doctor" in text
        assert "Traceback" not in text


def test_a_wrong_setting_is_said_in_one_line(dashboard: pytest.MonkeyPatch) -> None:
    dashboard.setenv("DATABASE_URL", "mysql://nobody@127.0.0.1/nothing")
    page = open_by_name()
    assert not page.exception
    assert "DATABASE_URL: must be a postgresql:// address" in text_of(page)

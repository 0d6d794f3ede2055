"""System: refused records are listed, opened, corrected and sent again; a body is explained."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from logstream.kept_reject import RejectCount
from logstream.show.refused_records import count_words
from logstream.show.system_protocols import format_words
from tests.service_thread import running_service, settings_for
from tests.shop import OpenPage, text_of

HOSTILE = "<img src=x onerror=alert(1)>"
LOUD = {"source": "checkout", "message": HOSTILE, "severity": "loud"}


@pytest.fixture
def service(database_url: str, tmp_path: Path, dashboard: pytest.MonkeyPatch) -> Iterator[str]:
    """The service that the page asks, with one refused record."""
    with running_service(settings_for(database_url, tmp_path)) as base:
        dashboard.setenv("LOGSTREAM_URL", base)
        assert httpx.post(f"{base}/logs/ingest", json=[LOUD]).status_code == 400
        yield base


def opened(page: AppTest) -> AppTest:
    picker = page.selectbox(key="open-reject")
    return picker.set_value(int(picker.options[0].split(" ")[0].removeprefix("#"))).run()


def test_a_refused_record_is_corrected_and_sent_again(open_page: OpenPage, service: str) -> None:
    page = open_page("system")
    text = text_of(page)
    assert "1 kept · a record could not be read: 1" in text
    assert "Ingestion by protocol" in text and "LogStream" in text
    # What was refused is text, whatever it says.
    assert HOSTILE not in text and "&lt;img src=x" in text
    page = opened(page)
    [editor] = [area for area in page.text_area if area.key.startswith("correct-")]
    assert json.loads(editor.value) == LOUD
    [button] = [one for one in page.button if one.key.startswith("resend-")]
    page = button.click().run()
    assert "It was refused again." in text_of(page)
    [editor] = [area for area in page.text_area if area.key.startswith("correct-")]
    editor.set_value(json.dumps({**LOUD, "severity": "error"}))
    [button] = [one for one in page.button if one.key.startswith("resend-")]
    page = button.click().run()
    assert "1 record landed." in text_of(page)
    assert not page.exception
    lines = httpx.get(f"{service}/logs/recent", params={"severity": "error"}).json()
    assert HOSTILE in [line["message"] for line in lines]


def test_a_body_is_read_field_by_field_and_not_stored(open_page: OpenPage, service: str) -> None:
    page = open_page("system")
    before = httpx.get(f"{service}/logs/recent").json()
    body = {"service": "cart", "message": HOSTILE, "level": "WARNING"}
    page.text_area(key="explain-body").set_value(json.dumps([body, LOUD]))
    page = page.button(key="explain-asked").click().run()
    text = text_of(page)
    assert "LogStream (/logs/ingest): 1 record, 1 refused record" in text
    assert "time of receipt" in text and "severity &#x27;loud&#x27; is not known" in text
    assert HOSTILE not in text
    page.text_area(key="explain-body").set_value('{"source": "cart", ')
    page = page.button(key="explain-asked").click().run()
    assert "It would be refused as a whole." in text_of(page)
    assert not page.exception
    assert httpx.get(f"{service}/logs/recent").json() == before


def test_without_the_service_it_says_that_it_cannot_ask(open_page: OpenPage) -> None:
    page = open_page("system")
    assert "Nothing was refused." in text_of(page)
    page.text_area(key="explain-body").set_value("{}")
    page = page.button(key="explain-asked").click().run()
    assert "Nobody reads it now." in text_of(page)
    assert not page.exception


def test_counts_and_formats_are_words() -> None:
    counts = [
        RejectCount("loki", "bad_record", "", 1_200, 0),
        RejectCount("otlp", "bad_record", "ls_7f", 34, 0),
        RejectCount("native", "too_large", "", 2, 0),
    ]
    # 1,200 + 34 and 2.
    assert count_words(counts) == (
        "1,236 kept · a record could not be read: 1,234 · a body was too large: 2"
    )
    assert format_words("splunk_hec") == "Splunk HEC"
    assert format_words("some_new_one") == "some new one"

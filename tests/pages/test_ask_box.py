"""The box for questions: what was understood stands as chips, what was not is said."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from tests.peers.openai import KEY, MODEL, Turn, filter_answer, openai_peer
from tests.service_thread import running_service, settings_for
from tests.shop import HOSTILE_NAME, OpenPage, text_of, url_of


@pytest.fixture
def service(database_url: str, tmp_path: Path, dashboard: pytest.MonkeyPatch) -> Iterator[str]:
    """The service that the page asks."""
    with running_service(settings_for(database_url, tmp_path)) as base:
        dashboard.setenv("LOGSTREAM_URL", base)
        yield base


def ask(page: AppTest, question: str) -> AppTest:
    page.text_input(key="ask-question").set_value(question)
    page = page.button(key="ask-asked").click().run()
    assert not page.exception
    return page


def understood(page: AppTest) -> list[str]:
    """The labels of the chips of an answer, those with a menu included."""
    buttons = [one for one in page.button if (one.key or "").startswith("ask-chip-")]
    menus = [
        block.proto.popover.label
        for block in page.get("popover")
        if "“" in block.proto.popover.label
    ]
    return [text.replace("\\", "") for text in (*(one.label for one in buttons), *menus)]


def test_a_question_becomes_filters_that_can_be_taken_out(
    open_page: OpenPage, service: str
) -> None:
    page = ask(open_page("explore"), "checkout errors in the last hour")
    filters = {"service": "checkout", "severity": "error,fatal", "range": "1h"}
    assert url_of(page) == filters
    assert understood(page) == [
        "“in the last hour” → last 1 h",
        "“checkout” → service checkout",
        "“errors” → severity error or fatal",
    ]
    (chip,) = [one for one in page.button if one.label.startswith("“errors”")]
    page = chip.click().run()
    assert url_of(page) == {"service": "checkout", "range": "1h"}
    assert len(understood(page)) == 2
    page = page.button(key="ask-away").click().run()
    assert understood(page) == [] and url_of(page) == {"service": "checkout", "range": "1h"}


def test_what_was_not_understood_and_what_was_guessed_is_said(
    open_page: OpenPage, service: str
) -> None:
    page = ask(open_page("explore"), "count checkout lines by <b>moonphase</b>")
    text = text_of(page)
    assert "Not understood:" in text and "moonphase" in text and "<b>moonphase" not in text
    page = ask(open_page("explore"), "checkout zorkmid")
    sure, guess = understood(page)
    assert sure == "“checkout” → service checkout"
    # A guess carries a question mark, and a menu of other readings.
    assert guess.startswith("“zorkmid” → messages with ") and guess.endswith(" ?")


def test_a_count_is_answered_on_the_spot_and_its_rows_narrow(
    open_page: OpenPage, service: str
) -> None:
    page = ask(open_page("explore", env="production"), "how many lines by service in the last hour")
    # checkout: 3 info, 2 error; cart: 1 warn. The fatal one is in staging, shipping's is older.
    assert "<b>6 lines</b> by service" in text_of(page)
    rows = [one for one in page.button if (one.key or "").startswith("ask-group-")]
    assert [row.label.replace("\\", "") for row in rows] == [
        "checkout  **5** · 83 %",
        "cart  **1** · 17 %",
    ]
    page = rows[1].click().run()
    assert url_of(page) == {"env": "production", "service": "cart", "range": "1h"}
    assert "<b>1 line</b> by service" in text_of(page)


def test_questions_go_on_from_the_filters_unless_told_otherwise(
    open_page: OpenPage, service: str
) -> None:
    page = ask(open_page("explore", service="checkout", range="1h"), "timed out")
    assert url_of(page)["service"] == "checkout" and "timed" in url_of(page)["q"]
    page = open_page("explore", service="checkout", range="1h")
    page.toggle(key="ask-refine").set_value(False)
    page = ask(page, "errors")
    assert url_of(page) == {"severity": "error,fatal", "range": "1h"}


def test_examples_are_made_of_the_services_there_are_and_can_be_clicked(
    open_page: OpenPage, service: str
) -> None:
    page = open_page("explore")
    example = page.button(key="ask-example-0")
    assert example.label == "errors of checkout in the last hour"
    page = example.click().run()
    assert url_of(page) == {"service": "checkout", "severity": "error,fatal", "range": "1h"}
    assert page.text_input(key="ask-question").value == "errors of checkout in the last hour"


def test_a_hostile_service_name_stays_text(open_page: OpenPage, service: str) -> None:
    page = ask(open_page("explore"), f'errors of service "{HOSTILE_NAME}"')
    assert HOSTILE_NAME in " ".join(understood(page))
    labels = [one.label for one in page.button] + [
        block.proto.popover.label for block in page.get("popover")
    ]
    assert not any("<b>" in one or "](http" in one for one in labels)


def test_nonsense_is_a_sentence(open_page: OpenPage, service: str) -> None:
    for question in ("", "   ", "?!", "x" * 500, "'; DROP TABLE logs; --", "\u202eevil"):
        page = ask(open_page("explore"), question)
        assert "could not be drawn" not in text_of(page), question


def test_without_the_service_the_page_reads_the_question_itself(open_page: OpenPage) -> None:
    page = ask(open_page("explore"), "checkout errors in the last hour")
    assert url_of(page) == {"service": "checkout", "severity": "error,fatal", "range": "1h"}
    assert "this page read it by itself" in text_of(page)


def test_a_word_is_taught_and_forgotten(open_page: OpenPage, service: str) -> None:
    page = ask(open_page("explore"), "zorkmid errors")
    assert "service" not in url_of(page)
    page = open_page("explore")
    page.session_state["ask-words"] = True
    page.run()
    page.text_input(key="alias-word").set_value("zorkmid")
    page.text_input(key="alias-value").set_value("checkout")
    page = page.button(key="alias-kept").click().run()
    assert not page.exception
    (alias,) = httpx.get(f"{service}/ai/aliases").json()["aliases"]
    assert (alias["word"], alias["value"]) == ("zorkmid", "checkout")
    assert url_of(ask(page, "zorkmid errors"))["service"] == "checkout"
    page.session_state["ask-words"] = True
    page.run().button(key="alias-0").click().run()
    assert httpx.get(f"{service}/ai/aliases").json() == {"aliases": []}


def test_ai_is_said_only_where_a_model_spoke(
    open_page: OpenPage, database_url: str, tmp_path: Path, dashboard: pytest.MonkeyPatch
) -> None:
    def readers(page: AppTest) -> list[str]:
        labels = [block.proto.popover.label for block in page.get("popover")]
        return [one.replace("\\", "") for one in labels if one.startswith(("AI", "Rules"))]

    with openai_peer() as peer:
        settings = settings_for(
            database_url,
            tmp_path / "service",
            openai_model=MODEL,
            openai_api_key=KEY,
            openai_base_url=peer.base_url,
        )
        with running_service(settings) as base:
            dashboard.setenv("LOGSTREAM_URL", base)
            peer.says(filter_answer(service="cart", notUnderstood=["<i>soon</i>"]))
            page = ask(open_page("explore"), "anything about carts <i>soon</i>")
            assert url_of(page) == {"service": "cart"}
            (reader,) = readers(page)
            assert reader.startswith(f"AI: {MODEL} · ")
            assert "&lt;i&gt;soon" in text_of(page)
            page = page.toggle(key="ask-sent").set_value(True).run()
            assert any("anything about carts" in block.value for block in page.code)
            peer.says(Turn(status=500), Turn(status=500))
            page = ask(page, "checkout errors")
            (reader,) = readers(page)
            assert reader.startswith("Rules · ")
            assert f"The built-in rules read this: {MODEL} answered 500." in text_of(page)

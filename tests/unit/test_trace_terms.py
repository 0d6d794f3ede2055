"""What a click on the Traces page means for the filter."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import streamlit as st

from logstream.filter import Choice, LogFilter
from logstream.show.traces import slow_fast, terms

AT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
BOX = {"from": AT.timestamp(), "to": AT.timestamp() + 300, "low": 120, "high": 1500}
QUARTER = LogFilter(range_text="15m", q="kind:server")


@pytest.fixture(autouse=True)
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, object]]:
    """What the session remembers, without a running page."""
    state: dict[str, object] = {}
    monkeypatch.setattr(st, "session_state", state)
    yield state


def test_a_box_is_time_and_duration_and_leads_back() -> None:
    narrowed = terms.with_box(QUARTER, BOX)
    assert narrowed.to_url() == {
        "q": "kind:server duration>=120ms duration<=1.5s",
        "from": "2026-03-02T10:00:00Z",
        "to": "2026-03-02T10:05:00Z",
    }
    again = terms.with_box(narrowed, {"low": 400, "high": None, "from": None, "to": None})
    assert again.q == "kind:server duration>=400ms"
    assert again.start == AT
    assert terms.before_box(again) == narrowed
    terms.forget_box()
    assert terms.before_box(narrowed) == QUARTER
    terms.forget_box()
    assert not terms.can_step_back(QUARTER)


def test_what_was_written_by_hand_is_given_up_as_a_whole() -> None:
    written = LogFilter(q="duration>2s cart", start=AT)
    assert terms.before_box(written) == LogFilter(q="cart")
    assert terms.duration_words(written) == "duration over 2s"


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"from": "noon", "to": 5},
        {"from": 1e30, "to": 2e30},
        {"low": -5, "high": float("nan")},
        {"low": True, "high": "x"},
        {"from": 600, "to": 60},
    ],
)
def test_a_malformed_box_changes_nothing(asked: dict[str, object]) -> None:
    assert terms.with_box(QUARTER, asked) == QUARTER


def test_short_durations_have_short_units() -> None:
    narrowed = terms.with_box(LogFilter(), {"low": 0.25, "high": 12.5})
    assert narrowed.q == "duration>=250us duration<=12.5ms"


def test_a_service_is_chosen_and_let_go() -> None:
    only = terms.of_service(LogFilter(service=Choice(("cart", "redis"))), "redis")
    assert only.service == Choice(("redis",))
    assert terms.of_service(only, "redis").service == Choice()


@pytest.mark.parametrize("name", ["GET /cart/{id}", 'say "hi" now', "a:b c", "*", ""])
def test_an_operation_of_any_name_is_a_term_or_nothing(name: str) -> None:
    narrowed = terms.of_root(LogFilter(), "storefront", name)
    assert narrowed.service == Choice(("storefront",))
    assert narrowed.text.terms or not narrowed.q
    assert terms.value_of(narrowed, "root") == (name if narrowed.q else None)


def test_a_term_is_switched_on_and_off() -> None:
    failed = terms.toggle_terms(LogFilter(q="cart"), [terms.FAILED])
    assert failed.q == "cart status:error"
    assert terms.toggle_terms(failed, [terms.FAILED]).q == "cart"


@pytest.mark.parametrize(
    ("field", "value", "wanted"),
    [
        ("error", "true", ["status:error"]),
        ("attribute:payment.provider", "slow bank", ['payment.provider:"slow bank"']),
        ("call", "cart redis GET", ["service:cart", 'operation:"redis GET"']),
        ("call", "cart redis GET more than 12 times", ["service:cart", 'operation:"redis GET"']),
        ("call", "cart redis GET more than once", ["service:cart", 'operation:"redis GET"']),
        (
            "call",
            "payment POST for more than 80% of the time",
            ["service:payment", "operation:POST"],
        ),
        ("call", "payment POST failing", ["service:payment", "operation:POST"]),
        ("pattern", "12", []),
    ],
)
def test_what_slow_ones_have_in_common_is_searched_for(
    field: str, value: str, wanted: list[str]
) -> None:
    assert slow_fast.terms_of(field, value) == wanted

"""What was understood of a question: whether it still holds, and how a click changes it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from logstream.explain.ask.conditions import conditions_of
from logstream.explain.ask.interpret import interpret
from logstream.explain.ask.reading import Understood
from logstream.explain.ask.vocabulary import Vocabulary
from logstream.filter import LogFilter
from logstream.show.explore.asked import Asked, Condition

THERE = LogFilter.from_url(
    {
        "env": "production",
        "service": "payment-gateway,cart",
        "severity": "error,fatal,-debug",
        "trace": "4bf92f3577b34da6a3ce929d0e0e4736",
        "q": 'timeout "card declined" latency>=1000',
        "range": "1h",
    }
)


def of(one: Understood) -> dict[str, object]:
    return {"field": one.field, "values": one.values, "is_excluded": one.is_excluded}


def condition(field: str, *values: str, **more: object) -> Condition:
    return Condition("words", field, values, "meaning", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "name", "left"),
    [
        (condition("env", "production"), "env", ""),
        (condition("service", "payment-gateway"), "service", "cart"),
        (condition("severity", "error", "fatal"), "severity", "-debug"),
        (condition("severity", "debug", is_excluded=True), "severity", "error,fatal"),
        (condition("trace", "4bf92f3577b34da6a3ce929d0e0e4736"), "trace", ""),
        (condition("q", "timeout"), "q", '"card declined" latency>=1000'),
        (condition("q", "timeout", "latency>=1000"), "q", '"card declined"'),
        (condition("range", "1h"), "range", ""),
    ],
)
def test_a_condition_holds_until_it_is_taken_out(one: Condition, name: str, left: str) -> None:
    assert one.holds_in(THERE)
    after = one.taken_out_of(THERE)
    assert not one.holds_in(after)
    assert after.to_url().get(name, "") == left
    # And nothing else is touched.
    others = {key: value for key, value in THERE.to_url().items() if key != name}
    assert {key: value for key, value in after.to_url().items() if key != name} == others


@pytest.mark.parametrize(
    "one",
    [
        condition("service", "checkout"),
        condition("service", "payment-gateway", is_excluded=True),
        condition("q", "refund"),
        condition("range", "15m"),
        condition("show", "count"),
    ],
)
def test_what_the_filter_does_not_say_does_not_hold(one: Condition) -> None:
    assert not one.holds_in(THERE)


def test_another_reading_takes_the_place_of_the_first() -> None:
    guess = Condition(
        "pay",
        "service",
        ("payment-gateway",),
        "service payment-gateway",
        "guess",
        ("payroll", "the word “pay” in messages"),
    )
    changed = guess.changed_in(THERE, "payroll")
    assert changed is not None and changed.to_url()["service"] == "cart,payroll"
    read = guess.read_as("payroll")
    assert read.values == ("payroll",) and read.meaning == "service payroll"
    assert read.alternatives == ("payment-gateway", "the word “pay” in messages")
    assert read.holds_in(changed)
    as_text = guess.changed_in(THERE, "the word “pay” in messages")
    assert as_text is not None
    assert as_text.service.only == ("cart",) and as_text.q.endswith(" pay")
    assert guess.read_as("the word “pay” in messages").holds_in(as_text)


def test_a_word_can_be_left_out_and_advice_is_no_click() -> None:
    guess = condition("q", "timeout", sure="guess")
    left_out = guess.changed_in(THERE, "leave these words out")
    assert left_out is not None and left_out.q == '"card declined" latency>=1000'
    assert guess.changed_in(THERE, "another limit, as in “over 2 s”") is None


def test_words_that_rule_something_out_are_a_condition_like_others() -> None:
    now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    reading = interpret("errors without timeouts", Vocabulary(), now=now, zone=UTC)
    (one,) = [
        condition("q", *said.values, is_excluded=said.is_excluded)
        for said in reading.understood
        if said.field == "q"
    ]
    assert reading.log_filter.q.startswith("-(timeout OR ")
    assert one.holds_in(reading.log_filter)
    assert one.taken_out_of(reading.log_filter).to_url() == {"severity": "error,fatal"}


@pytest.mark.parametrize("time", [{"range": "1h"}, {"from": "2026-03-03T13:00:00Z"}, {}])
def test_every_condition_that_a_model_gave_holds_in_its_filter(time: dict[str, str]) -> None:
    log_filter = LogFilter.from_url({**THERE.without("range").to_url(), **time})
    told = [replace(condition(""), **of(one)) for one in conditions_of(log_filter)]
    assert len(told) == 8 + len(time)  # env, service, two severities, trace, three terms
    assert all(one.holds_in(log_filter) for one in told)
    for one in told:
        log_filter = one.taken_out_of(log_filter)
    assert log_filter == LogFilter()


def test_a_reply_with_rubbish_in_it_is_still_a_filter() -> None:
    reply = {"service": "cart", "severity": "loud", "from": "noon", "understood": []}
    assert Asked.of("?", reply).log_filter.to_url() == {"service": "cart"}

"""What a question shows: lines, counts, groups, trends, patterns; and what a follow-up changes."""

import pytest

from logstream.explain.ask import Reading, interpret
from logstream.filter import LogFilter
from tests.unit.explain.shop_vocabulary import BERLIN, NOW, VOCABULARY

SHOWN = [
    ("payment errors", "lines", "", None),
    ("how many errors", "count", "", None),
    ("number of timeouts in checkout", "count", "", None),
    ("how many errors per service", "count", "service", None),
    ("errors by environment", "count", "env", None),
    ("count errors by severity", "count", "severity", None),
    ("top 5 services by errors", "count", "service", 5),
    ("top 10 services", "count", "service", 10),
    ("which services logged errors today", "count", "service", None),
    ("noisiest services", "count", "service", None),
    ("which users failed to log in", "fields", "attribute:user.id", None),
    ("unique users with failed payments", "fields", "attribute:user.id", None),
    ("which hosts have the most errors", "fields", "attribute:host.name", None),
    ("errors by host", "fields", "attribute:host.name", None),
    ("errors grouped by region", "fields", "attribute:cloud.region", None),
    ("errors by http.route", "fields", "attribute:http.route", None),
    ("which endpoints return 5xx", "fields", "attribute:http.route", None),
    ("distribution of status codes", "fields", "attribute:http.response.status_code", None),
    ("top 3 error types", "fields", "attribute:error.type", 3),
    ("most common errors", "patterns", "pattern", None),
    ("top 10 errors in checkout", "patterns", "pattern", 10),
    ("most frequent warnings in orders", "patterns", "pattern", None),
    ("what kinds of errors does cart have", "patterns", "pattern", None),
    ("new patterns since yesterday", "patterns", "pattern", None),
    ("trend of checkout errors", "trend", "", None),
    ("errors over time", "trend", "", None),
    ("errors per hour", "trend", "", None),
    ("how many warnings per minute in the last hour", "trend", "", None),
    ("error rate of payment", "trend", "", None),
    ("show me the last 100 errors", "lines", "", 100),
    ("first 50 lines of auth", "lines", "", 50),
]
FOLLOW_UPS = [
    (
        "service=checkout&range=1h",
        "only the slow ones",
        "service=checkout&q=latency>=1000&range=1h",
    ),
    ("service=checkout&range=1h", "also payment", "service=checkout,payment-gateway&range=1h"),
    ("service=checkout&range=1h", "and in cart too", "service=checkout,cart&range=1h"),
    ("service=checkout", "only errors", "service=checkout&severity=error,fatal"),
    ("service=checkout&severity=error", "what about cart", "service=cart&severity=error"),
    ("service=checkout&severity=error", "warnings instead", "service=checkout&severity=warn"),
    ("service=checkout,cart", "without cart", "service=checkout"),
    ("severity=error", "but not from checkout", "service=-checkout&severity=error"),
    ("service=cart", "without the timeouts", 'service=cart&q=-"deadline exceeded"'),
    ("env=prod&service=cart", "now for staging", "env=staging&service=cart"),
    (
        "service=cart&range=1h",
        "same for yesterday",
        "service=cart&from=2026-11-28T23:00:00Z&to=2026-11-29T23:00:00Z",
    ),
    ("service=cart&q=packed", "only those with status 503", None),
    ("q=packed", "also the timeouts", 'q=(packed OR "deadline exceeded")'),
]


@pytest.mark.parametrize(("question", "show", "group_by", "top"), SHOWN)
def test_a_question_shows_what_it_asks_for(
    question: str, show: str, group_by: str, top: int | None
) -> None:
    reading = ask(question)
    assert (reading.show, reading.group_by, reading.top) == (show, group_by, top)


@pytest.mark.parametrize(("current", "question", "expected"), FOLLOW_UPS)
def test_a_follow_up_refines_what_is_shown(
    current: str, question: str, expected: str | None
) -> None:
    expected = expected or "service=cart&q=packed http.response.status_code:503"
    reading = ask(question, url(current))
    assert reading.is_follow_up
    assert reading.log_filter.to_url() == url(expected).to_url()


def test_a_new_question_keeps_the_place_and_the_time_only() -> None:
    current = url("env=prod&service=cart&severity=warn&q=packed&range=6h&trace=4bf92f3577b34da6")
    reading = ask("payment errors", current)
    assert not reading.is_follow_up
    assert reading.log_filter == url(
        "env=prod&service=payment-gateway&severity=error,fatal&range=6h"
    )
    timed = ask("payment errors yesterday in staging", current).log_filter
    assert (timed.range_text, timed.environment.only) == ("", ("staging",))


def test_a_playback_stays_at_its_moment() -> None:
    current = url("at=2026-11-01T10:00:00Z&range=1h")
    assert ask("errors", current).log_filter.at == current.at


def test_grouping_by_what_no_line_has_is_said() -> None:
    reading = ask("how many errors by country")
    assert reading.group_by == ""
    assert any("no attribute" in note for note in reading.notes)


def test_calculations_are_not_pretended() -> None:
    assert any("not calculated" in note for note in ask("average latency of cart").notes)


def ask(question: str, current: LogFilter | None = None) -> Reading:
    return interpret(question, VOCABULARY, now=NOW, zone=BERLIN, current=current)


def url(text: str) -> LogFilter:
    return LogFilter.from_url(dict(pair.split("=", 1) for pair in text.split("&")))

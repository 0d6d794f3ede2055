"""What clicking a value means for the filter, whichever field it is of."""

import pytest

from logstream.filter import Choice, LogFilter
from logstream.model import LogLine
from logstream.show.explore.choices import choose, chosen_of, title_of

REGIONS = ["eu", "us", "ap south"]
REGION = "attribute:region"


def clicked(field: str, *clicks: tuple[str, str], q: str = "") -> LogFilter:
    log_filter = LogFilter(q=q)
    for value, act in clicks:
        log_filter = choose(log_filter, field, value, act, REGIONS)
    return log_filter


@pytest.mark.parametrize(
    ("field", "value"),
    [("service", "eu"), ("env", "eu"), ("severity", "warn"), (REGION, "eu"), ("pattern", "17")],
)
def test_what_is_clicked_twice_is_undone(field: str, value: str) -> None:
    for act in ("toggle", "only", "exclude"):
        assert clicked(field, (value, act)) != LogFilter()
        assert clicked(field, (value, act), (value, act)) == LogFilter()


def test_several_patterns_are_any_of_them() -> None:
    both = choose(LogFilter(q="pattern:17"), "pattern", "4", "toggle", ["17", "4"])
    assert both.q == "(pattern:17 OR pattern:4)"
    assert choose(both, "pattern", "17", "toggle", ["17", "4"]).q == "pattern:4"


@pytest.mark.parametrize("field", ["service", REGION])
def test_several_values_of_a_field_are_any_of_them(field: str) -> None:
    both = clicked(field, ("eu", "toggle"), ("us", "toggle"))
    assert chosen_of(both, field, REGIONS) == Choice(("eu", "us"))
    assert chosen_of(choose(both, field, "ap south", "exclude", REGIONS), field, REGIONS) == Choice(
        ("eu", "us"), ("ap south",)
    )
    one = choose(both, field, "us", "toggle", REGIONS)
    assert chosen_of(one, field, REGIONS) == Choice(("eu",))
    assert chosen_of(choose(both, field, "us", "only", REGIONS), field, REGIONS) == Choice(("us",))
    # Left out after it was kept: no longer kept.
    assert chosen_of(choose(both, field, "us", "exclude", REGIONS), field, REGIONS) == Choice(
        ("eu",), ("us",)
    )


def test_an_attributes_values_are_terms_of_the_query_beside_what_was_typed() -> None:
    eu = clicked(REGION, ("eu", "toggle"), q='timeout "order 17"')
    assert eu.q == 'timeout "order 17" region:eu'
    both = choose(eu, REGION, "ap south", "toggle", REGIONS)
    assert both.q == 'timeout "order 17" (region:eu OR region:"ap south")'
    assert choose(both, REGION, "eu", "exclude", REGIONS).q == (
        'timeout "order 17" region:"ap south" -region:eu'
    )


@pytest.mark.parametrize(
    ("region", "is_meant"), [("eu", True), ("us", True), ("ap south", False), (None, False)]
)
def test_the_query_means_what_was_clicked(region: str | None, is_meant: bool) -> None:
    both = clicked(REGION, ("eu", "toggle"), ("us", "toggle"), q="retry OR timed")
    line = LogLine(
        id=1,
        timestamp_unix_nano=0,
        observed_unix_nano=0,
        environment="production",
        service_name="checkout",
        severity_number=17,
        body="payment provider timed out",
        attributes={} if region is None else {"region": region},
    )
    assert both.matches(line, 0) is is_meant


def test_a_value_that_no_search_can_name_changes_nothing() -> None:
    before = LogFilter(q="timeout")
    assert choose(before, REGION, 'a"b\\"', "toggle") in (
        before,
        LogFilter(q="timeout " + choose(LogFilter(), REGION, 'a"b\\"', "toggle").q),
    )
    assert choose(before, "nothing", "eu", "toggle") == before
    assert choose(before, "severity", "loud", "toggle") == before


def test_a_query_that_would_become_too_long_stays() -> None:
    before = LogFilter(q="x" * 1_995)
    assert choose(before, REGION, "eu", "toggle") == before


def test_fields_have_names_for_people() -> None:
    names = [title_of(field) for field in ("env", "service", "pattern", "attribute:http.route")]
    assert names == ["Environment", "Service", "Pattern", "http.route"]

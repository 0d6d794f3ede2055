"""Explore's panels against a real database: what they are told, empty, and failed."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from logstream.filter import LogFilter
from logstream.model import NANOS_PER_SECOND, LogRecord
from logstream.show import session
from logstream.show.explore.spike_state import Spike
from tests.pages.panels_harness_data import MARKUP
from tests.shop import OpenPage, land, open_by_name, text_of

MINUTE = 60 * NANOS_PER_SECOND


def panels(page: AppTest) -> dict[str, dict[str, Any]]:
    """What each panel on the page was told, by its key."""
    told = [json.loads(part.proto.json) for part in page.get("bidi_component") if part.proto.json]
    return {data["key"]: data for data in told if "key" in data}


def facet(page: AppTest, field: str) -> dict[str, Any]:
    facets = [one for data in panels(page).values() for one in data.get("facets", ())]
    (found,) = [one for one in facets if one["field"] == field]
    return found  # type: ignore[no-any-return]


@pytest.fixture
def regions(dashboard: pytest.MonkeyPatch, database_url: str) -> Iterator[None]:
    """Forty lines of EU, ten of US, and a spike of twenty timeouts in the US ten minutes ago."""
    now = time.time_ns() // MINUTE * MINUTE

    def line(minutes_ago: float, region: str, body: str, severity: int = 9) -> LogRecord:
        at = now - int(minutes_ago * MINUTE)
        return LogRecord(
            timestamp_unix_nano=at,
            observed_unix_nano=at,
            environment="production",
            service_name="checkout",
            severity_number=severity,
            body=body,
            attributes=json.dumps({"region": region, "note": MARKUP}).encode(),
        )

    records = [line(1 + n * 0.7, "eu", f"order {n + 1000} created") for n in range(40)]
    records += [line(1 + n * 2.7, "us", f"order {n + 2000} created") for n in range(10)]
    records += [
        line(9.5, "us", f"payment provider timed out after {n + 100} ms", 17) for n in range(20)
    ]
    land(database_url, records)
    dashboard.setenv("DATABASE_URL", database_url)
    yield
    session.reader().close()  # type: ignore[attr-defined]


@pytest.mark.usefixtures("regions")
def test_the_histogram_counts_by_severity_beside_the_time_before() -> None:
    told = panels(open_by_name("explore", range="15m"))["histogram-bars"]
    assert len(told["starts"]) == 15
    # Of 40 lines every 0.7 minutes from one minute ago on, 19 lie within 14 minutes or so.
    assert sum(told["counts"]["error"]) == 20
    assert 20 <= sum(told["counts"]["info"]) <= 30
    assert sum(told["before"]) > 0
    assert told["comparison"].endswith("the 15 min before")
    assert told["back"] == "" and told["isMoving"]


@pytest.mark.usefixtures("regions")
def test_facets_count_exactly_and_none_narrows_its_own_options() -> None:
    page = open_by_name("explore", range="1h")
    assert facet(page, "attribute:region")["values"] == [["eu", "eu", 40], ["us", "us", 30]]
    narrowed = open_by_name("explore", range="1h", q="region:us", severity="error")
    assert facet(narrowed, "severity")["values"][:4] == [
        ["error", "error", 20],  # chosen: on top
        ["fatal", "fatal", 0],
        ["warn", "warn", 0],
        ["info", "info", 10],
    ]
    region = facet(narrowed, "attribute:region")
    assert (region["values"], region["only"]) == ([["us", "us", 20]], ["us"])
    alone = facet(open_by_name("explore", range="1h", q="region:us"), "attribute:region")
    assert alone["values"] == [["us", "us", 30], ["eu", "eu", 40]]


@pytest.mark.usefixtures("regions")
def test_a_chosen_value_stays_visible_with_no_line() -> None:
    page = open_by_name("explore", range="1h", service="-cart,checkout")
    service = facet(page, "service")
    assert service["values"] == [["checkout", "checkout", 70], ["cart", "cart", 0]]
    assert (service["only"], service["excluded"]) == (["checkout"], ["cart"])


@pytest.mark.usefixtures("regions")
def test_patterns_are_counted_and_their_places_are_chips() -> None:
    told = panels(open_by_name("explore", range="1h", tab="patterns"))["pattern-table"]
    assert told["total"] == 70
    assert sum(one["count"] for one in told["patterns"]) == 70
    timeouts = [one for one in told["patterns"] if one["severity"] == "error"]
    assert sum(one["count"] for one in timeouts) == 20
    assert timeouts[0]["parts"][1] in ("duration", "num")
    assert all(one["isNew"] for one in told["patterns"])


@pytest.mark.usefixtures("regions")
def test_a_chosen_pattern_narrows_all_facets_but_its_own() -> None:
    known = facet(open_by_name("explore", range="1h"), "pattern")["values"]
    timeouts = next(one for one in known if "timed out" in one[1])
    page = open_by_name("explore", range="1h", q=f"pattern:{timeouts[0]}")
    assert not page.exception and "could not be drawn" not in text_of(page)
    pattern = facet(page, "pattern")
    assert pattern["only"] == [timeouts[0]]
    assert sorted(pattern["values"]) == sorted(known)
    assert facet(page, "service")["values"] == [["checkout", "checkout", timeouts[2]]]


@pytest.mark.usefixtures("regions")
def test_fields_tell_coverage_and_values() -> None:
    told = panels(open_by_name("explore", range="1h", tab="fields"))["field-table"]
    region = next(one for one in told["fields"] if one["title"] == "region")
    assert (region["lines"], region["distinct"], told["looked"]) == (70, 2, 70)
    assert region["values"] == [["eu", 40], ["us", 30]]


@pytest.mark.usefixtures("regions")
def test_a_spike_names_what_there_is_more_of_in_it() -> None:
    page = open_by_name("explore", range="1h")
    now = datetime.fromtimestamp(time.time_ns() // MINUTE * 60, UTC)
    part = (now - timedelta(minutes=10), now - timedelta(minutes=9))
    page.session_state["spike"] = Spike(part, "", LogFilter(range_text="1h"))
    page.run()
    told = panels(page)["spike-panel"]
    assert told["baselines"][0][0] == "earlier" == told["baseline"]
    found = {(one["field"], one["value"]): one for one in told["differences"]}
    error = found["severity", "error"]
    # Twenty timeouts among the lines of that minute, none in the time before.
    assert error["count"] == 20 and error["baselineCount"] == 0 and error["lift"] is None
    assert (
        found["attribute:region", "us"]["share"] > found["attribute:region", "us"]["baselineShare"]
    )
    assert panels(page)["histogram-bars"]["selection"] == [moment.timestamp() for moment in part]


@pytest.mark.parametrize("tab", ["patterns", "fields"])
def test_without_a_line_a_tab_says_why_and_what_to_do(open_page: OpenPage, tab: str) -> None:
    page = open_page("explore", tab=tab, from_="2020-01-01T00:00Z", to_="2020-01-01T01:00Z")
    assert not page.exception
    assert "No line, so no" in text_of(page) and "Choose a longer time" in text_of(page)
    assert sum(panels(page)["histogram-bars"]["counts"]["info"]) == 0


@pytest.mark.parametrize("tab", ["patterns", "fields"])
def test_while_the_database_is_away_every_panel_says_so(
    dashboard: pytest.MonkeyPatch, tab: str
) -> None:
    dashboard.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
    page = open_by_name("explore", tab=tab)
    assert not page.exception
    said = text_of(page)
    for part in ("The histogram", "The fields", "The patterns" if tab == "patterns" else "The att"):
        assert f"{part}" in said
    assert said.count("The database does not answer.") >= 3

"""The Services page: what it tells of each service, and what it says when it has nothing."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from streamlit.components.v2.bidi_component.main import _make_trigger_id
from streamlit.testing.v1 import AppTest

from logstream.show import session
from tests.counted_services import CountedServices
from tests.shop import HOSTILE_NAME, OpenPage, chips, open_by_name, query_box, text_of, url_of

MINUTE = timedelta(minutes=1)


def panels(page: AppTest) -> dict[str, dict[str, Any]]:
    """What each panel was told, by its key."""
    told = [json.loads(part.proto.json) for part in page.get("bidi_component") if part.proto.json]
    return {data["key"]: data for data in told if "key" in data}


def click(page: AppTest, key: str, **asked: object) -> AppTest:
    """The page after a click in a panel, as the browser tells it."""
    (panel,) = [
        part.proto.id
        for part in page.get("bidi_component")
        if part.proto.json and json.loads(part.proto.json).get("key") == key
    ]
    states = page._tree.get_widget_states()
    told = states.widgets.add()
    told.id = _make_trigger_id(panel, "events")
    value = {**asked, "name": f"{key} {asked} {datetime.now(UTC)}"}
    told.json_trigger_value = json.dumps([{"event": "asked", "value": value}])
    return page._run(states)


@pytest.fixture
def counted(open_page: OpenPage, database_url: str) -> Iterator[None]:
    """The shop's lines, and the calls of three services: gateway, checkout, payment."""
    with psycopg.connect(database_url, autocommit=True, options="-c timezone=UTC") as connection:
        counts = CountedServices(connection)
        now = datetime.now(UTC).replace(second=0, microsecond=0)
        counts.spans(now - 3 * MINUTE, "gateway", "GET /shop", 80, ms=120)
        counts.spans(now - 3 * MINUTE, "gateway", "POST /orders", 20, ms=700, is_error=True)
        counts.spans(now - 3 * MINUTE, "payment", "charge", 40, ms=300)
        counts.spans(now - timedelta(days=1) - 3 * MINUTE, "gateway", "GET /shop", 50, ms=120)
        counts.spans(now - timedelta(days=2), "old-importer", "nightly", 9)
        counts.calls(now - 3 * MINUTE, "", "gateway", 100)
        counts.calls(now - 3 * MINUTE, "gateway", "payment", 40, ms=300)
        counts.calls(now - 3 * MINUTE, "payment", "payment-db", 40, ms=3, kind="database")
    yield


@pytest.mark.usefixtures("counted")
def test_every_service_is_listed_those_with_lines_alone_and_those_that_fell_silent() -> None:
    told = panels(open_by_name("services"))["table-of-services"]
    rows = {one["service"]: one for one in told["services"]}
    assert (rows["gateway"]["calls"], rows["gateway"]["errors"]) == (80 + 20, 20)
    assert (rows["gateway"]["toldBy"], rows["gateway"]["callsBefore"]) == ("spans", 50)
    assert (rows["checkout"]["toldBy"], rows["checkout"]["calls"]) == ("lines", 3 + 2)
    assert (rows["checkout"]["errors"], rows["checkout"]["callsBefore"]) == (2, None)
    assert sum(rows["gateway"]["trend"]) == 100 and sum(rows["gateway"]["errorTrend"]) == 20
    assert HOSTILE_NAME in rows
    # Two hours ago a line, two days ago a span: nothing in the last 15 minutes.
    assert [one["service"] for one in told["silent"]] == ["old-importer", "shipping"]


@pytest.mark.usefixtures("counted")
def test_the_bars_promise_environment_time_and_service_only() -> None:
    page = open_by_name(
        "services", severity="error", q="timeout", env="production", service="gateway,payment"
    )
    assert not query_box(page)["isEnabled"]
    assert not [one for one in page.button if one.key and one.key.startswith("severity-")]
    assert chips(page) == ["env production", "service gateway", "service payment"]
    rows = panels(page)["table-of-services"]["services"]
    assert [one["service"] for one in rows] == ["gateway", "payment"]


@pytest.mark.usefixtures("counted")
def test_a_click_opens_a_service_and_back_leads_to_all() -> None:
    page = click(open_by_name("services"), "table-of-services", kind="open", service="gateway")
    assert url_of(page)["service"] == "gateway"
    told = panels(page)
    assert told["head-of-service"]["service"] == "gateway"
    assert "first seen" in told["head-of-service"]["words"]
    trend = told["trends-of-service"]
    assert (sum(trend["calls"]), sum(trend["errors"]), trend["total"]) == (100, 20, 100)
    # 80 of 100 took 120 ms: so does the half of them, within a step of 19 %.
    assert 100 < max(ms for ms in trend["p50Ms"] if ms is not None) < 145
    operations = told["operations-of-service"]["operations"]
    # 20 × 700 ms are more time than 80 × 120 ms.
    assert [one["operation"] for one in operations] == ["POST /orders", "GET /shop"]
    neighbours = told["neighbours-of-service"]
    assert neighbours["callers"] == []  # from outside: nothing more is known of them
    assert [(one["service"], one["calls"]) for one in neighbours["callees"]] == [("payment", 40)]
    page = click(page, "head-of-service", kind="back")
    assert "service" not in url_of(page)
    assert "table-of-services" in panels(page)


@pytest.mark.usefixtures("counted")
def test_an_operation_says_what_its_slow_requests_have_in_common() -> None:
    page = open_by_name("services", service="gateway")
    assert "slow-of-service" not in panels(page)
    page = click(page, "operations-of-service", kind="slow", operation="POST /orders")
    told = panels(page)
    assert told["operations-of-service"]["slow"] == "POST /orders"
    assert told["slow-of-service"]["operations"] == [["gateway", "POST /orders"]]
    # The shop's requests were counted, and are stored no more.
    assert told["slow-of-service"]["differences"] == []
    assert told["slow-of-service"]["note"]
    page = click(page, "slow-of-service", kind="close")
    assert "slow-of-service" not in panels(page)


@pytest.mark.usefixtures("counted")
def test_a_service_told_by_its_lines_shows_its_patterns_and_no_durations() -> None:
    page = open_by_name("services", service="checkout")
    told = panels(page)
    assert "told by its log lines" in told["head-of-service"]["words"]
    assert told["trends-of-service"]["isByLines"]
    assert not told["trends-of-service"]["hasDurations"]
    assert told["operations-of-service"]["operations"] == []
    assert told["patterns-of-service"]["total"] == 5


@pytest.mark.usefixtures("counted")
def test_the_map_has_services_databases_and_lone_ones() -> None:
    told = panels(open_by_name("services", show="map"))["map-of-services"]
    nodes = {one["name"]: one for one in told["nodes"]}
    assert (nodes["payment-db"]["kind"], nodes["payment"]["kind"]) == ("database", "service")
    assert nodes["gateway"]["calls"] == 100
    assert nodes["gateway"]["x"] < nodes["payment"]["x"] < nodes["payment-db"]["x"]
    assert nodes["checkout"]["isLone"] and nodes["cart"]["isLone"]
    assert "" not in nodes
    assert [(one["source"], one["target"]) for one in told["edges"]] == [
        ("gateway", "payment"),
        ("payment", "payment-db"),
    ]


@pytest.mark.usefixtures("counted")
def test_the_map_of_services_that_are_chosen_shows_them_and_whom_they_are_in_touch_with() -> None:
    page = open_by_name("services", show="map", service="payment,cart")
    told = panels(page)["map-of-services"]
    assert [one["name"] for one in told["nodes"]] == ["cart", "gateway", "payment", "payment-db"]
    assert chips(page) == ["service payment", "service cart"]


@pytest.mark.usefixtures("counted")
def test_the_map_is_narrowed_to_one_service_and_widened_step_by_step() -> None:
    page = open_by_name("services", show="map")
    page = click(page, "map-of-services", kind="focus", service="gateway", steps=1)
    assert url_of(page)["focus"] == "gateway"
    told = panels(page)["map-of-services"]
    assert {one["name"]: one["hidden"] for one in told["nodes"]} == {"gateway": 0, "payment": 1}
    page = click(page, "map-of-services", kind="expand", service="payment")
    assert url_of(page)["expand"] == "payment"
    told = panels(page)["map-of-services"]
    assert {one["name"] for one in told["nodes"]} == {"gateway", "payment", "payment-db"}
    page = click(page, "map-of-services", kind="whole")
    assert not {"focus", "expand"} & url_of(page).keys()
    assert "checkout" in {one["name"] for one in panels(page)["map-of-services"]["nodes"]}


@pytest.mark.usefixtures("counted")
def test_a_refresh_of_the_map_moves_nobody() -> None:
    page = open_by_name("services", show="map")
    before = panels(page)["map-of-services"]["nodes"]
    after = panels(click(page, "map-of-services", kind="refresh"))["map-of-services"]
    assert [(one["name"], one["x"], one["y"]) for one in after["nodes"]] == [
        (one["name"], one["x"], one["y"]) for one in before
    ]
    assert not after["isUntidy"]


@pytest.mark.usefixtures("counted")
def test_an_unknown_service_says_so_wherever_it_is_asked_for() -> None:
    page = open_by_name("services", service="chekout")
    assert "No such service in this time." in text_of(page)
    assert "Perhaps “checkout” is meant." in text_of(page)
    page = open_by_name("services", show="map", focus="chekout")
    assert "No service “chekout” in this time." in text_of(page)
    silent = open_by_name("services", service="shipping")
    assert "It sent nothing in this time." in text_of(silent)


@pytest.mark.usefixtures("counted")
@pytest.mark.parametrize("show", ["list", "map"])
def test_a_time_without_anything_says_so(show: str) -> None:
    page = open_by_name(
        "services", show=show, from_="2020-01-01T00:00:00Z", to_="2020-01-01T01:00:00Z"
    )
    assert not page.exception
    assert "No service sent anything in this time." in text_of(page)


@pytest.mark.usefixtures("counted")
def test_rubbish_in_the_url_shows_the_list_or_the_whole_map() -> None:
    assert "table-of-services" in panels(open_by_name("services", show="<script>"))
    page = open_by_name("services", show="map", focus="gateway", steps="12", expand=",,-")
    assert panels(page)["map-of-services"]["focus"] == {"service": "gateway", "steps": 1}


def test_a_database_that_is_away_is_said_in_each_view(dashboard: pytest.MonkeyPatch) -> None:
    dashboard.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
    for parameters in ({}, {"show": "map"}, {"service": "checkout"}):
        page = open_by_name("services", **parameters)
        assert not page.exception
        assert "The database does not answer." in text_of(page)
    session.traces().close()  # type: ignore[attr-defined]

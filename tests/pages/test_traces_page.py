"""The Traces page against a real database: the list, what is kept, empty, refused, failed."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from logstream.ports import Arrival
from logstream.receive import zipkin
from logstream.show import session
from logstream.show.traces import slow_fast
from tests.pages.test_explore_panels import panels
from tests.sent_requests import REQUESTS, shop_requests, trace_id
from tests.shop import OpenPage, chips, land, open_by_name, text_of, url_of


@pytest.fixture
def requests(dashboard: pytest.MonkeyPatch, database_url: str) -> Iterator[datetime]:
    """The shop's 250 requests of the last 9 minutes; the moment they began."""
    start = datetime.now(UTC) - timedelta(seconds=2 * REQUESTS + 20)
    body = json.dumps(shop_requests(start)).encode()
    decoded = zipkin.decode(Arrival(body, time.time_ns(), "production"))
    assert not decoded.rejects
    land(database_url, [], decoded.spans)
    dashboard.setenv("DATABASE_URL", database_url)
    yield start
    session.traces().close()  # type: ignore[attr-defined]
    session.reader().close()  # type: ignore[attr-defined]


def rows(page: AppTest) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = panels(page)["trace-table"]["rows"]
    return found


@pytest.mark.usefixtures("requests")
def test_all_traces_are_points_and_counts_and_the_newest_are_rows() -> None:
    page = open_by_name("traces", range="15m")
    shape = panels(page)["trace-shape"]
    # 250 requests, every 25th of them failed: 1, 26 is even and so a cart, 51, …
    assert (shape["total"], shape["errorTotal"]) == (250, 5)
    assert len(shape["ids"]) == 250 and sum(shape["errors"]) == 5
    # 125 carts of 20 to 69 ms, 100 checkouts of 100 ms, and 25 of 900 to 924 ms.
    (p50, p50_ms), (p95, p95_ms), (p99, p99_ms) = shape["percentiles"]
    assert (p50, p95, p99) == ("p50", "p95", "p99")
    assert 69 <= p50_ms <= 100 and 900 < p95_ms < p99_ms < 924
    assert sum(step["count"] for step in shape["steps"]) == 250
    table = panels(page)["trace-table"]
    assert len(table["rows"]) == 100
    assert table["moreWords"] == "Show 100 more of the other 150"
    newest = table["rows"][0]
    assert newest["id"] == trace_id(249)
    assert (newest["service"], newest["name"]) == ("storefront", "POST /checkout")
    assert (newest["duration"], newest["spans"], newest["derived"]) == (100, 4, False)
    assert newest["services"] == ["storefront", "payment"]


@pytest.mark.usefixtures("requests")
def test_sorted_by_duration_the_slow_provider_comes_first() -> None:
    page = open_by_name("traces", range="15m", sort="longest")
    # 25 of 250 asked it, the last one for 924 ms.
    assert [row["duration"] for row in rows(page)[:26]] == [*range(924, 899, -1), 100]
    failed = rows(open_by_name("traces", range="15m", sort="errors"))
    assert [row["errors"] for row in failed[:6]] == [2] * 5 + [0]


@pytest.mark.usefixtures("requests")
def test_words_of_traces_narrow_the_list() -> None:
    slow = open_by_name("traces", range="15m", q="duration>=500ms status:error")
    assert panels(slow)["trace-shape"]["total"] == 5
    # Numbers 201, 151, 101, 51 and 1.
    assert [row["duration"] for row in rows(slow)] == [920, 915, 910, 905, 900]
    assert panels(slow)["trace-table"]["endWords"] == "All 5 are shown."
    assert panels(slow)["trace-shape"]["back"] == "last 15 min"
    provider = open_by_name("traces", range="15m", q="payment.provider:slowbank kind:server")
    assert panels(provider)["trace-shape"]["total"] == 25
    cart = open_by_name("traces", range="15m", service="cart")
    assert {row["name"] for row in rows(cart)} == {"GET /cart/{id}"}


@pytest.mark.usefixtures("requests")
def test_a_refused_term_is_named_with_what_to_write_instead() -> None:
    page = open_by_name("traces", range="15m", q="pattern:12")
    assert not page.exception
    assert "The search cannot be asked of traces." in text_of(page)
    assert "pattern" in text_of(page) and "Explore" in text_of(page)
    assert "trace-table" not in panels(page)


@pytest.mark.usefixtures("requests")
def test_an_order_that_is_not_known_is_said_and_the_usual_one_used() -> None:
    page = open_by_name("traces", range="15m", sort="prettiest")
    assert any("sort 'prettiest' is not known" in chip for chip in chips(page))
    assert panels(page)["trace-table"]["sort"] == "newest"


def test_what_is_read_stays_until_it_is_asked_for_again(
    requests: datetime, database_url: str
) -> None:
    page = open_by_name("traces", range="15m")
    before = [row["id"] for row in rows(page)]
    late = json.dumps(shop_requests(requests + timedelta(seconds=505), 1)).encode()
    spans = zipkin.decode(Arrival(late.replace(b'"000', b'"f00'), time.time_ns(), "p")).spans
    land(database_url, [], spans)
    page.run()
    assert [row["id"] for row in rows(page)] == before
    session.traces().forget()  # type: ignore[attr-defined]
    del page.session_state["traces-list"]
    page.run()
    assert rows(page)[0]["id"] == f"f{trace_id(0)[1:]}"


@pytest.mark.usefixtures("requests")
def test_the_parameters_of_a_trace_stay_on_this_page() -> None:
    page = open_by_name("traces", range="15m", trace=trace_id(1), span="abc", sort="longest")
    assert url_of(page)["span"] == "abc" and url_of(page)["sort"] == "longest"
    links = {link.proto.page: link.proto.query_string for link in page.get("page_link")}
    assert links["explore"] == f"trace={trace_id(1)}&range=15m"
    assert "span=abc" in links["traces"] and "sort=longest" in links["traces"]


def test_without_traces_the_page_says_how_to_send_them(open_page: OpenPage) -> None:
    page = open_page("traces", from_="2020-01-01T00:00Z", to_="2020-01-01T01:00Z")
    assert not page.exception
    assert "No trace begins in the time shown" in text_of(page)
    (code,) = page.code
    assert "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:9" in code.value
    assert "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf" in code.value
    page.button("traces-wider").click().run()
    assert url_of(page) == {"range": "24h"}


def test_an_environment_without_traces_is_named(open_page: OpenPage) -> None:
    page = open_page("traces", env="nowhere,<b>", range="24h")
    assert "No trace of nowhere and &lt;b&gt; begins in the time shown" in text_of(page)
    page.button("traces-everywhere").click().run()
    assert url_of(page) == {"range": "24h"}


def test_a_filter_that_leaves_nothing_can_be_loosened(open_page: OpenPage) -> None:
    page = open_page("traces", service="nobody", range="24h")
    assert "No trace is so in the time shown" in text_of(page)
    assert not page.code
    page.button("traces-reset").click().run()
    assert url_of(page) == {"range": "24h"}


@pytest.mark.usefixtures("requests")
def test_a_trace_is_compared_with_the_typical_one_or_one_that_is_missing() -> None:
    page = open_by_name("traces", range="15m", trace=trace_id(1), compare="typical")
    told = panels(page)["trace-comparison"]
    assert told["isTypical"]
    # Of 125 checkouts 100 take 100 ms, so does the median.
    assert (told["own"]["ms"], told["other"]["ms"]) == (900, 100)
    assert told["changes"] == {"slower": 3, "same": 1}
    missing = open_by_name("traces", range="15m", trace=trace_id(1), compare="ff" * 16)
    assert f"Nothing is stored of the trace {'ff' * 16}." in text_of(missing)


@pytest.mark.usefixtures("requests")
def test_a_pattern_of_slow_ones_leads_to_its_lines_and_others_to_traces() -> None:
    page = open_by_name("traces", range="15m")
    page.session_state["slow-fast-open"] = slow_fast._Opened(("storefront", "POST /checkout"))
    page.run()
    told = panels(page)["slow-fast"]
    assert told["operations"][0] == ["storefront", "POST /checkout"]
    found = {(one["field"], one["value"]): one for one in told["differences"]}
    provider = found["attribute:payment.provider", "slowbank"]
    assert (provider["share"], provider["act"]) == (1, "Only traces like this; again to undo")
    page.session_state["slow-fast-lines"] = "12"
    page.run()
    assert url_of(page) == {"range": "15m", "q": "pattern:12"}


def test_a_database_that_is_away_is_said(dashboard: pytest.MonkeyPatch) -> None:
    dashboard.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
    page = open_by_name("traces")
    assert not page.exception
    assert "The traces cannot be listed." in text_of(page)
    assert "The database does not answer." in text_of(page)

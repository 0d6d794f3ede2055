"""The waterfall on the Traces page of a real dashboard: where its clicks lead, and the way back."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.live_page import Dashboard, expect_query, part, query_of
from tests.pages.sent_traces import Sender, checkout, id_of

pytestmark = pytest.mark.browser


def opened(page: Page, dashboard: Dashboard, sent: Sender, query: str = "") -> Locator:
    page.goto(f"{dashboard.address}/traces?trace={sent.trace_id}{query}")
    rows = part(page, "waterfall").locator(".trace .row")
    expect(rows).to_have_count(16, timeout=60_000)
    return rows


def row(page: Page, words: str) -> Locator:
    return part(page, "waterfall").locator(f".row[aria-label*='{words}']").first


def test_a_trace_opens_at_a_span_and_keeps_the_one_selected_in_its_url(
    dashboard: Dashboard, page: Page
) -> None:
    sent = checkout(dashboard.service)
    sent.send()
    opened(page, dashboard, sent, f"&span={id_of('sql')}")
    expect(page.locator(".row.selected")).to_contain_text("SELECT stock")
    row(page, "cart · HGETALL").click()
    expect_query(page, trace=sent.trace_id, span=id_of("redis"))
    # A run of the page leaves it selected.
    page.reload()
    expect(page.locator(".row.selected")).to_contain_text("HGETALL cart", timeout=60_000)


def test_an_attribute_leads_to_the_traces_that_have_it(dashboard: Dashboard, page: Page) -> None:
    sent = checkout(dashboard.service)
    sent.send()
    opened(page, dashboard, sent)
    row(page, "payment · POST /pay").click()
    drawer = page.get_by_test_id("span-detail")
    leaf = drawer.locator(".leaf").filter(has_text="payment.provider")
    leaf.hover()
    leaf.get_by_role("button", name="Only traces with payment.provider acme").click()
    expect(part(page, "trace-list")).to_be_visible(timeout=30_000)
    assert query_of(page).get("q") == "payment.provider:acme"
    assert "trace" not in query_of(page)
    page.go_back()
    expect(page.locator(".trace .row")).to_have_count(16, timeout=30_000)


def test_the_lines_of_a_trace_open_in_explore(dashboard: Dashboard, page: Page) -> None:
    sent = checkout(dashboard.service)
    sent.send()
    opened(page, dashboard, sent)
    part(page, "waterfall").get_by_role("button", name="Lines in Explore").click()
    page.wait_for_url(re.compile("/explore"))
    rows = page.get_by_test_id("feed-row")
    expect(rows).to_have_count(4, timeout=30_000)
    expect(rows.filter(has_text="slow query: 160 ms")).to_have_count(1)
    assert query_of(page)["trace"] == sent.trace_id
    page.go_back()
    expect(page.locator(".trace .row")).to_have_count(16, timeout=30_000)


def test_a_browser_that_cannot_reach_the_service_is_served_through_the_dashboard(
    dashboard: Dashboard, page: Page
) -> None:
    sent = checkout(dashboard.service)
    sent.send()
    page.route(f"{dashboard.service}/**", lambda route: route.abort())
    opened(page, dashboard, sent)
    row(page, "payment · POST /pay").click()
    expect(page.get_by_test_id("span-detail")).to_contain_text("payment.provider")


def test_times_are_in_the_chosen_zone(dashboard: Dashboard, page: Page) -> None:
    # Monday 2026-11-23 09:10:00 UTC is 14:40 in India.
    sent = checkout(dashboard.service, begin=1_795_425_000_000_000_000)
    sent.send()
    opened(page, dashboard, sent, "&tz=Asia/Kolkata")
    expect(part(page, "waterfall").locator(".figures")).to_contain_text("2026-11-23 14:40:00.000")

"""A reader's walk through traces: from the list to a waterfall and back, and from a line to it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.live_page import NARROW, expect_query, part, query_of
from tests.e2e.site import Site, running_site
from tests.e2e.test_explore import violations
from tests.sent_requests import shop_lines, shop_requests, trace_id

pytestmark = pytest.mark.browser
# Long gone, so that nothing moves: 250 requests of 500 seconds.
START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
TEN_MINUTES = {"from": "2026-03-02T10:00:00Z", "to": "2026-03-02T10:10:00Z"}
QUERY = "?from=2026-03-02T10:00:00Z&to=2026-03-02T10:10:00Z"
NEWEST, FAILED = trace_id(249), trace_id(201)


@pytest.fixture(scope="module")
def shop(
    postgres_url: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A running site with the shop's requests: 1,000 spans short of some, and 500 lines."""
    with running_site(postgres_url, migrated_template, tmp_path_factory.mktemp("data")) as site:
        spans, lines = shop_requests(START), shop_lines(START)
        assert httpx.post(f"{site.service}/api/v2/spans", json=spans).status_code == 202
        assert httpx.post(f"{site.service}/logs/ingest", json=lines).status_code == 201
        yield site


def listed(page: Page, shop: Site, query: str = "") -> Locator:
    """The rows of the list, once they are drawn."""
    page.goto(f"{shop.address}/traces{QUERY}{query}")
    rows = part(page, "trace-list").locator(".trace_table .row")
    expect(rows.first).to_be_visible(timeout=60_000)
    return rows


def total(page: Page) -> Locator:
    return part(page, "trace-list").locator(".trace_shape .total")


def test_a_row_opens_its_waterfall_and_back_leads_to_the_list(shop: Site, page: Page) -> None:
    rows = listed(page, shop, "&service=payment")
    # Every second request.
    expect(total(page)).to_have_text("125 traces")
    rows.first.locator(".open").click(force=True)
    expect_query(page, **TEN_MINUTES, service="payment", trace=NEWEST)
    waterfall = part(page, "waterfall")
    expect(waterfall.get_by_text("Payment.Charge").first).to_be_visible(timeout=30_000)
    page.go_back()
    expect_query(page, **TEN_MINUTES, service="payment")
    expect(rows.first).to_be_visible(timeout=30_000)
    expect(total(page)).to_have_text("125 traces")
    page.go_forward()
    expect(waterfall.get_by_text("Payment.Charge").first).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="All traces").click()
    expect_query(page, **TEN_MINUTES, service="payment")


def test_rows_are_sorted_and_more_of_them_loaded_to_an_honest_end(shop: Site, page: Page) -> None:
    rows = listed(page, shop)
    table = part(page, "trace-list").locator(".trace_table")
    expect(rows).to_have_count(100)
    table.get_by_role("button", name="Show 100 more of the other 150").click()
    expect(rows).to_have_count(200)
    table.get_by_role("button", name="Show 50 more of the other 50").click()
    expect(rows).to_have_count(250)
    expect(table.locator(".end")).to_have_text("All 250 are shown.")
    starts = rows.locator(".start").all_text_contents()
    assert starts == sorted(starts, reverse=True)
    table.get_by_role("button", name="Longest").click()
    expect_query(page, **TEN_MINUTES, sort="longest")
    expect(rows.first.locator(".length .number")).to_have_text("924 ms")
    page.go_back()
    expect(rows.first.locator(".length .number")).to_have_text("100 ms")


def test_time_and_duration_are_chosen_in_one_drag_and_given_back(shop: Site, page: Page) -> None:
    listed(page, shop)
    plot = part(page, "trace-list").locator(".trace_shape .plot")
    box = plot.bounding_box()
    assert box is not None
    # The slow ones lie at the top; ten minutes are shown, and the requests took eight of them.
    page.mouse.move(box["x"] + 60, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 2, steps=5)
    page.mouse.up()
    page.wait_for_function("location.search.includes('duration')")
    chosen = query_of(page)
    assert re.fullmatch(r"duration>=\d+ms", chosen["q"])
    assert chosen["from"] < chosen["to"] < TEN_MINUTES["to"]
    expect(total(page)).to_have_text(re.compile(r"^\d+ traces$"))
    rows = part(page, "trace-list").locator(".trace_table .row")
    expect(rows.first.locator(".length .number")).to_have_text(
        re.compile(r"^9\d\d ms"), timeout=20_000
    )
    assert 0 < rows.count() < 25
    plot.dblclick(position={"x": 300, "y": 100})
    expect_query(page, **TEN_MINUTES)
    expect(total(page)).to_have_text("250 traces", timeout=20_000)


def test_a_dot_and_an_error_narrow_the_list(shop: Site, page: Page) -> None:
    rows = listed(page, shop)
    part(page, "trace-list").get_by_role("button", name="5 with errors").click()
    expect_query(page, **TEN_MINUTES, q="status:error")
    expect(rows).to_have_count(5, timeout=20_000)
    rows.first.get_by_role("button", name="Only traces with payment").click()
    expect_query(page, **TEN_MINUTES, q="status:error", service="payment")
    rows.first.hover()
    rows.first.get_by_role("button", name="Only traces that begin with").click()
    expect_query(
        page,
        **TEN_MINUTES,
        q='status:error root:"POST /checkout"',
        service="storefront",
    )


def test_two_traces_are_compared_and_the_difference_is_named(shop: Site, page: Page) -> None:
    rows = listed(page, shop, "&q=operation:Payment.Charge")
    rows.nth(0).get_by_role("checkbox").check()
    # The newest is 249; those of the slow provider end in 1, so it is the fourth after it: 241.
    rows.nth(4).get_by_role("checkbox").check()
    part(page, "trace-list").get_by_role("link", name="Compare the two").click()
    compared = part(page, "trace-compared").locator(".trace_comparison")
    expect(compared.locator(".row")).to_have_count(4, timeout=30_000)
    expect(compared.locator(".counts")).to_have_text("▼ 3 faster= 1 as long")
    # 80 ms against 924 less 20.
    provider = compared.locator(".row").filter(has_text="provider")
    expect(provider.locator(".change")).to_have_text("−824 ms · −91 %")
    compared.get_by_role("button", name="Largest difference").click()
    expect(compared.locator(".row").first).to_contain_text("provider")
    compared.get_by_role("button", name="Only differences").click()
    expect(compared.locator(".row")).to_have_count(3)
    assert violations(page) == []
    page.get_by_role("button", name="End comparison").click()
    page.get_by_role("button", name="Compare with the typical one").click()
    expect_query(page, **TEN_MINUTES, q="operation:Payment.Charge", trace=NEWEST, compare="typical")
    # Of 125 checkouts 100 take 100 ms: the median does.
    expect(compared.locator(".side strong").nth(1)).to_have_text("100 ms", timeout=30_000)


def test_what_slow_ones_have_in_common_is_named_and_kept_by_a_click(shop: Site, page: Page) -> None:
    listed(page, shop)
    listing = part(page, "trace-list")
    listing.get_by_role("button", name="What do slow ones have in common?").click()
    panel = listing.locator(".slow_fast")
    # Checkouts take the most time: 125, of which the slow provider makes 25 last 900 ms or more.
    # The slowest tenth are some of these.
    expect(panel.locator(".operation option").first).to_have_text("storefront · POST /checkout")
    provider = panel.locator(".row").filter(has_text="slowbank").first
    expect(provider.locator(".slow .number")).to_have_text("100 %", timeout=30_000)
    expect(provider.locator(".certainty")).to_have_text("certain")
    assert violations(page) == []
    provider.locator(".pick").click()
    expect_query(page, **TEN_MINUTES, q="payment.provider:slowbank")
    expect(total(page)).to_have_text("25 traces", timeout=20_000)
    expect(provider.locator(".mark")).to_have_text("✓")
    provider.locator(".pick").click()
    expect_query(page, **TEN_MINUTES)
    panel.get_by_role("button", name="Close").click()
    expect(panel).to_have_count(0)


@pytest.mark.parametrize("where", ["", "explore"])
def test_a_line_leads_to_its_span_in_one_click_and_back(shop: Site, page: Page, where: str) -> None:
    page.goto(f"{shop.address}/{where}{QUERY}&severity=error")
    line = page.get_by_test_id("feed-row").filter(has_text="provider refused 201")
    line.first.click(timeout=60_000)
    drawer = page.get_by_test_id("line-detail")
    before = query_of(page)
    expect(drawer.get_by_role("button", name="Lines of this trace")).to_be_visible()
    drawer.get_by_role("link", name="Open trace").click()
    # Request 201 failed in payment, its second span.
    expect_query(page, **TEN_MINUTES, trace=FAILED, span=f"{2012:016x}")
    assert page.url.split("?")[0].endswith("/traces")
    waterfall = part(page, "waterfall")
    expect(waterfall.get_by_text("Payment.Charge").first).to_be_visible(timeout=30_000)
    page.go_back()
    expect_query(page, **before)
    expect(drawer).to_be_visible(timeout=30_000)


def test_the_box_offers_words_of_traces_and_none_that_are_refused(shop: Site, page: Page) -> None:
    listed(page, shop)
    box = part(page, "query").locator("input")
    box.fill("dur")
    offered = part(page, "query").get_by_role("option")
    expect(offered.first).to_contain_text("duration>", timeout=20_000)
    offered.first.click()
    expect(box).to_have_value("duration>")
    box.fill("kind:server s")
    expect(offered.filter(has_text="status:error")).to_be_visible(timeout=20_000)
    expect(offered.filter(has_text="service")).not_to_have_count(0)
    expect(offered.filter(has_text="severity")).to_have_count(0)
    box.fill("pattern:12")
    box.press("Enter")
    # What is refused is said in place of the list, with what to do instead.
    refused = part(page, "trace-list").get_by_role("alert")
    expect(refused).to_contain_text("The search cannot be asked of traces.", timeout=20_000)
    expect(refused).to_contain_text("pattern")
    expect(refused).to_contain_text("Explore")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [NARROW, None], ids=["phone", "wide"])
def test_the_list_passes_axe_and_fits(
    shop: Site, page: Page, scheme: str, size: dict[str, int] | None
) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    if size is not None:
        page.set_viewport_size({"width": size["width"], "height": size["height"]})
    listed(page, shop)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert violations(page) == []

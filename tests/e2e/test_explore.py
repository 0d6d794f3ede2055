"""A reader's walk through Explore: search, read to the end, open, look around, share, come back."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.live_page import NARROW, expect_query, part, query_of
from tests.e2e.site import Site, running_site
from tests.e2e.test_hostile_live import ATTACKS

pytestmark = pytest.mark.browser
ORDERS = 1500
FOUND = "globalThis.__logstream?.feeds.get('found')"


def orders(now: datetime) -> list[dict[str, object]]:
    """1,500 paid orders of ten minutes, two a host, and every attack as a failed one."""
    lines: list[dict[str, object]] = [
        {
            "source": "checkout",
            "message": f"order {number} paid",
            "severity": "info",
            "timestamp": (now - timedelta(milliseconds=400 * (number + 1))).isoformat(),
            "traceId": f"{number // 3 + 1:032x}",
            "metadata": {"host.name": f"host-{number % 2}", "cart.size": number % 7},
        }
        for number in range(ORDERS)
    ]
    for number, attack in enumerate(ATTACKS):
        at = (now - timedelta(seconds=20 * (number + 1))).isoformat()
        lines.append(
            {"source": attack, "message": f"refused {attack}", "severity": "error", "timestamp": at}
            | {"metadata": {attack: attack}}
        )
    return lines


@pytest.fixture(scope="module")
def shop(
    postgres_url: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A running site whose database holds the orders."""
    with running_site(postgres_url, migrated_template, tmp_path_factory.mktemp("data")) as site:
        lines = orders(datetime.now(UTC))
        for start in range(0, len(lines), 500):
            send(site, lines[start : start + 500])
        yield site


def send(site: Site, lines: list[dict[str, object]]) -> None:
    sent = httpx.post(f"{site.service}/logs/ingest", json=lines)
    assert sent.status_code == 201 and sent.json()["rejected"] == []


def explored(page: Page, shop: Site, query: str = "", *, count: str) -> Page:
    """Explore under a query, when its lines were counted."""
    page.goto(f"{shop.address}/explore{query}")
    expect(part(page, "found-lines").locator(".count")).to_have_text(count, timeout=60_000)
    return page


def loaded(page: Page) -> list[str]:
    messages: list[str] = page.evaluate(f"{FOUND}.store.rows.map(row => row.line.message)")
    return messages


def violations(page: Page) -> list[str]:
    options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
    found = Axe().run(page, options=options).response
    assert len(found["passes"]) > 10
    return [
        f"{rule['id']}: {node['html'][:160]}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def test_a_search_is_read_to_its_honest_end_without_a_line_missing(shop: Site, page: Page) -> None:
    explored(page, shop, count="1,505 lines")
    expect(page.get_by_test_id("feed-row").first).to_be_visible()
    # 200 at first, and not yet the oldest.
    assert len(loaded(page)) == 200
    search = part(page, "query").locator("input")
    search.fill("paid")
    search.press("Enter")
    expect(part(page, "found-lines").locator(".count")).to_have_text("1,500 of 1,505 lines")
    assert query_of(page)["q"] == "paid"
    expect(page.get_by_test_id("feed-row").first.locator("mark")).to_have_text("paid")
    view = part(page, "found-lines").locator(".view")
    foot = part(page, "found-lines").locator(".foot")
    for _ in range(40):
        view.evaluate("view => view.scrollTo(0, view.scrollHeight)")
        page.wait_for_timeout(100)
        if page.evaluate(f"{FOUND}.source.hasAllOlder"):
            break
    expect(foot).to_contain_text("is here: 1,500")
    # Oldest first, as they are kept: every one once.
    assert loaded(page) == [f"order {number} paid" for number in reversed(range(ORDERS))]
    # Scrolling sideways or on brings no more of them.
    view.evaluate("view => view.scrollTo(0, 0)")
    expect(page.get_by_test_id("feed-row").first).to_contain_text("order 0 paid")


def test_more_lines_can_be_asked_for_by_the_keyboard(shop: Site, page: Page) -> None:
    explored(page, shop, count="1,505 lines")
    page.keyboard.press("j")
    page.keyboard.press("End")
    # Drawn too: a page of lines that lands keeps the reader's place.
    page.wait_for_function(f"{FOUND}.store.rows.length === 400 && {FOUND}.list.count === 400")
    page.keyboard.press("Home")
    expect(page.locator(".row.selected")).to_contain_text("order 0 paid")


def test_an_opened_line_shows_what_is_around_it_and_is_found_again(shop: Site, page: Page) -> None:
    explored(page, shop, "?q=paid&severity=info", count="1,500 of 1,505 lines")
    drawer = page.get_by_test_id("line-detail")
    page.get_by_test_id("feed-row").filter(has_text="order 3 paid").click()
    expect(drawer.locator(".whole")).to_contain_text("order 3 paid")
    line = query_of(page)["line"]
    around = drawer.locator(".around-line")
    # Orders 3, 4 and 5 are of one trace, newest first.
    drawer.locator(".scopes").get_by_role("button", name="This trace").click()
    expect(around).to_have_count(3)
    expect(around.nth(1)).to_contain_text("order 4 paid")
    # Five lines of host-1 on one side; on the other order 1 is the newest.
    drawer.locator(".scopes").get_by_role("button", name="This host").click()
    expect(around).to_have_count(1 + 1 + 5)
    expect(around.first).to_contain_text("order 1 paid")
    drawer.get_by_label("Lines on each side").select_option("10")
    expect(around).to_have_count(1 + 1 + 10)
    # Filters are as they were, and so is the list.
    assert query_of(page) == {"q": "paid", "severity": "info", "line": line}
    expect(part(page, "found-lines").locator(".count")).to_have_text("1,500 of 1,505 lines")
    # An attribute becomes a column.
    leaf = drawer.locator(".leaf", has_text="cart.size")
    leaf.hover()
    leaf.get_by_role("button", name="column").click()
    expect(page.locator(".heads")).to_contain_text("cart.size")
    page.evaluate("navigator.clipboard.writeText = async (text) => { globalThis.__copied = text }")
    drawer.get_by_role("button", name="Copy link").click()
    link = page.evaluate("globalThis.__copied")
    page.get_by_role("link", name="Live").click()
    expect(part(page, "live-feed")).to_be_visible()
    page.go_back()
    expect(drawer.locator(".whole")).to_contain_text("order 3 paid")
    assert len(loaded(page)) == 200
    page.goto(link)
    expect(drawer.locator(".whole")).to_contain_text("order 3 paid", timeout=60_000)
    frozen = query_of(page)
    assert frozen["line"] == line and "from" in frozen and "range" not in frozen
    assert "cart.size" in frozen["cols"]


def test_filters_come_and_go_with_back_and_forward(shop: Site, page: Page) -> None:
    explored(page, shop, "?q=paid", count="1,500 of 1,505 lines")
    part(page, "errors-only").locator("button").click()
    panel = part(page, "found-lines").locator(".panel")
    expect(panel).to_contain_text("No lines match")
    # What would help is said, with how much.
    expect(panel.get_by_role("button", name="Without severity")).to_contain_text("1,500 lines")
    expect(panel.get_by_role("button", name="Without text")).to_contain_text("5 lines")
    page.go_back()
    expect(part(page, "found-lines").locator(".count")).to_have_text("1,500 of 1,505 lines")
    expect_query(page, q="paid")
    page.go_forward()
    expect(panel).to_contain_text("No lines match")
    panel.get_by_role("button", name="Without text").click()
    expect(part(page, "found-lines").locator(".count")).to_have_text("5 of 1,505 lines")
    assert "q" not in query_of(page)


def test_one_click_leads_to_live_and_back(shop: Site, page: Page) -> None:
    explored(
        page, shop, "?service=checkout&from=2026-01-01T00:00:00Z", count="1,500 of 1,505 lines"
    )
    part(page, "found-lines").get_by_role("button", name="Go live").click()
    expect(part(page, "live-feed").get_by_test_id("feed-row").first).to_be_visible(timeout=60_000)
    expect_query(page, service="checkout")
    part(page, "live-feed").get_by_role("button", name="Explore").click()
    expect(part(page, "found-lines").locator(".count")).to_have_text("1,500 of 1,505 lines")
    expect_query(page, service="checkout")


def test_newer_lines_are_offered_and_not_pushed_in(shop: Site, page: Page) -> None:
    explored(page, shop, "?q=newcomer&range=15m", count="0 of 1,505 lines")
    send(shop, [{"source": "checkout", "message": "a newcomer arrives", "severity": "info"}])
    offer = part(page, "found-lines").get_by_role("button", name="1 newer line")
    expect(offer).to_be_visible(timeout=20_000)
    assert loaded(page) == []
    offer.click()
    expect(page.get_by_test_id("feed-row")).to_contain_text(["a newcomer arrives"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_hostile_lines_stay_text_and_the_page_passes_axe(
    shop: Site, page: Page, scheme: str
) -> None:
    page.on("dialog", lambda dialog: pytest.fail(f"a line opened a dialog: {dialog.message}"))
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    explored(page, shop, "?severity=error&range=1h", count="5 of 1,506 lines")
    expect(page.get_by_test_id("feed-row").first).to_contain_text(f"refused {ATTACKS[0]}")
    assert violations(page) == []
    page.get_by_test_id("feed-row").first.click()
    expect(page.get_by_test_id("line-detail").locator(".whole")).to_contain_text(ATTACKS[0])
    expect(page.locator(".around-lines")).to_be_visible()
    assert violations(page) == []
    assert page.evaluate("globalThis.hacked") is None
    assert page.locator(".hostile").count() == 0


def test_on_a_phone_the_facets_wait_behind_a_button(shop: Site, page: Page) -> None:
    page.set_viewport_size(NARROW)
    explored(page, shop, "?range=24h", count="1,506 lines")
    expect(part(page, "facets")).to_be_hidden()
    page.get_by_role("button", name="Facets").click()
    expect(part(page, "facets-phone")).to_contain_text("Hide facets")
    assert page.evaluate("document.scrollingElement.scrollWidth") <= NARROW["width"]


def test_without_the_service_the_dashboard_reads_the_lines_itself(shop: Site, page: Page) -> None:
    shop.stop()
    try:
        page.goto(f"{shop.address}/explore?q=paid&range=1h")
        rows = page.get_by_test_id("feed-row")
        expect(rows.first).to_contain_text("order 0 paid", timeout=60_000)
        assert loaded(page)[-1] == "order 0 paid" and len(loaded(page)) == 200
        # And the page after it.
        part(page, "found-lines").locator(".view").evaluate("view => view.scrollTo(0, 1e9)")
        page.wait_for_function(f"{FOUND}.store.rows.length === 400", timeout=30_000)
        assert loaded(page)[0] == "order 399 paid"
    finally:
        shop.start()

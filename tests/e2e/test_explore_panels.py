"""A reader narrows by the panels of Explore: time, values, patterns, and what is different."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.live_page import expect_query, part, query_of
from tests.e2e.site import Site, running_site
from tests.e2e.test_explore import violations

pytestmark = pytest.mark.browser
PAID, FAILED = 600, 60
# Long gone, so that nothing moves: ten minutes, and the failures in the eighth.
START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
TEN_MINUTES = {"from": "2026-03-02T10:00:00Z", "to": "2026-03-02T10:10:00Z"}
QUERY = "?from=2026-03-02T10:00:00Z&to=2026-03-02T10:10:00Z"


@pytest.fixture(scope="module")
def shop(
    postgres_url: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A running site: a paid order a second, and a minute in which the US provider fails."""
    paid = [
        {
            "source": "checkout" if number % 3 else "cart",
            "message": f"order {number} paid in {number % 90} ms",
            "severity": "info",
            "timestamp": (START + timedelta(seconds=number)).isoformat(),
            "metadata": {"region": "eu" if number % 4 else "us"},
        }
        for number in range(PAID)
    ]
    failed = [
        {
            "source": "payment-gateway",
            "message": f"provider timed out after {5000 + number} ms",
            "severity": "error",
            "timestamp": (START + timedelta(minutes=7, seconds=number)).isoformat(),
            "metadata": {"region": "us"},
        }
        for number in range(FAILED)
    ]
    with running_site(postgres_url, migrated_template, tmp_path_factory.mktemp("data")) as site:
        for lines in (paid, failed):
            assert httpx.post(f"{site.service}/logs/ingest", json=lines).status_code == 201
        yield site


def explored(page: Page, shop: Site, query: str = "") -> Locator:
    """Explore's histogram, drawn."""
    page.goto(f"{shop.address}/explore{QUERY}{query}")
    histogram = part(page, "trend")
    expect(histogram.locator(".column").first).to_be_attached(timeout=60_000)
    return histogram


def drag(page: Page, histogram: Locator, first: int, last: int) -> None:
    """From one bar to another, both included."""
    plot = histogram.locator(".plot").bounding_box()
    boxes = [histogram.locator(".column").nth(n).bounding_box() for n in (first, last)]
    assert plot is not None and None not in boxes
    y = plot["y"] + plot["height"] / 2
    begin, end = (box["x"] + box["width"] / 2 for box in boxes if box is not None)
    page.mouse.move(begin, y)
    page.mouse.down()
    page.mouse.move(end, y, steps=4)
    page.mouse.up()


def test_time_is_chosen_by_dragging_and_a_double_click_leads_back(shop: Site, page: Page) -> None:
    histogram = explored(page, shop)
    expect(histogram.locator(".column")).to_have_count(10)
    expect(histogram.get_by_role("button", name="error: 60 lines")).to_be_visible()
    drag(page, histogram, 7, 8)
    expect_query(page, **{"from": "2026-03-02T10:07:00Z", "to": "2026-03-02T10:09:00Z"})
    # 120 seconds of orders and the failures.
    expect(histogram.locator(".plot")).to_have_attribute("aria-label", re.compile("^180 lines"))
    expect(histogram.get_by_role("button", name="120 in the 2 min before")).to_have_count(0)
    # 180 lines, 120 of them in the two minutes before: half more.
    expect(histogram.locator(".compare")).to_have_text("+50 % against the 2 min before")
    histogram.locator(".plot").dblclick(position={"x": 300, "y": 40})
    expect_query(page, **TEN_MINUTES)
    histogram.get_by_role("button", name="error: 60 lines").click()
    expect_query(page, **TEN_MINUTES, severity="error")


def test_facets_narrow_by_label_and_attribute_and_stay_whole(shop: Site, page: Page) -> None:
    explored(page, shop)
    facets = part(page, "facets")
    services = facets.get_by_role("group", name="Service")
    region = facets.get_by_role("group", name="region")
    expect(region.locator(".value")).to_have_count(2)
    services.locator(".value").filter(has_text="cart").hover()
    services.get_by_role("button", name="Exclude cart").click()
    expect_query(page, **TEN_MINUTES, service="-cart")
    region.locator(".pick").filter(has_text="us").click()
    expect_query(page, **TEN_MINUTES, service="-cart", q="region:us")
    # Of 150 orders of the US a third is cart's: 100, and 60 failures. EU is still offered.
    us, eu = (region.locator(".pick").filter(has_text=name) for name in ("us", "eu"))
    expect(us).to_have_attribute("aria-label", "us, 160 lines, 35 %, shown")
    expect(eu).to_have_attribute("aria-label", "eu, 300 lines, 65 %")
    eu.focus()
    page.keyboard.press("Enter")
    expect_query(page, **TEN_MINUTES, service="-cart", q="(region:us OR region:eu)")
    expect(eu).to_be_focused()
    expect(services.locator(".value").filter(has_text="cart")).to_have_class(re.compile("out"))


def test_a_pattern_shows_its_values_and_leads_to_its_lines(shop: Site, page: Page) -> None:
    explored(page, shop, "&tab=patterns")
    table = part(page, "results").locator(".patterns")
    row = table.locator(".row").filter(has_text="timed out")
    expect(row.locator(".count")).to_have_text("60", timeout=20_000)
    row.locator(".chip").first.hover()
    values = table.locator(".floating")
    expect(values).to_contain_text("60 values of duration in all 60 lines")
    values.get_by_role("button").first.click()
    page.wait_for_function("!location.search.includes('tab=')")
    assert re.fullmatch(r'pattern:\d+ "50\d\d ms"', query_of(page)["q"])
    expect(part(page, "found-lines").locator(".count")).to_have_text(
        "1 of 660 lines", timeout=20_000
    )


def test_fields_open_and_lead_to_lines(shop: Site, page: Page) -> None:
    explored(page, shop, "&tab=fields")
    fields = part(page, "results").locator(".field_table")
    expect(fields).to_contain_text("1 attributeof all 660 lines")
    fields.get_by_role("button", name="region, text, in 100 % of the lines, 2 values").click()
    fields.get_by_role("group", name="region").locator(".pick").filter(has_text="eu").click()
    expect_query(page, **TEN_MINUTES, tab="fields", q="region:eu")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_spike_is_explained_and_every_panel_passes_axe(
    shop: Site, page: Page, scheme: str
) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    histogram = explored(page, shop)
    page.keyboard.down("Shift")
    drag(page, histogram, 7, 7)
    page.keyboard.up("Shift")
    spike = part(page, "spike-panel").locator(".panel")
    rows = spike.locator(".row")
    expect(rows.first).to_be_visible(timeout=20_000)
    expect_query(page, **TEN_MINUTES)  # the time shown stays
    expect(spike).to_contain_text("What is different in 2026-03-02 10:07")
    errors = rows.filter(has_text="error").first
    # 60 of 120 lines; none of the 420 before.
    expect(errors.locator(".number.now")).to_have_text("50 %")
    expect(errors.locator(".lift")).to_have_text("new")
    expect(errors.locator(".certainty")).to_have_text("certain")
    errors.hover()
    expect(histogram.locator(".painted")).to_have_attribute("d", re.compile("^M"), timeout=10_000)
    assert violations(page) == []
    rows.filter(has_text="provider timed out").locator(".pick").click()
    page.wait_for_function("location.search.includes('pattern')")
    for tab in ("Patterns", "Fields"):
        part(page, "results-bar").get_by_role("radio", name=tab).click()
        expect(part(page, "results").locator(".bar .total")).to_be_visible(timeout=20_000)
        assert violations(page) == []

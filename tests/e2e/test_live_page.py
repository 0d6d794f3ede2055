"""The dashboard in a real browser, over a real service and a real database."""

import re
import time
from datetime import datetime
from typing import Literal
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.live_page import NARROW, Dashboard, expect_query, opened, part, query_of

pytestmark = pytest.mark.browser
expect.set_options(timeout=15_000)


def test_a_posted_line_is_drawn_and_counted(dashboard: Dashboard, page: Page) -> None:
    opened(page, dashboard.address)
    marker = f"order {time.time_ns()} paid"
    dashboard.post(marker)
    expect(part(page, "live-feed").get_by_text(marker)).to_be_visible()
    # 7 seeded lines and this one, counted in the database; other tests may add theirs.
    expect(part(page, "trend").locator(".legend")).to_contain_text(
        re.compile(r"\b([89]|\d\d+) lines")
    )


def test_the_trend_updates_in_place(dashboard: Dashboard, page: Page) -> None:
    opened(page, f"{dashboard.address}/?service=in-place")
    legend = part(page, "trend").locator(".legend")
    expect(legend).to_contain_text("0 lines")
    drawing = part(page, "trend").locator(".plot svg")
    drawing.evaluate("element => { element.dataset.mark = 'same' }")
    dashboard.post("one more", source="in-place", severity="error")
    expect(legend).to_contain_text("1 line")
    expect(legend).to_contain_text("1 error")
    expect(part(page, "breakdown").get_by_role("button", name="error")).to_contain_text("1")
    assert drawing.get_attribute("data-mark") == "same"


def test_nothing_is_fetched_from_outside(dashboard: Dashboard, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    opened(page, dashboard.address)
    part(page, "nav-to-system").get_by_role("link").click()
    expect(page.get_by_text("Lines accepted")).to_be_visible()
    outside = [
        url
        for url in asked
        if urlsplit(url).scheme not in ("data", "blob") and urlsplit(url).hostname != "127.0.0.1"
    ]
    assert outside == []
    assert any("inter-latin.woff2" in url for url in asked), "the shipped font is not used"


def test_back_forward_and_reload_restore_the_filters(dashboard: Dashboard, page: Page) -> None:
    opened(page, dashboard.address)
    chips = part(page, "filter-chips")
    part(page, "severity-error").get_by_role("button").click()
    expect_query(page, severity="error")
    expect(chips).to_contain_text("severity error")
    part(page, "severity-warn").get_by_role("button").click()
    expect_query(page, severity="warn,error")
    page.go_back()
    expect_query(page, severity="error")
    expect(chips).not_to_contain_text("severity warn")
    page.go_back()
    expect(chips).to_contain_text("No filters")
    page.go_forward()
    expect(chips).to_contain_text("severity error")
    page.reload()
    expect(chips).to_contain_text("severity error")
    expect_query(page, severity="error")


def test_a_chip_goes_by_its_cross_and_reset_can_be_undone(dashboard: Dashboard, page: Page) -> None:
    opened(page, f"{dashboard.address}/?service=checkout,-cart&severity=error&range=1h")
    chips = part(page, "filter-chips")
    chips.get_by_role("button", name="service not cart").click()
    expect_query(page, service="checkout", severity="error", range="1h")
    part(page, "reset-filters").get_by_role("button").click()
    expect_query(page, range="1h")
    chips.get_by_role("button", name="Undo reset").click()
    expect_query(page, service="checkout", severity="error", range="1h")


def test_typing_searches_without_losing_a_letter(dashboard: Dashboard, page: Page) -> None:
    opened(page, dashboard.address)
    box = (
        part(page, "query").get_by_role("searchbox").or_(part(page, "query").get_by_role("textbox"))
    )
    box.click()
    page.keyboard.type("payment provider timed", delay=60)
    expect_query(page, q="payment provider timed")
    expect(box).to_have_value("payment provider timed")
    expect(part(page, "trend").locator(".legend")).to_contain_text("2 lines")


def test_services_are_picked_and_excluded_by_name(dashboard: Dashboard, page: Page) -> None:
    opened(page, dashboard.address)
    box = part(page, "services").get_by_role("combobox")
    box.click()
    page.keyboard.type("not cart")
    page.keyboard.press("Enter")
    expect_query(page, service="-cart")
    page.keyboard.press("Escape")
    expect(part(page, "filter-chips")).to_contain_text("service not cart")


def test_a_drag_on_the_trend_sets_the_time_and_a_double_click_restores_it(
    dashboard: Dashboard, page: Page
) -> None:
    opened(page, f"{dashboard.address}/?range=1h")
    box = part(page, "trend").locator(".plot").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2

    def drag(first: float, last: float) -> None:
        page.mouse.move(box["x"] + box["width"] * first, middle)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * last, middle, steps=8)
        page.mouse.up()

    def chosen_minutes() -> float:
        query = query_of(page)
        assert set(query) == {"from", "to"}
        start, end = (datetime.fromisoformat(query[name]) for name in ("from", "to"))
        assert start.second == end.second == 0
        return (end - start).total_seconds() / 60

    drag(0.3, 0.6)
    page.wait_for_url("**from=**")
    first = chosen_minutes()
    back = part(page, "trend").get_by_role("button", name="last 1 h")
    expect(back).to_be_visible()
    # A minute is a wide bar now: choose again, and go back step by step.
    drag(0.4, 0.6)
    page.wait_for_url(lambda url: "from=" in url and chosen_minutes() < first)
    page.keyboard.press("Escape")
    page.wait_for_url(lambda url: "from=" in url and chosen_minutes() == first)
    expect(back).to_be_visible()
    page.mouse.dblclick(box["x"] + box["width"] * 0.5, middle)
    expect_query(page, range="1h")


def test_copy_link_freezes_the_time_and_opens_the_same_view(
    dashboard: Dashboard, page: Page
) -> None:
    opened(page, f"{dashboard.address}/?severity=error&range=1h")
    button = part(page, "share").locator("button.main")
    button.click()
    expect(button).to_have_text("Copied")
    link = button.get_attribute("data-link")
    assert link is not None
    parameters = {name: values[-1] for name, values in parse_qs(urlsplit(link).query).items()}
    assert set(parameters) == {"severity", "from", "to"}
    opened(page, link)
    expect(part(page, "filter-chips")).to_contain_text("severity error")
    expect(part(page, "trend").locator(".legend")).to_contain_text(re.compile(r"\d+ errors"))


def test_filters_stay_across_pages(dashboard: Dashboard, page: Page) -> None:
    opened(page, f"{dashboard.address}/?severity=error&tz=Europe%2FBerlin")
    part(page, "nav-to-system").get_by_role("link").click()
    expect(page.get_by_text("Lines accepted")).to_be_visible()
    expect_query(page, severity="error", tz="Europe/Berlin")
    page.go_back()
    expect(part(page, "filter-chips")).to_contain_text("severity error")


def test_the_theme_follows_the_system_and_can_be_switched(dashboard: Dashboard, page: Page) -> None:
    def scheme() -> str:
        found: str = page.locator(".stApp").evaluate("e => getComputedStyle(e).colorScheme")
        return found

    page.emulate_media(color_scheme="dark")
    opened(page, f"{dashboard.address}/?severity=error")
    assert scheme() == "dark"
    part(page, "nav-theme").get_by_role("button").click()
    expect(part(page, "nav-theme").get_by_role("button")).to_have_text("Light")
    expect(part(page, "filter-chips")).to_contain_text("severity error")
    assert scheme() == "light"
    # The other pages follow, opened on their own as well.
    page.goto(f"{dashboard.address}/system")
    expect(page.get_by_text("Lines accepted")).to_be_visible()
    assert scheme() == "light"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axis_labels_are_readable(
    dashboard: Dashboard, page: Page, scheme: Literal["light", "dark"]
) -> None:
    page.emulate_media(color_scheme=scheme)
    opened(page, dashboard.address)
    label = part(page, "trend").locator(".plot text.time").first
    expect(label).to_be_attached()
    ink, paper = page.evaluate(
        """label => [
            getComputedStyle(label).fill,
            getComputedStyle(document.querySelector('.stApp')).backgroundColor,
        ]""",
        label.element_handle(),
    )
    assert contrast(ink, paper) >= 4.5


def contrast(ink: str, paper: str) -> float:
    """WCAG 2.1 contrast ratio of two `rgb(r, g, b)`."""

    def luminance(colour: str) -> float:
        parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        red, green, blue = (
            part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    dark, light = sorted((luminance(ink), luminance(paper)))
    return (light + 0.05) / (dark + 0.05)


def test_the_filter_bar_keeps_one_row_and_every_button_has_a_name(
    dashboard: Dashboard, page: Page
) -> None:
    page.set_viewport_size({"width": 1024, "height": 768})
    opened(page, dashboard.address)
    # A page that is still being drawn has them elsewhere for a moment.
    page.wait_for_function(
        "() => { const tops = ['severities', 'services', 'trace']"
        ".map((name) => document.querySelector(`.st-key-${name}`).getBoundingClientRect().top);"
        " return Math.max(...tops) - Math.min(...tops) < 8 }",
        timeout=15_000,
    )
    expect(page.get_by_role("button", name="Icons only")).to_be_visible()


def test_what_the_page_is_for_starts_near_the_top(dashboard: Dashboard, page: Page) -> None:
    opened(page, f"{dashboard.address}/?severity=error&service=checkout")
    box = part(page, "trend").bounding_box()
    assert box is not None and box["y"] <= 140


@pytest.mark.parametrize("path", ["/?severity=error&service=checkout,-cart&range=24h", "/system"])
def test_a_phone_needs_no_sideways_scrolling(dashboard: Dashboard, page: Page, path: str) -> None:
    page.set_viewport_size(NARROW)
    page.goto(f"{dashboard.address}{path}")
    ready = page.get_by_text("Lines accepted") if "system" in path else part(page, "live-feed")
    expect(ready).to_be_visible()
    for element in ("html", ".stMain", ".stMainBlockContainer"):
        width = page.locator(element).evaluate("element => element.scrollWidth")
        assert width <= NARROW["width"], element
    rail = part(page, "nav-rail").bounding_box()
    assert rail is not None and rail["y"] + rail["height"] == NARROW["height"]

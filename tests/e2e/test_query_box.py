"""Typing a search: suggestions by keyboard, a mistake in its place, `/`, Enter and Esc."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.live_page import Dashboard, expect_query, opened, part

pytestmark = pytest.mark.browser
expect.set_options(timeout=15_000)


def test_a_search_is_completed_mended_and_put_into_force_by_keyboard(
    dashboard: Dashboard, page: Page
) -> None:
    opened(page, dashboard.address)
    box = part(page, "query").get_by_role("searchbox")
    options = part(page, "query").get_by_role("option")
    page.keyboard.press("/")
    expect(box).to_be_focused()
    page.keyboard.type("servi", delay=20)
    expect(options.first).to_contain_text("service")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(box).to_have_value("service:")
    page.keyboard.type("che", delay=20)
    expect(options).to_have_count(1)
    expect(options).to_contain_text("checkout")
    page.keyboard.press("ArrowDown")
    expect(box).to_have_attribute("aria-activedescendant", "suggestion-0")
    page.keyboard.press("Tab")
    expect(box).to_have_value("service:checkout ")
    expect_query(page, q="service:checkout")
    expect(part(page, "filter-chips")).to_contain_text("service is checkout")

    # A mistake keeps what is typed, and the search before stays in force.
    page.keyboard.type("severity>=wran", delay=20)
    page.keyboard.press("Enter")
    mistake = part(page, "query").locator(".mistake")
    expect(mistake).to_contain_text("did you mean warn?")
    assert mistake.locator("pre").inner_text().split("\n") == [
        "service:checkout severity>=wran",
        "                           ^^^^",
    ]
    expect(box).to_have_value("service:checkout severity>=wran")
    expect(part(page, "filter-chips")).to_contain_text("service is checkout")
    for _ in "ran":
        page.keyboard.press("Backspace")
    page.keyboard.type("arn")
    expect_query(page, q="service:checkout severity>=warn")
    expect(mistake).to_be_hidden()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    expect(options).to_have_count(0)
    expect(box).to_have_value("service:checkout severity>=warn")

    # Chips take single terms out, and the box follows.
    part(page, "filter-chips").get_by_role("button", name="service is checkout").click()
    expect_query(page, q="severity>=warn")
    expect(box).to_have_value("severity>=warn")
    part(page, "query").get_by_role("button", name="How to search").click()
    part(page, "query").get_by_role("button", name="timeout -health").click()
    expect_query(page, q="timeout -health")

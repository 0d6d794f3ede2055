"""What a person chose on the Live page comes back: in the URL, in links, on the next visit."""

import re
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.live_page import NARROW, Dashboard, expect_query, opened, part, query_of

pytestmark = pytest.mark.browser
expect.set_options(timeout=45_000)


def heads(page: Page) -> Locator:
    return page.locator(".heads > .cell")


def test_the_look_stays_through_filters_back_forward_reload_and_links(
    dashboard: Dashboard,
    page: Page,
) -> None:
    opened(page, dashboard.address)
    page.keyboard.press("o")
    panel = page.locator(".view-options")
    panel.get_by_role("radio", name="Compact").check(force=True)
    panel.get_by_role("checkbox", name="Trace").check()
    panel.get_by_role("checkbox", name="Environment").uncheck()
    page.keyboard.press("Escape")
    look = {"rows": "compact", "cols": "time,severity,service,trace,message"}
    shown = ["Time UTC", "Severity", "Service", "Trace", "Message"]
    expect_query(page, **look)
    part(page, "severity-error").get_by_role("button").click()
    expect_query(page, **look, severity="error")
    expect(part(page, "filter-chips")).to_contain_text("severity error")
    expect(heads(page)).to_have_text(shown)
    # The entry before was made before the choice; the choice holds there too.
    page.go_back()
    expect(part(page, "filter-chips")).to_contain_text("No filters")
    expect_query(page, **look)
    page.go_forward()
    expect_query(page, **look, severity="error")
    page.reload()
    expect(heads(page)).to_have_text(shown)
    expect_query(page, **look, severity="error")
    button = part(page, "share").locator("button.main")
    button.click()
    expect(button).to_have_text("Copied")
    copied = parse_qs(urlsplit(button.get_attribute("data-link") or "").query)
    assert {name: copied[name] for name in look} == {name: [value] for name, value in look.items()}
    assert set(copied) == {*look, "severity", "from", "to"}
    # The next visit needs no link.
    opened(page, dashboard.address)
    expect(heads(page)).to_have_text(shown)


def test_a_link_opened_by_somebody_else_changes_nothing_for_good(
    dashboard: Dashboard,
    page: Page,
) -> None:
    opened(page, f"{dashboard.address}/?cols=message,service.90&times=iso")
    expect(heads(page)).to_have_text(["Message", "Service"])
    part(page, "nav-to-system").get_by_role("link").click()
    expect(page.get_by_text("Lines accepted")).to_be_visible()
    page.go_back()
    expect(heads(page)).to_have_text(["Message", "Service"])
    opened(page, dashboard.address)
    expect(heads(page)).to_have_text(["Time UTC", "Severity", "Environment", "Service", "Message"])


def test_the_time_zone_is_remembered_and_a_link_can_say_another(
    dashboard: Dashboard,
    page: Page,
) -> None:
    opened(page, dashboard.address)
    expect(heads(page).first).to_have_text("Time UTC")
    part(page, "time-zone").get_by_role("button").click()
    page.get_by_text("Europe/Berlin (browser)").click()
    expect_query(page, tz="Europe/Berlin")
    expect(heads(page).first).to_have_text("Time Berlin")
    page.wait_for_function("document.cookie.includes('Berlin')")
    zones: list[str] = []
    opened(page, dashboard.address)
    zones.append(heads(page).first.inner_text())
    # Known to the first drawing: no rerun, and nothing in the URL until something changes.
    assert zones == ["Time Berlin"]
    assert query_of(page) == {}
    opened(page, f"{dashboard.address}/?tz=UTC")
    expect(heads(page).first).to_have_text("Time UTC")
    part(page, "severity-error").get_by_role("button").click()
    expect_query(page, tz="UTC", severity="error")
    opened(page, dashboard.address)
    expect(heads(page).first).to_have_text("Time Berlin")


def test_errors_only_is_one_click_there_and_back(
    dashboard: Dashboard,
    page: Page,
) -> None:
    opened(page, f"{dashboard.address}/?severity=info")
    chips = part(page, "filter-chips")
    toggle = part(page, "errors-only").get_by_role("button")
    toggle.click()
    expect_query(page, severity="error,fatal")
    expect(chips).to_contain_text("severity error")
    expect(chips).to_contain_text("severity fatal")
    toggle.click()
    expect_query(page, severity="info")
    page.go_back()
    expect_query(page, severity="error,fatal")
    expect(chips).to_contain_text("severity fatal")
    page.go_forward()
    expect(chips).to_contain_text("severity info")
    page.keyboard.press("e")
    expect_query(page, severity="error,fatal")
    rows = page.get_by_test_id("feed-row")
    expect(rows.first).to_be_visible()
    expect(page.locator('.row[data-severity="info"]')).to_have_count(0)
    page.keyboard.press("e")
    expect_query(page, severity="info")


def test_a_pinned_service_is_one_click_away_on_the_next_visit(
    dashboard: Dashboard,
    page: Page,
) -> None:
    opened(page, dashboard.address)
    expect(part(page, "pin-service")).to_have_count(0)
    # From an open line of checkout, without losing it.
    page.locator(".row", has_text="order 71244").first.click()
    drawer = page.get_by_test_id("line-detail")
    drawer.get_by_title("Pin checkout to the filter bar").click(force=True)
    expect(drawer.get_by_title("Unpin checkout")).to_be_attached()
    page.keyboard.press("Escape")
    pin = part(page, "pinned").get_by_role("button")
    # checkout has 5 lines seeded, 2 of them errors; other tests may add theirs.
    expect(pin).to_have_text(re.compile(r"^checkout \d+ ⊗ \d+$"))
    page.wait_for_function("document.cookie.includes('checkout')")
    opened(page, dashboard.address)
    pin.click()
    expect_query(page, service="checkout")
    expect(part(page, "filter-chips")).to_contain_text("service checkout")
    pin.click()
    expect_query(page)
    pin.click()
    expect_query(page, service="checkout")
    part(page, "pin-service").get_by_role("button").click()
    expect(part(page, "pinned")).to_have_count(0)
    page.wait_for_function("!document.cookie.includes('checkout')")


def test_a_service_that_is_not_listed_is_found_by_a_part_of_its_name(
    dashboard: Dashboard,
    page: Page,
) -> None:
    # The facet is asked anew every 5 seconds: this page knows 300 services before the first run.
    mark = time.time_ns()
    for n in range(300):
        dashboard.post("once a year", source=f"rare-{mark}-{n:03d}")
    opened(page, dashboard.address)
    box = part(page, "services").get_by_role("combobox")
    expect(box).to_have_attribute("placeholder", re.compile(r"200 listed, \d+ more by name"))
    box.click()
    # Names that say equally much are listed by the alphabet: this one is not.
    page.keyboard.type(f"{mark}-299")
    page.keyboard.press("Enter")
    expect_query(page, service=f"rare-{mark}-299")


def test_pins_and_the_look_fit_a_phone(
    dashboard: Dashboard,
    page: Page,
) -> None:
    page.set_viewport_size(NARROW)
    pinned = "%2C".join(f"%22service-number-{n}%22" for n in range(8))
    page.context.add_cookies(
        [
            {
                "name": "logstream_preferences",
                "value": f"%7B%22pinned%22%3A%5B{pinned}%5D%7D",
                "url": dashboard.address,
            }
        ]
    )
    page.goto(f"{dashboard.address}/?cols=time,service,@a,@b,@c,trace,message&rows=roomy")
    expect(part(page, "pinned").get_by_role("button")).to_have_count(5)
    expect(page.get_by_test_id("feed-row").first).to_be_visible()
    for element in ("html", ".stMain", ".stMainBlockContainer"):
        assert page.locator(element).evaluate("element => element.scrollWidth") <= 390, element

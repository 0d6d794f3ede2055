"""Playing the past on the real page, over a real service and a real database."""

import re
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.live_page import Dashboard, part, query_of

pytestmark = pytest.mark.browser
expect.set_options(timeout=30_000)


def iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def post(dashboard: Dashboard, source: str, message: str, **fields: str) -> None:
    line = {"source": source, "message": message, "severity": "info", **fields}
    assert httpx.post(f"{dashboard.service}/logs/ingest", json=line, timeout=20).is_success


def opened_at(page: Page, dashboard: Dashboard, at: datetime, **parameters: str) -> Locator:
    """The player's bar on the page as it looked at that moment."""
    page.goto(f"{dashboard.address}/?{urlencode({'at': iso(at), **parameters})}")
    bar = page.get_by_test_id("player")
    expect(bar).to_contain_text("Not live: as it looked at")
    return bar


def legend(page: Page) -> Locator:
    return part(page, "trend").locator(".legend")


def messages(page: Page) -> list[str]:
    found: list[str] = page.evaluate(
        """() => [...globalThis.__logstream.feeds.values()][0].store.rows
            .map(row => row.line.message).reverse()"""
    )
    return found


def expect_messages(page: Page, *expected: str) -> None:
    deadline = time.monotonic() + 20
    while messages(page) != list(expected) and time.monotonic() < deadline:
        page.wait_for_timeout(100)
    assert messages(page) == list(expected)


def test_feed_trend_and_breakdown_show_a_late_line_once_the_position_passes_its_arrival(
    dashboard: Dashboard,
    page: Page,
) -> None:
    source = f"late-{time.time_ns()}"
    post(dashboard, source, "order 1 accepted")
    time.sleep(1)
    before_late = datetime.now(UTC)
    old = iso(before_late - timedelta(minutes=5))
    post(dashboard, source, "order 0 was refused", createdAt=old, severity="error")
    time.sleep(1)
    post(dashboard, source, "order 2 accepted")
    time.sleep(2.5)  # until what was received can be played
    bar = opened_at(page, dashboard, before_late, service=source)
    expect_messages(page, "order 1 accepted")
    expect(legend(page)).to_contain_text("1 line")
    expect(legend(page)).to_contain_text("0 errors")
    bar.get_by_label("Step to the next line").click()
    # The newest by its own time stays on top.
    expect_messages(page, "order 1 accepted", "order 0 was refused")
    expect(legend(page)).to_contain_text("2 lines")
    expect(legend(page)).to_contain_text("1 error")
    errors = part(page, "breakdown").get_by_role("button").filter(has_text="error")
    expect(errors.locator(".count")).to_have_text("1")
    bar.get_by_label("Step to the next line").click()
    expect_messages(page, "order 2 accepted", "order 1 accepted", "order 0 was refused")
    expect(legend(page)).to_contain_text("3 lines")
    # The moment before is as it was.
    bar.get_by_label("10 seconds back").click()
    expect_messages(page)
    expect(legend(page)).to_contain_text("0 lines")


def test_an_idle_gap_is_jumped_and_playing_ends_at_the_present_and_goes_live(
    dashboard: Dashboard,
    page: Page,
) -> None:
    source = f"idle-{time.time_ns()}"
    begin = datetime.now(UTC)
    post(dashboard, source, "order 1 accepted")
    time.sleep(5)
    post(dashboard, source, "order 2 accepted")
    time.sleep(2.5)
    bar = opened_at(page, dashboard, begin, service=source)
    expect_messages(page)
    bar.get_by_role("button", name="Play", exact=True).click()
    expect_messages(page, "order 2 accepted", "order 1 accepted")
    expect(bar).to_contain_text(re.compile(r"Skipped \d+ s without lines"))
    expect(bar).to_contain_text("The present is reached")
    pill = page.get_by_test_id("state-pill")
    expect(pill).to_have_text("playback, paused")
    pill.click()
    expect(bar).to_be_hidden()
    post(dashboard, source, "order 3 accepted")
    expect_messages(page, "order 3 accepted", "order 2 accepted", "order 1 accepted")
    page.wait_for_function("!/[?&](at|speed)=/.test(location.search)")


def test_the_position_is_in_the_url_through_back_forward_reload_and_filters(
    dashboard: Dashboard,
    page: Page,
) -> None:
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10)
    bar = opened_at(page, dashboard, at, range="1h")
    chips = part(page, "filter-chips")
    expect(chips).to_contain_text("as of ")
    bar.get_by_label("Skip idle").uncheck()
    steps = page.evaluate("history.length")

    def position() -> float:
        ms: float = page.evaluate("[...__logstream.feeds.values()][0].player.source.position")
        return ms / 1000 - at.timestamp()

    def expect_position(expected: float) -> None:
        deadline = time.monotonic() + 20
        while abs(position() - expected) > 0.01 and time.monotonic() < deadline:
            page.wait_for_timeout(100)
        page.wait_for_timeout(2000)  # and it stays
        assert position() == pytest.approx(expected, abs=0.01)

    assert position() == 0
    bar.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function(
        f"new URLSearchParams(location.search).get('at') > '{iso(at + timedelta(seconds=7))}'"
    )
    assert query_of(page)["speed"] == "1"
    part(page, "severity-error").get_by_role("button").click()
    expect(chips).to_contain_text("severity error")
    page.wait_for_function("location.search.includes('severity=error')")
    assert position() > 7
    bar.get_by_role("button", name="Pause").click()
    expect(chips).to_contain_text("as of ")
    page.wait_for_timeout(1500)
    stood = position()
    # The filter was one step for Back; playing and pausing were none.
    assert page.evaluate("history.length") == steps + 1
    bar.get_by_label("10 seconds back").click()
    page.wait_for_function(f"history.length === {steps} + 2")
    expect_position(stood - 10)
    page.go_back()
    expect_position(stood)
    page.go_forward()
    expect_position(stood - 10)
    page.reload()
    expect(bar).to_be_visible()
    expect_position(stood - 10)
    expect(chips).to_contain_text("severity error")
    assert "speed" not in query_of(page)
    button = part(page, "share").locator("button.main")
    button.click()
    expect(button).to_have_text("Copied")
    link = button.get_attribute("data-link") or ""
    assert f"at={query_of(page)['at'].replace(':', '%3A')}" in link and "range=1h" in link
    chips.get_by_role("button", name=re.compile("^as of")).click()
    expect(bar).to_be_hidden()
    page.wait_for_function("!location.search.includes('at=')")


def test_a_moment_is_picked_beside_the_time_range_and_kept_on_other_pages(
    dashboard: Dashboard,
    page: Page,
) -> None:
    page.goto(dashboard.address)
    expect(legend(page)).to_be_visible()
    pill = page.get_by_test_id("state-pill")
    expect(pill).to_have_attribute("data-state", re.compile("^(live|listening|polling)$"))
    page.keyboard.press("t")
    page.get_by_role("button", name="5 min ago").click()
    bar = page.get_by_test_id("player")
    expect(bar).to_contain_text("Not live: as it looked at")
    # The popover is out of the way of what it changed.
    expect(page.get_by_role("button", name="5 min ago")).to_be_hidden()
    at = query_of(page)["at"]
    part(page, "nav-to-system").get_by_role("link").click()
    expect(page.get_by_text("Lines accepted")).to_be_visible()
    assert query_of(page)["at"] == at
    page.go_back()
    expect(bar).to_contain_text("Not live: as it looked at")
    assert query_of(page)["at"] == at
    bar.get_by_role("button", name="Back to live").click()
    expect(bar).to_be_hidden()
    expect(part(page, "filter-chips")).to_contain_text("No filters")


def test_an_unknown_speed_or_moment_is_shown_as_such(
    dashboard: Dashboard,
    page: Page,
) -> None:
    page.goto(f"{dashboard.address}/?at=noonish&speed=3")
    chips = part(page, "filter-chips")
    expect(chips).to_contain_text("at 'noonish' is not a time")
    expect(chips).to_contain_text("speed '3' is not offered")
    expect(page.get_by_test_id("player")).to_be_hidden()

"""The found lines when a search is slow, long or refused; driven in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.pages.feed_service import FeedService
from tests.pages.feed_tab import Feed, running_streamlit
from tests.service_thread import free_port

pytestmark = pytest.mark.browser
FOUND = "globalThis.__logstream.feeds.get('found')"


@pytest.fixture(scope="module")
def found_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def found_address(found_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A page with nothing but the found lines."""
    folder = tmp_path_factory.mktemp("found")
    settings = {"FEED_SERVICE_PORT": str(found_port), "LOGSTREAM_DATA_DIR": str(folder)}
    script = Path(__file__).with_name("found_harness.py")
    with running_streamlit(script, folder / "log", settings) as address:
        yield address


@pytest.fixture
def found(browser: Browser, found_address: str, found_port: int) -> Iterator[Feed]:
    """A tab on the found lines, with a service of its own behind it; fails on any script error."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    with FeedService(found_port) as service:
        yield Feed(page, service, found_address)
        context.close()
    assert errors == []


def test_a_search_out_of_time_says_how_far_it_came_and_goes_on_when_asked(found: Feed) -> None:
    bodies = ["needle" if n in (5, 25) else f"hay {n}" for n in range(40)]
    found.service.store([found.line(body, seconds=-n) for n, body in enumerate(bodies)])
    found.service.looked_at_most = 20
    found.open("?q=needle&range=1h", state="paused")
    foot = found.page.locator(".foot")
    expect(foot).to_contain_text("Searched back to")
    expect(foot).to_contain_text("(time limit)")
    assert found.loaded() == ["needle"]
    # It waits for the reader, however long the list is looked at.
    found.page.wait_for_timeout(500)
    assert found.loaded() == ["needle"]
    foot.get_by_role("button", name="Go on searching").click()
    expect(foot).to_contain_text("is here: 2")
    assert found.loaded() == ["needle", "needle"]


def test_a_search_that_found_nothing_in_its_time_is_no_empty_result(found: Feed) -> None:
    found.service.store([found.line(f"hay {n}", seconds=-n) for n in range(30)])
    found.service.store([found.line("needle", seconds=-60)])
    found.service.looked_at_most = 30
    found.open("?q=needle&range=1h", state="paused")
    panel = found.page.locator(".panel")
    expect(panel).to_contain_text("Nothing found yet")
    panel.get_by_role("button", name="Go on searching").click()
    found.expect_loaded("needle")
    expect(panel).to_be_hidden()


def test_a_failed_search_says_so_and_tries_again(found: Feed) -> None:
    found.service.store([found.line("order paid")])
    found.service.is_broken = True
    found.open("?range=1h", state="degraded")
    expect(found.page.locator(".panel")).to_contain_text("the database cannot be reached")
    found.service.is_broken = False
    expect(found.rows).to_contain_text(["order paid"], timeout=10_000)


def test_more_than_the_browser_holds_goes_on_from_there_without_a_hole(found: Feed) -> None:
    found.service.store([found.line(f"n{n}", seconds=-n / 100) for n in range(20_300)])
    found.open("?range=24h", state="paused")
    found.page.evaluate(
        f"""async () => {{
            const {{source, store}} = {FOUND};
            for (let n = 0; n < 120 && store.rows.length < 20_000; n++) await source.loadOlder();
        }}"""
    )
    # A full list never drops a line that the reader has.
    assert found.loaded() == [f"n{n}" for n in range(20_000)]
    found.page.evaluate(f"{FOUND}.scroller.scrollTo(0, 1e9)")
    foot = found.page.locator(".foot")
    expect(foot).to_contain_text("20,000 lines are loaded, which is the most at once.")
    foot.get_by_role("button", name="Go on from here").click()
    expect(found.rows.first).to_contain_text("n20000")
    found.page.evaluate(f"{FOUND}.scroller.scrollTo(0, 1e9)")
    expect(foot).to_contain_text("is here: 300")
    assert found.loaded() == [f"n{n}" for n in range(20_000, 20_300)]


def test_a_link_to_a_line_opens_it_though_the_filter_excludes_it(found: Feed) -> None:
    found.service.store([found.line("order paid"), found.line("order lost", severity_number=17)])
    found.open("?severity=info&range=1h&line=2", state="paused")
    expect(found.drawer.locator(".whole")).to_contain_text("order lost")
    assert found.loaded() == ["order paid"]

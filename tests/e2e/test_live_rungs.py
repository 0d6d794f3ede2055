"""Every rung from end to end: real service, hub, database, dashboard and browser."""

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect

from tests.e2e.site import Site, running_site

pytestmark = pytest.mark.browser
SOCKETS = re.compile(r"/client/hubs/")


@pytest.fixture(scope="module")
def site(
    postgres_url: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    data_dir = tmp_path_factory.mktemp("data")
    with running_site(postgres_url, migrated_template, data_dir) as site:
        yield site


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []


class Sockets:
    """The sockets of one page: let through, refused, or cut."""

    def __init__(self, page: Page) -> None:
        self.is_refusing = False
        self.open: list[WebSocketRoute] = []
        page.route_web_socket(SOCKETS, self._opened)

    def _opened(self, socket: WebSocketRoute) -> None:
        if self.is_refusing:
            socket.close()
        else:
            socket.connect_to_server()
            self.open.append(socket)

    def cut(self) -> None:
        for socket in self.open:
            socket.close(code=4000, reason="cut by the test")
        self.open.clear()


def expect_rung(page: Page, rung: str) -> None:
    expect(page.get_by_test_id("state-pill")).to_have_attribute("data-rung", rung, timeout=40_000)


def loaded(page: Page) -> list[str]:
    """The orders that are loaded, oldest first."""
    messages: list[str] = page.evaluate(
        """() => [...(globalThis.__logstream?.feeds.values() ?? [])][0]?.store.rows
            .map(row => row.line.message).filter(text => text.startsWith("order ")) ?? []"""
    )
    return messages


def expect_newest(page: Page, messages: list[str]) -> None:
    """These are the last loaded, none missing, none twice, in order."""
    deadline = time.monotonic() + 40
    while loaded(page)[-len(messages) :] != messages and time.monotonic() < deadline:
        page.wait_for_timeout(100)
    found = loaded(page)
    missing = sorted(set(messages) - set(found))
    assert missing == [], (len(missing), missing[:3], missing[-3:])
    assert found[-len(messages) :] == messages
    assert len(set(found)) == len(found)


def wake(page: Page) -> None:
    page.evaluate("window.dispatchEvent(new Event('online'))")


def test_lines_are_pushed_and_a_cut_under_load_leaves_no_hole(site: Site, page: Page) -> None:
    sockets = Sockets(page)
    page.goto(site.address)
    expect_rung(page, "push")
    posted = site.post(20)
    expect_newest(page, posted)
    sockets.is_refusing = True
    sockets.cut()
    posted += site.post(3000)
    sockets.is_refusing = False
    wake(page)
    expect_rung(page, "push")
    posted += site.post(20)
    expect_newest(page, posted)
    expect(page.get_by_test_id("state-pill")).to_have_text("live · pushed")


def test_a_browser_without_sockets_is_relayed_to(site: Site, page: Page) -> None:
    sockets = Sockets(page)
    sockets.is_refusing = True
    page.goto(site.address)
    expect_rung(page, "relay")
    expect_newest(page, site.post(50))
    expect(page.get_by_test_id("state-pill")).to_have_text("live · relayed")
    sockets.is_refusing = False
    wake(page)
    expect_rung(page, "push")
    expect_newest(page, site.post(5))


def test_a_browser_that_reaches_the_dashboard_only_is_served_by_it(site: Site, page: Page) -> None:
    direct = re.compile(rf":{site.settings.port}/")
    page.route(direct, lambda route: route.abort())
    Sockets(page).is_refusing = True
    page.goto(site.address)
    expect_rung(page, "relay")
    expect_newest(page, site.post(50))
    page.get_by_test_id("feed-row").first.click()
    expect(page.get_by_test_id("line-detail")).to_contain_text("paid")


def test_without_service_and_hub_lines_are_read_from_the_database(site: Site, page: Page) -> None:
    page.goto(site.address)
    expect_rung(page, "push")
    expect_newest(page, site.post(5))
    site.stop()
    try:
        expect_rung(page, "poll")
        site.land_without_service()
        page.wait_for_function(
            """[...globalThis.__logstream.feeds.values()][0].store.rows
                .some(row => row.line.message.includes("worker 3 killed"))"""
        )
        expect(page.get_by_test_id("state-pill")).to_have_text("polling")
    finally:
        site.start()
    expect_rung(page, "push")
    expect_newest(page, site.post(5))

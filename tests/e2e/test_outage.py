"""A database that goes away and comes back, as the analyst sees it."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from playwright.sync_api import Page, expect

from logstream.land.embedded import EmbeddedPostgres
from logstream.wiring import migrate
from tests.chromium import running_chromium
from tests.e2e.live_page import running_dashboard
from tests.service_thread import running_service, settings_for
from tests.shop import land, shop_lines

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)


@dataclass
class Dashboard:
    """A running dashboard, its service, and the database that a test may stop."""

    address: str
    service: str
    server: EmbeddedPostgres

    def post(self, message: str) -> str:
        """Send one line; where it is durable."""
        line = {"source": "checkout", "message": message, "severity": "error"}
        reply = httpx.post(f"{self.service}/logs/ingest", json=line, timeout=30)
        assert reply.status_code == 201
        return str(reply.json()["durable"])


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    data_dir = tmp_path_factory.mktemp("data")
    with EmbeddedPostgres(data_dir, "the outage test") as server:
        migrate(server.url)
        land(server.url, shop_lines(time.time_ns()))
        settings = settings_for(server.url, data_dir, land_timeout_seconds=0.3)
        with (
            running_service(settings) as service,
            running_dashboard(server.url, data_dir, service) as address,
        ):
            yield Dashboard(address, service, server)


@pytest.fixture
def page(dashboard: Dashboard) -> Iterator[Page]:
    with running_chromium() as browser:
        page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        for _ in range(300):
            try:
                if httpx.get(f"{dashboard.address}/_stcore/health").status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        yield page


def test_the_page_shows_spooled_lines_and_heals_with_the_reader_undisturbed(
    dashboard: Dashboard, page: Page
) -> None:
    page.goto(dashboard.address)
    rows, banner = page.get_by_test_id("feed-row"), page.locator(".st-key-outage .banner")
    expect(rows.first).to_be_visible()
    expect(banner).to_have_count(0)

    dashboard.server.stop()
    assert dashboard.post("card declined while nobody stored") == "spool"
    assert dashboard.post("card declined once more") == "spool"
    expect(banner).to_have_text(
        re.compile(
            r"Database unreachable since .*\(UTC\); 2 lines are safe in the spool "
            r"\(\d+ B of 4\.3 GB\)\."
        )
    )
    spooled = rows.filter(has_text="while nobody stored")
    expect(spooled).to_have_count(1)
    expect(page.locator(".st-key-trend")).to_contain_text("The trend waits for the database")
    expect(page.get_by_test_id("state-pill")).to_have_text("spooling")
    spooled.click()
    detail = page.get_by_test_id("line-detail")
    expect(detail).to_contain_text("in the spool, no id yet")

    trace = page.get_by_placeholder("Trace id")
    trace.press_sequentially("4bf92f35")  # not entered yet

    dashboard.server.start()
    expect(banner).to_have_count(0)
    expect(trace).to_have_value("4bf92f35")
    expect(trace).to_be_focused()
    expect(page.locator(".st-key-trend .legend")).to_be_visible()
    # The same row, now with the id that the database gave it: nothing moved, nothing is twice.
    expect(detail).not_to_contain_text("in the spool, no id yet")
    expect(detail).to_contain_text("card declined while nobody stored")
    expect(page).to_have_url(re.compile(r"[?&]line=\d+"))
    expect(spooled).to_have_count(1)
    expect(rows.filter(has_text="card declined once more")).to_have_count(1)


def test_the_system_page_tells_what_waits_in_the_spool(dashboard: Dashboard, page: Page) -> None:
    dashboard.server.stop()
    assert dashboard.post("spooled for the system page") == "spool"
    page.goto(f"{dashboard.address}/system")
    expect(page.locator(".st-key-outage .banner")).to_contain_text("Database unreachable since")
    expect(page.get_by_text("Lines waiting")).to_be_visible()
    expect(page.get_by_text("Oldest waits for")).to_be_visible()
    dashboard.server.start()
    expect(page.locator(".st-key-outage .banner")).to_have_count(0)
    expect(page.get_by_role("heading", name="Database", exact=True)).to_be_visible()

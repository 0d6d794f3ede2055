"""An hour of the live feed in short form: memory stays bounded, whatever the reader does."""

import pytest
from playwright.sync_api import expect

from logstream.model import LogLine
from tests.pages.feed_tab import Feed

pytestmark = pytest.mark.browser
MAX_ROWS = 20_000  # of store.js
FRAME_LINES = 200
MIB = 1024 * 1024


class Flow:
    """Pushes numbered lines through the feed's service and looks at the browser."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.session = feed.page.context.new_cdp_session(feed.page)
        self.session.send("HeapProfiler.enable")
        self.session.send("Performance.enable")
        self.pushed = 0

    def push(self, count: int) -> None:
        for _ in range(count // FRAME_LINES):
            self.feed.service.push([self._line() for _ in range(FRAME_LINES)])
        newest = self.pushed
        self.feed.page.wait_for_function(
            """id => { const { store } = [...globalThis.__logstream.feeds.values()][0];
                return store.byId.has(id) || store.waiting.some(row => row.id === id); }""",
            arg=newest,
            timeout=60_000,
        )

    def _line(self) -> LogLine:
        self.pushed += 1
        n = self.pushed
        body = f"GET /v1/products/SKU-{n} 200 in {n % 97} ms, request {n:032x}"
        return self.feed.line(
            body, seconds=self.pushed / 1000, attributes={"user.id": f"u-{self.pushed}", "n": 1}
        )

    def heap_and_nodes(self) -> tuple[float, float]:
        """(used heap in bytes after a collection, DOM nodes)."""
        self.session.send("HeapProfiler.collectGarbage")
        metrics = self.session.send("Performance.getMetrics")["metrics"]
        by_name = {metric["name"]: metric["value"] for metric in metrics}
        return by_name["JSHeapUsedSize"], by_name["Nodes"]


def test_a_long_flow_leaves_the_browser_as_large_as_a_full_buffer(feed: Feed) -> None:
    feed.open()
    flow = Flow(feed)
    flow.push(MAX_ROWS)
    full, nodes = flow.heap_and_nodes()
    for _ in range(2):
        flow.push(10_000)
        feed.page.mouse.move(600, 400)
        feed.page.mouse.wheel(0, 3000)
        flow.push(10_000)  # waits, because somebody reads
        expect(feed.news).to_be_visible()
        feed.news.click()
        feed.page.keyboard.press("w")
        flow.push(10_000)
        feed.page.keyboard.press("w")
        feed.rows.first.click()
        feed.page.keyboard.press("Escape")
        feed.page.keyboard.press("p")
    after, nodes_after = flow.heap_and_nodes()
    assert len(feed.loaded()) <= MAX_ROWS
    # Rows that were drawn keep their heights, messages differ in length; a leak would be 60,000
    # rows of about a kilobyte.
    assert after < full * 1.25 + 8 * MIB, (full, after)
    assert nodes_after < nodes + 5_000, (nodes, nodes_after)

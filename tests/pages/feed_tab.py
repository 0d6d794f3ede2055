"""One browser tab on the feed's harness, and how to start what it needs.

The fixtures that tests ask for (`feed`) are in conftest.py.
"""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from logstream.model import LogLine
from tests.pages.feed_service import FeedService
from tests.service_thread import free_port

HARNESS = Path(__file__).with_name("feed_harness_app.py")
ROOT = Path(__file__).resolve().parents[2]
SECOND = 1_000_000_000


class Feed:
    """One browser tab on the harness, with a service of its own behind it."""

    def __init__(self, page: Page, service: FeedService, address: str) -> None:
        self.page, self.service, self.address = page, service, address
        self.now = time.time_ns()
        self.ids = count(1)
        self.rows = page.get_by_test_id("feed-row")
        self.drawer = page.get_by_test_id("line-detail")
        self.pill = page.get_by_test_id("state-pill")
        self.news = page.locator(".news")

    def open(self, query: str = "", state: str = "live|listening") -> None:
        self.page.goto(f"{self.address}/{query}")
        self.page.wait_for_function(
            f"/^({state})$/.test(globalThis.__logstream?.status?.state)", timeout=20_000
        )

    def line(self, body: str, *, seconds: float = 0.0, **fields: Any) -> LogLine:
        """A line stamped `seconds` after the test began."""
        moment = self.now + int(seconds * SECOND)
        values: dict[str, Any] = {
            "timestamp_unix_nano": moment,
            "observed_unix_nano": moment,
            "environment": "production",
            "service_name": "checkout",
            "severity_number": 9,
            "body": body,
        }
        return LogLine(id=next(self.ids), **{**values, **fields})

    def drawn(self) -> list[str]:
        """The messages on screen, top first."""
        return self.page.evaluate(
            """() => [...globalThis.__logstream.feeds.values()][0].root
                .querySelectorAll('.row').values().toArray()
                .sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top)
                .map(row => row.querySelector('.text').textContent)"""
        )

    def loaded(self) -> list[str]:
        """The messages of every loaded row, newest first."""
        return self.page.evaluate(
            """() => [...globalThis.__logstream.feeds.values()][0].store.rows
                .map(row => row.line.message).reverse()"""
        )

    def expect_loaded(self, *messages: str) -> None:
        deadline = time.monotonic() + 10
        while self.loaded() != list(messages) and time.monotonic() < deadline:
            self.page.wait_for_timeout(50)
        assert self.loaded() == list(messages)


def running_harness(service_port: int, log_path: Path) -> AbstractContextManager[str]:
    """The address of a Streamlit with nothing but the feed, told of the service's port."""
    settings = {
        "FEED_SERVICE_PORT": str(service_port),
        "LOGSTREAM_URL": f"http://127.0.0.1:{service_port}",
        "LOGSTREAM_DATA_DIR": str(log_path.parent),
    }
    return running_streamlit(HARNESS, log_path, settings)


@contextmanager
def running_streamlit(script: Path, log_path: Path, settings: dict[str, str]) -> Iterator[str]:
    """The address of a Streamlit that runs one script of these tests, told by its environment."""
    port = free_port()
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "streamlit", "run", str(script)),
                *("--server.port", str(port), "--server.headless", "true"),
                *("--browser.gatherUsageStats", "false", "--server.fileWatcherType", "none"),
            ],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **settings},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_until_it_answers(f"http://127.0.0.1:{port}/_stcore/health", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(10)


def _wait_until_it_answers(url: str, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(300):
        assert process.poll() is None, "streamlit ended early"
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"{url} did not answer")

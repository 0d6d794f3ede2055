"""The dashboard as a process of its own, and what tests look at on its Live page.

The fixtures (`dashboard`, `chromium`, `page`) are in conftest.py.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from tests.service_thread import free_port
from tests.shop import ROOT

WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


class Dashboard:
    """Addresses of a running dashboard and of the service behind it."""

    def __init__(self, address: str, service: str) -> None:
        self.address = address
        self.service = service

    def post(self, message: str, *, source: str = "checkout", severity: str = "info") -> None:
        """Send one line, and fail unless it was accepted."""
        line = {"source": source, "message": message, "severity": severity}
        assert httpx.post(f"{self.service}/logs/ingest", json=line).status_code == 201


@contextmanager
def running_dashboard(
    database_url: str,
    data_dir: Path,
    service: str,
    *,
    port: int | None = None,
    base_path: str = "",
) -> Iterator[str]:
    """The address of a dashboard that asks `service` and the database."""
    port = port or free_port()
    address = f"http://127.0.0.1:{port}{base_path and f'/{base_path}'}"
    with (data_dir / "dashboard.log").open("wb") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "streamlit", "run", "app.py"),
                *("--server.address", "127.0.0.1", "--server.port", str(port)),
                *(("--server.baseUrlPath", base_path) if base_path else ()),
            ],
            cwd=ROOT,
            env={
                **os.environ,
                "DATABASE_URL": database_url,
                "LOGSTREAM_DATA_DIR": str(data_dir),
                "LOGSTREAM_PORT": str(urlsplit(service).port),
                "LOGSTREAM_URL": service,
            },
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_for(f"{address}/_stcore/health", process)
            yield address
        finally:
            process.terminate()
            process.wait(15)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert process.poll() is None, "the dashboard ended"
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"{url} does not answer")


def part(page: Page, key: str) -> Locator:
    return page.locator(f".st-key-{key}")


def opened(page: Page, address: str) -> Page:
    page.goto(address)
    expect(part(page, "trend").locator(".column").first).to_be_attached(timeout=60_000)
    expect(part(page, "live-feed")).to_be_visible()
    return page


def query_of(page: Page) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(urlsplit(page.url).query).items()}


def expect_query(page: Page, **expected: str) -> None:
    try:
        page.wait_for_function(
            "expected => { const have = Object.fromEntries(new URLSearchParams(location.search));"
            " return JSON.stringify(Object.entries(have).sort()) === JSON.stringify(expected) }",
            arg=sorted([name, value] for name, value in expected.items()),
            timeout=30_000,
        )
    except PlaywrightTimeoutError:
        assert query_of(page) == expected
        raise

"""Pages opened against a real, seeded database."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from playwright.sync_api import Browser

from logstream.show import session
from tests.chromium import running_chromium
from tests.pages.feed_service import FeedService
from tests.pages.feed_tab import Feed, running_harness
from tests.service_thread import free_port
from tests.shop import ROOT, OpenPage, land, open_by_name, shop_lines


@pytest.fixture
def dashboard(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """A dashboard with settings and caches of its own; set DATABASE_URL through it."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("LOGSTREAM_DATA_DIR", str(tmp_path))
    # Nobody listens there: the pages must do without the service.
    monkeypatch.setenv("LOGSTREAM_URL", "http://127.0.0.1:9")
    _forget()
    yield monkeypatch
    _forget()


def _forget() -> None:
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def open_page(dashboard: pytest.MonkeyPatch, database_url: str) -> Iterator[OpenPage]:
    """Opens a page through the main script: `open_page("system", severity="error")`."""
    land(database_url, shop_lines(time.time_ns()))
    dashboard.setenv("DATABASE_URL", database_url)
    yield open_by_name
    session.traces().close()  # type: ignore[attr-defined]
    session.reader().close()  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The installed Chromium, headless."""
    with running_chromium() as chromium:
        yield chromium


@pytest.fixture(scope="session")
def service_port() -> int:
    """Where the feed's stand-in service listens."""
    return free_port()


@pytest.fixture(scope="session")
def address(service_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A page with nothing but the feed."""
    with running_harness(service_port, tmp_path_factory.mktemp("harness") / "log") as address:
        yield address


@pytest.fixture
def feed(browser: Browser, address: str, service_port: int) -> Iterator[Feed]:
    """A tab on the feed, with a service of its own behind it; fails on any script error."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    with FeedService(service_port) as service:
        yield Feed(page, service, address)
        context.close()
    assert errors == []

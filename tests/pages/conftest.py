"""Pages opened against a real, seeded database."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st

from logstream.show import session
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
    session.reader().close()  # type: ignore[attr-defined]

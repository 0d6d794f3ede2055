"""A real dashboard over a real service and a real database, and a browser to look at it."""

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.chromium import running_chromium
from tests.conftest import new_database
from tests.e2e.live_page import WIDE, Dashboard, running_dashboard
from tests.service_thread import running_service, settings_for
from tests.shop import land, shop_lines


@pytest.fixture(scope="module")
def dashboard(
    postgres_url: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Dashboard]:
    """A running dashboard that holds a shop's lines."""
    data_dir = tmp_path_factory.mktemp("data")
    with new_database(postgres_url, migrated_template) as database_url:
        land(database_url, shop_lines(time.time_ns()))
        with (
            running_service(settings_for(database_url, data_dir)) as service,
            running_dashboard(database_url, data_dir, service) as address,
        ):
            yield Dashboard(address, service)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The installed Chromium, headless."""
    with running_chromium() as browser:
        yield browser


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A tab of a reader in Berlin."""
    context = chromium.new_context(viewport=WIDE, timezone_id="Europe/Berlin")
    yield context.new_page()
    context.close()

"""A hub of one's own, as Azure's is: with another key, away at the start, away later."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from logstream import wiring
from logstream.settings import Settings
from tests.chromium import running_chromium
from tests.e2e.site import Site, running_site
from tests.service_thread import running_service, settings_for

pytestmark = pytest.mark.browser
LONG = 60_000


@pytest.fixture
def page() -> Iterator[Page]:
    with running_chromium() as browser:
        yield browser.new_page(viewport={"width": 1440, "height": 900})


@pytest.fixture
def hub(postgres_url: str, tmp_path: Path) -> Settings:
    """What a service needs whose hub is used by another."""
    return settings_for(postgres_url, tmp_path / "hub")


def connection_string(hub: Settings, key: str) -> str:
    return f"Endpoint=http://127.0.0.1:{hub.port};AccessKey={key};Version=1.0;"


def expect_lines(page: Page, site: Site) -> None:
    newest = site.post(5)[-1]
    rows = page.get_by_test_id("feed-row").filter(has_text=re.compile(rf"{newest}\b"))
    expect(rows).to_have_count(1, timeout=LONG)


def test_a_wrong_key_is_said_and_lines_are_polled(
    page: Page, hub: Settings, postgres_url: str, migrated_template: str, tmp_path: Path
) -> None:
    wrong = connection_string(hub, "not-the-key-of-that-hub-but-as-long")
    with (
        running_service(hub),
        running_site(
            postgres_url, migrated_template, tmp_path / "own", webpubsub_connection_string=wrong
        ) as site,
    ):
        page.goto(site.address)
        pill = page.get_by_test_id("state-pill")
        expect(pill).to_have_attribute("data-rung", "poll", timeout=LONG)
        expect(pill).to_have_attribute("title", re.compile("key"))
        expect_lines(page, site)
        expect(pill).to_have_text("polling")
        page.goto(f"{site.address}/system")
        for words in ("fails now", "refuses the access key"):
            expect(page.get_by_text(words).first).to_be_visible(timeout=LONG)


def test_a_hub_that_is_away_at_the_start_and_later_is_polled_around_and_taken_again(
    page: Page, hub: Settings, postgres_url: str, migrated_template: str, tmp_path: Path
) -> None:
    (tmp_path / "hub").mkdir()
    right = connection_string(hub, wiring.hub_access_key(hub.data_dir))
    with running_site(
        postgres_url, migrated_template, tmp_path / "own", webpubsub_connection_string=right
    ) as site:
        page.goto(site.address)
        pill = page.get_by_test_id("state-pill")
        expect(pill).to_have_attribute("data-rung", "poll", timeout=LONG)
        expect(pill).to_have_attribute("title", re.compile("pushing fails"))
        expect_lines(page, site)
        for _ in range(2):
            with running_service(hub):
                expect(pill).to_have_attribute("data-rung", "push", timeout=LONG)
                expect_lines(page, site)
                expect(pill).to_have_text("live · pushed")
            expect_lines(page, site)
            expect(pill).to_have_attribute("data-rung", "poll", timeout=LONG)

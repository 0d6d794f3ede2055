"""A request through two live services under OpenTelemetry, as its analyst sees it."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.live_page import Dashboard, part
from tests.integration.clients.installed import installed_clients
from tests.integration.clients.traced import EXPIRED, check_out_twice

pytestmark = pytest.mark.browser


def test_the_waterfall_shows_both_services_with_the_exception_and_the_lines_on_their_spans(
    dashboard: Dashboard, page: Page
) -> None:
    check_out_twice(installed_clients(), dashboard.service)
    page.goto(f"{dashboard.address}/traces?trace={EXPIRED}&env=traced")
    rows = part(page, "waterfall").locator(".trace .row")
    expect(rows.filter(has_text="charge card")).to_have_count(1, timeout=60_000)
    texts = [" ".join(text.split()) for text in rows.all_inner_texts()]

    def place(words: str) -> int:
        return next(at for at, text in enumerate(texts) if words in text)

    # Below the span that wrote or threw it, before the next one begins.
    charging = place("charge card")
    assert place("storefront") < place("payments") < charging
    assert charging < place("charging card expired")
    assert charging < place("card ended in 2024-03")
    assert place("checkout of card expired started") < charging
    assert any("checkout failed: payments answered 500" in text for text in texts)
    assert rows.locator(".error").count() > 0

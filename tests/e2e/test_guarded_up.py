"""`up --demo` where every request needs a key: the pages and the demo get in, nobody else."""

import subprocess
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from tests.chromium import running_chromium
from tests.integration.test_up import RunningUp

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_the_browser_shows_live_lines_that_nobody_without_a_key_may_read(tmp_path: Path) -> None:
    up = RunningUp(tmp_path, "--demo", LOGSTREAM_REQUIRE_KEYS="true")
    try:
        up.wait_until_ready()
        base = f"http://127.0.0.1:{up.port}"
        for path in ("/logs/recent", "/system", "/metrics", "/docs"):
            assert httpx.get(base + path).status_code == 401, path
        assert httpx.post(f"{base}/realtime/negotiate").status_code == 401
        assert httpx.post(f"{base}/logs/ingest", json={}).status_code == 401
        with running_chromium() as browser:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(f"http://127.0.0.1:{up.dashboard_port}/")
            with page.expect_websocket(
                lambda socket: "/client/hubs/" in socket.url, timeout=30_000
            ) as opened:
                pass
            # Lines of the demo come over the socket, not only with the first load.
            opened.value.wait_for_event("framereceived", lambda frame: "firstId" in str(frame))
            expect(page.locator(".st-key-live-feed .row").first).to_be_visible(timeout=20_000)
            page.goto(f"http://127.0.0.1:{up.dashboard_port}/system")
            expect(page.get_by_text("Lines accepted")).to_be_visible(timeout=20_000)
    finally:
        up.process.terminate()
        try:
            up.process.wait(20)
        except subprocess.TimeoutExpired:
            up.process.kill()

"""The installed headless Chromium, for tests that need a real browser."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """A browser that lives as long as the block; CHROMIUM names another program."""
    given = os.environ.get("CHROMIUM")
    path = given or next((found for name in NAMES if (found := shutil.which(name))), None)
    assert path, "a browser is needed: install Chromium, or name its program in CHROMIUM"
    with sync_playwright() as playwright:
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        try:
            yield browser
        finally:
            browser.close()

"""A real service and a real dashboard over a database of their own, to be hurt by tests."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from logstream.settings import Settings
from tests.conftest import new_database
from tests.e2e.live_page import running_dashboard
from tests.service_thread import free_port, running_service, settings_for
from tests.shop import land, shop_lines

BASE_PATH = "logs-here"


class Site:
    """A running dashboard over a service that can be stopped and started again."""

    def __init__(self, settings: Settings, database_url: str, address: str) -> None:
        self.settings, self.database_url, self.address = settings, database_url, address
        self.service = f"http://{settings.host}:{settings.port}"
        self._running = ExitStack()
        self._number = 0

    def start(self) -> None:
        self._running.enter_context(running_service(self.settings))

    def stop(self) -> None:
        self._running.close()

    def land_without_service(self) -> None:
        """A shop's lines, straight into the database."""
        # The browser's driver has an event loop in this thread.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(land, self.database_url, shop_lines(time.time_ns())).result(30)

    def post(self, count: int) -> list[str]:
        """Send so many lines at once; their messages, in order."""
        first, self._number = self._number, self._number + count
        messages = [f"order {number} paid" for number in range(first, self._number)]
        lines = [
            {"source": "checkout", "message": message, "severity": "info"} for message in messages
        ]
        for start in range(0, count, 500):
            part = lines[start : start + 500]
            # More than 2,000 a second would be sampled, which another test looks at.
            time.sleep(0.4 if start else 0)
            assert httpx.post(f"{self.service}/logs/ingest", json=part).status_code == 201
        return messages


@contextmanager
def running_site(
    postgres_url: str, template: str, data_dir: Path, *, seen_at: int | None = None, **how: object
) -> Iterator[Site]:
    """`seen_at`: the port at which browser and dashboard reach the service, if not its own."""
    with new_database(postgres_url, template) as database_url:
        settings = settings_for(database_url, data_dir, **how)
        port = free_port()
        site = Site(settings, database_url, f"http://127.0.0.1:{port}/{BASE_PATH}")
        try:
            site.start()
            service = f"http://127.0.0.1:{seen_at or settings.port}"
            with running_dashboard(database_url, data_dir, service, port=port, base_path=BASE_PATH):
                yield site
        finally:
            site.stop()

"""A line too slow for every log line: a real service behind a throttle, and a real browser."""

import asyncio
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from secrets import token_hex

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.chromium import running_chromium
from tests.e2e.site import Site, running_site
from tests.service_thread import free_port

pytestmark = pytest.mark.browser
# 400 kbit/s, and as good as any.
SLOW, FAST = 50_000, 1_000_000_000
LINES_PER_SECOND = 1000
SOURCE = "[...globalThis.__logstream.feeds.values()][0].source"


class Throttle:
    """Passes connections to a port on; all answers together get `bytes_per_second`."""

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self.bytes_per_second = FAST
        self._target = target
        self._free_at = 0.0
        self._passing: set[asyncio.Task[None]] = set()

    @contextmanager
    def running(self) -> Iterator[None]:
        started = threading.Event()

        async def serve() -> None:
            self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
            async with await asyncio.start_server(self._pass_on, "127.0.0.1", self.port):
                started.set()
                await self._over.wait()
                for passing in self._passing:
                    passing.cancel()
                await asyncio.gather(*self._passing, return_exceptions=True)

        thread = threading.Thread(target=lambda: asyncio.run(serve()))
        thread.start()
        assert started.wait(5)
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(self._over.set)
            thread.join(15)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._passing.add(task)
        # Small buffers: a queue of minutes in the kernel is no line's own.
        beyond = socket.socket()
        beyond.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 * 1024)
        beyond.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(beyond, ("127.0.0.1", self._target))
            answers, questions = await asyncio.open_connection(sock=beyond, limit=16 * 1024)
            await asyncio.gather(
                self._copy(reader, questions, is_slow=False),
                self._copy(answers, writer, is_slow=True),
            )
            questions.close()
        except (OSError, asyncio.CancelledError):
            pass  # cancelled when all is over
        finally:
            writer.close()
            beyond.close()
            self._passing.discard(task)

    async def _copy(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_slow: bool
    ) -> None:
        try:
            while part := await reader.read(1500 if self.bytes_per_second < FAST else 65536):
                if is_slow:
                    now = time.monotonic()
                    self._free_at = max(now, self._free_at) + len(part) / self.bytes_per_second
                    await asyncio.sleep(self._free_at - now)
                writer.write(part)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()


@contextmanager
def lines_flowing(site: Site) -> Iterator[None]:
    """So many lines a second, in ten posts."""
    is_over = threading.Event()
    numbers = count()

    def post() -> None:
        due = time.monotonic()
        with httpx.Client() as http:
            while not is_over.is_set():
                lines = [
                    {
                        "source": "checkout",
                        # Nothing that a socket could compress away.
                        "message": f"order {next(numbers)} paid, receipt {token_hex(100)}",
                        "severity": "info",
                        "metadata": {"region": "eu-west", "shop": "shoes", "attempt": 1},
                    }
                    for _ in range(LINES_PER_SECOND // 10)
                ]
                http.post(f"{site.service}/logs/ingest", json=lines).raise_for_status()
                due = max(due + 0.1, time.monotonic() - 1)
                time.sleep(max(0.0, due - time.monotonic()))

    thread = threading.Thread(target=post)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join(15)


@pytest.fixture
def page() -> Iterator[Page]:
    with running_chromium() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield page
        assert errors == []


def newest_age_seconds(page: Page) -> float:
    age: float = page.evaluate(
        "(Date.now() - [...globalThis.__logstream.feeds.values()][0].store.rows.at(-1).ms) / 1000"
    )
    return age


def test_a_slow_line_gets_fewer_lines_in_time_and_all_of_them_when_it_is_fast_again(
    page: Page, postgres_url: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    port = free_port()
    throttle = Throttle(port)
    data_dir = tmp_path_factory.mktemp("data")
    with (
        throttle.running(),
        running_site(
            postgres_url, migrated_template, data_dir, seen_at=throttle.port, port=port
        ) as site,
    ):
        sockets: list[float] = []
        page.on("websocket", lambda opened: _note(sockets, opened.url))
        page.goto(site.address)
        pill = page.get_by_test_id("state-pill")
        expect(pill).to_have_attribute("data-rung", "push", timeout=40_000)
        with lines_flowing(site):
            expect(pill).to_have_text("live · pushed")
            throttle.bytes_per_second = SLOW
            expect(pill).to_have_text("live · slow line", timeout=60_000)
            expect(pill).to_have_attribute("title", re.compile("The connection is slow"))
            # What was under way passes first.
            page.wait_for_timeout(15_000)
            ages, opened = [], len(sockets)
            for _ in range(15):
                page.wait_for_timeout(1000)
                ages.append(newest_age_seconds(page))
            print(ages, len(sockets), opened)
            assert sorted(ages)[len(ages) // 2] < 3, ages
            assert max(ages) < 8, ages
            assert len(sockets) == opened
            expect(pill).to_have_text("live · slow line")
            expect(page.locator(".sampled-words")).to_contain_text("slow connection")
            # A minute for those who do not test.
            page.evaluate(f"{SOURCE}.speed.tryFullMs = 3000")
            throttle.bytes_per_second = FAST
            expect(pill).to_have_text("live · pushed", timeout=60_000)
            page.wait_for_timeout(8000)
            expect(pill).to_have_text("live · pushed")
            assert newest_age_seconds(page) < 3


def _note(sockets: list[float], url: str) -> None:
    if "/client/hubs/" in url:
        sockets.append(time.monotonic())

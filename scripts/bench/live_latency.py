"""From a POST to the line drawn in Chromium, on each rung, beside a WebSocket echo.

A whole LogStream runs (`up` without the demo). A probe line is posted 20 times a second among
0, 180, 980 and 4,980 others; the page tells when the probe's row appears. Three views are
measured: everything in a window tall enough to draw what a frame brings, everything in a usual
one (a probe in the middle of a burst is never drawn there), and the probes' service alone.
`BENCH_POSTS` probes a measurement, `BENCH_RUNGS` names the rungs.
"""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import psutil
from playwright.sync_api import Browser, Page
from websockets.asyncio.server import serve

from scripts.bench.lines import make_lines
from scripts.bench.machine import ROOT, scratch_dir
from scripts.bench.report import Row, table
from tests.chromium import running_chromium
from tests.service_thread import free_port

POSTS = int(os.environ.get("BENCH_POSTS", "200"))
POSTS_PER_SECOND = 20
OTHERS_PER_SECOND = (0, 180, 980, 4980)
RUNGS = tuple(os.environ.get("BENCH_RUNGS", "push,relay,poll").split(","))
GOAL_MS = 250
# Polling asks every two seconds; then the last probes have been drawn too.
DRAWN_WITHIN_MS = 4000
# Name → query, height of the window in pixels.
VIEWS = {
    "everything, tall": ("", 3600),
    "everything": ("", 900),
    "one service": ("?service=probe", 900),
}
WATCH = """
() => {
  const all = function* (root) {
    for (const element of root.querySelectorAll('*')) {
      yield element;
      if (element.shadowRoot) yield* all(element.shadowRoot);
    }
  };
  const feed = [...all(document)].find((e) => e.dataset && e.dataset.testid === 'live-feed');
  window.__drawn = {};
  const note = (element) => {
    if (element.dataset && element.dataset.id) window.__drawn[element.dataset.id] ??= Date.now();
  };
  const watch = new MutationObserver((changes) => {
    for (const change of changes) {
      note(change.target);
      change.addedNodes.forEach(note);
    }
  });
  watch.observe(feed, {childList: true, subtree: true, attributeFilter: ['data-id']});
  window.__frames = 0;
  const tick = () => { window.__frames += 1; requestAnimationFrame(tick); };
  tick();
}
"""
ECHO = """
async ([url, rounds]) => {
  const socket = new WebSocket(url);
  await new Promise((open) => { socket.onopen = open; });
  const times = [];
  for (let n = 0; n < rounds; n++) {
    const began = performance.now();
    const answer = new Promise((got) => { socket.onmessage = got; });
    socket.send('x'.repeat(400));
    await answer;
    times.push(performance.now() - began);
    await new Promise((next) => setTimeout(next, 10));
  }
  return times;
}
"""


@dataclass(frozen=True)
class Product:
    """A running `up` of the bench's own."""

    base: str
    dashboard: str
    process: psutil.Process

    def cpu_seconds(self) -> tuple[float, float]:
        """Used so far by (ingest and database, dashboard)."""
        dashboards, others = 0.0, 0.0
        for process in [self.process, *self.process.children(recursive=True)]:
            try:
                used = process.cpu_times().user + process.cpu_times().system
                is_dashboard = "dashboard" in " ".join(process.cmdline())
            except psutil.NoSuchProcess:
                continue
            if is_dashboard:
                dashboards += used
            else:
                others += used
        return others, dashboards


@contextmanager
def running_product(rung: str) -> Iterator[Product]:
    """An `up` in which this rung is the highest that can be reached."""
    port, dashboard_port = free_port(), free_port()
    environment = dict(os.environ)
    if rung == "poll":
        environment["WEBPUBSUB_CONNECTION_STRING"] = (
            f"Endpoint=http://127.0.0.1:{free_port()};AccessKey={'k' * 44};Version=1.0;"
        )
    with scratch_dir() as data_dir:
        arguments = ["--port", str(port), "--dashboard-port", str(dashboard_port)]
        up = subprocess.Popen(
            [sys.executable, "-m", "logstream", "up", "--data-dir", str(data_dir), *arguments],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if rung == "poll" else None,
        )
        base, dashboard = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{dashboard_port}"
        try:
            for url in (f"{base}/health/ready", f"{dashboard}/_stcore/health"):
                _wait_for(url)
            yield Product(base, dashboard, psutil.Process(up.pid))
        finally:
            up.send_signal(signal.SIGTERM)
            up.wait(30)


def run() -> list[Row]:
    """The echo bound, then every rung, view and rate."""
    rows: list[Row] = []
    with running_chromium() as browser:
        for rung in RUNGS:
            with running_product(rung) as product:
                httpx.post(f"{product.base}/logs/ingest", json={"source": "probe", "message": "-"})
                if not rows:
                    rows += _echo_rows(browser, product)
                for view, (query, height) in VIEWS.items():
                    page = _opened(browser, product, rung, query, height)
                    for others in OTHERS_PER_SECOND:
                        rows += measure(page, product, others, f"{rung}, {view}")
                    page.context.close()
    return rows


def _opened(browser: Browser, product: Product, rung: str, query: str, height: int) -> Page:
    context = browser.new_context(viewport={"width": 1440, "height": height})
    page = context.new_page()
    if rung == "relay":
        port = product.base.rpartition(":")[2]
        page.route_web_socket(f"ws://127.0.0.1:{port}/**", lambda socket: socket.close())
    page.goto(f"{product.dashboard}/{query}")
    page.get_by_test_id("feed-row").first.wait_for()
    page.wait_for_function(
        f"globalThis.__logstream?.status?.rung === '{rung}'"
        " && !/connecting/.test(globalThis.__logstream.status.state)",
        timeout=60_000,
    )
    page.evaluate(WATCH)
    return page


def measure(page: Page, product: Product, others_per_second: int, name: str) -> list[Row]:
    """Latencies of the probes while other lines flow."""
    stop = threading.Event()
    flow = threading.Thread(target=_others, args=(product.base, others_per_second, stop))
    flow.start()
    posted: dict[str, float] = {}
    browser = _browser_processes()
    cpu, served, began = _cpu(browser), product.cpu_seconds(), time.perf_counter()
    frames = page.evaluate("window.__frames")
    with httpx.Client(base_url=product.base) as client:
        for n in range(POSTS):
            at = time.time() * 1000
            probe = {"source": "probe", "message": f"probe {n}", "severity": "warn"}
            [line_id, _] = client.post("/logs/ingest", json=probe).json()["ids"]
            posted[str(line_id)] = at
            page.wait_for_timeout(max(0.0, at + 1000 / POSTS_PER_SECOND - time.time() * 1000))
    seconds = time.perf_counter() - began
    used = _cpu(browser) - cpu
    ingest, dashboard = (
        after - before for before, after in zip(served, product.cpu_seconds(), strict=True)
    )
    shown_frames = page.evaluate("window.__frames") - frames
    stop.set()
    flow.join()
    page.wait_for_timeout(DRAWN_WITHIN_MS)
    drawn: dict[str, float] = page.evaluate("window.__drawn")
    times = sorted(drawn[line_id] - at for line_id, at in posted.items() if line_id in drawn)
    what = f"{name}, {others_per_second + POSTS_PER_SECOND:,} lines/s"
    return [
        Row(what, f"of {POSTS} probes drawn", len(times)),
        *(Row(what, f"POST to drawn, p{at} ms", _at(times, at)) for at in (50, 95, 99) if times),
        Row(what, "animation frames a second", shown_frames / seconds),
        Row(what, "browser CPU, % of a core", used / seconds * 100),
        Row(what, "ingest and database CPU, % of a core", ingest / seconds * 100),
        Row(what, "dashboard CPU, % of a core", dashboard / seconds * 100),
    ]


def _others(base: str, per_second: int, stop: threading.Event) -> None:
    lines = make_lines(2_000) if per_second else []
    per_post = per_second // 20
    at = 0
    due = time.perf_counter()
    with httpx.Client(base_url=base) as client:
        while per_post and not stop.is_set():
            # Without createdAt, so that each is of the moment it arrives.
            chosen = [line.replace(b'"createdAt"', b'"made"') for line in lines[at : at + per_post]]
            client.post("/logs/ingest", content=b"[" + b",".join(chosen) + b"]")
            at = (at + per_post) % (len(lines) - per_post)
            due += 0.05
            time.sleep(max(0.0, due - time.perf_counter()))


def _echo_rows(browser: Browser, product: Product) -> list[Row]:
    page = browser.new_page()
    page.goto(product.dashboard)
    echo = sorted(_echo(page))
    page.close()
    what = f"bound: WebSocket echo in the browser (goal of push at 1,000 lines/s: {GOAL_MS} ms)"
    return [Row(what, f"p{at} ms", _at(echo, at)) for at in (50, 95)]


def _echo(page: Page) -> list[float]:
    port = free_port()
    loop = asyncio.new_event_loop()

    async def echo(connection: Any) -> None:
        async for message in connection:
            await connection.send(message)

    async def start() -> Any:
        return await serve(echo, "127.0.0.1", port)

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(start(), loop).result()
    try:
        times: list[float] = page.evaluate(ECHO, [f"ws://127.0.0.1:{port}", 100])
    finally:
        server.close()
        asyncio.run_coroutine_threadsafe(server.wait_closed(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
    return times


def _browser_processes() -> list[psutil.Process]:
    return [p for p in psutil.Process().children(recursive=True) if "chrom" in p.name()]


def _cpu(processes: list[psutil.Process]) -> float:
    total = 0.0
    for process in processes:
        try:
            total += process.cpu_times().user + process.cpu_times().system
        except psutil.NoSuchProcess:
            continue
    return total


def _at(ordered: list[float], percent: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def _wait_for(url: str) -> None:
    for _ in range(600):
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"{url} did not answer")


if __name__ == "__main__":
    print(table("Live", run()))

"""From a POST to the line drawn in Chromium, beside a WebSocket echo in the same browser.

A whole LogStream runs (`up` without the demo). One probe line is posted 20 times a second,
alone and among 1,000 other lines a second; the page tells when its row appears. The window
is tall enough to draw every line of a frame, so that each probe is seen.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
from playwright.sync_api import Page, sync_playwright
from websockets.asyncio.server import serve

from scripts.bench.lines import make_lines
from scripts.bench.machine import ROOT
from scripts.bench.report import Row, table
from tests.service_thread import free_port

POSTS = int(os.environ.get("BENCH_POSTS", "200"))
POSTS_PER_SECOND = 20
GOAL_MS = 250
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


@contextmanager
def running_product() -> Iterator[tuple[str, str]]:
    """(ingest base URL, dashboard URL) of an `up` of the bench's own."""
    data_dir = Path(tempfile.mkdtemp(prefix="logstream-bench-"))
    port, dashboard_port = free_port(), free_port()
    arguments = ["--port", str(port), "--dashboard-port", str(dashboard_port)]
    up = subprocess.Popen(
        [sys.executable, "-m", "logstream", "up", "--data-dir", str(data_dir), *arguments],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    base, dashboard = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{dashboard_port}"
    try:
        for url in (f"{base}/health/ready", f"{dashboard}/_stcore/health"):
            _wait_for(url)
        yield base, dashboard
    finally:
        up.send_signal(signal.SIGTERM)
        up.wait(30)
        shutil.rmtree(data_dir, ignore_errors=True)


def measure(page: Page, base: str, others_per_second: int) -> list[Row]:
    """Latencies of the probes while other lines flow."""
    stop = threading.Event()
    flow = threading.Thread(target=_others, args=(base, others_per_second, stop))
    flow.start()
    posted: dict[str, float] = {}
    browser = _browser_processes()
    cpu, began = _cpu(browser), time.perf_counter()
    frames = page.evaluate("window.__frames")
    with httpx.Client(base_url=base) as client:
        for n in range(POSTS):
            at = time.time() * 1000
            probe = {"source": "probe", "message": f"probe {n}", "severity": "warn"}
            [line_id, _] = client.post("/logs/ingest", json=probe).json()["ids"]
            posted[str(line_id)] = at
            page.wait_for_timeout(max(0.0, at + 1000 / POSTS_PER_SECOND - time.time() * 1000))
    page.wait_for_timeout(1500)
    seconds = time.perf_counter() - began
    used = _cpu(browser) - cpu
    shown_frames = page.evaluate("window.__frames") - frames
    stop.set()
    flow.join()
    drawn: dict[str, float] = page.evaluate("window.__drawn")
    times = sorted(drawn[line_id] - at for line_id, at in posted.items() if line_id in drawn)
    name = f"POST to drawn, {others_per_second + POSTS_PER_SECOND:,} lines/s"
    return [
        Row(name, f"of {POSTS} probes drawn", len(times)),
        Row(name, "p50 ms", _at(times, 50)),
        Row(name, f"p95 ms (goal {GOAL_MS})", _at(times, 95)),
        Row(name, "p99 ms", _at(times, 99)),
        Row(name, "animation frames a second", shown_frames / seconds),
        Row(name, "browser CPU, % of a core", used / seconds * 100),
    ]


def run() -> list[Row]:
    """The echo bound, then the two rates."""
    with running_product() as (base, dashboard), sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=_chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1440, "height": 3600})
        page.goto(dashboard)
        page.get_by_test_id("live-feed").wait_for()
        httpx.post(f"{base}/logs/ingest", json={"source": "probe", "message": "first"})
        page.get_by_test_id("feed-row").first.wait_for()
        echo = sorted(_echo(page))
        rows = [
            Row("bound: WebSocket echo in the page", "p50 ms", _at(echo, 50)),
            Row("bound: WebSocket echo in the page", "p95 ms", _at(echo, 95)),
        ]
        page.evaluate(WATCH)
        for others_per_second in (0, 980):
            rows += measure(page, base, others_per_second)
        browser.close()
    return rows


def _others(base: str, per_second: int, stop: threading.Event) -> None:
    lines = make_lines(2_000) if per_second else []
    per_post = per_second // 20
    at = 0
    with httpx.Client(base_url=base) as client:
        while per_post and not stop.wait(0.05):
            # Without createdAt, so that each is of the moment it arrives.
            chosen = [line.replace(b'"createdAt"', b'"made"') for line in lines[at : at + per_post]]
            client.post("/logs/ingest", content=b"[" + b",".join(chosen) + b"]")
            at = (at + per_post) % (len(lines) - per_post)


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


def _chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        found = shutil.which(os.environ.get("CHROMIUM", name))
        if found:
            return found
    raise SystemExit("no Chromium: set CHROMIUM or install one")


def _browser_processes() -> list[psutil.Process]:
    return [p for p in psutil.Process().children(recursive=True) if "chrom" in p.name()]


def _cpu(processes: list[psutil.Process]) -> float:
    return sum(p.cpu_times().user + p.cpu_times().system for p in processes if p.is_running())


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

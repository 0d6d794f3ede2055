"""How long a trace takes to open in Chromium: from going to its address to its last row drawn.

A whole LogStream of the bench's own holds traces of 100, 1,000 and 10,000 spans; a page of the
dashboard is gone to anew each time, and the frame after the rows in sight were drawn counts.
Beside them, in turn, an empty Streamlit page: what no page can be faster than. `BENCH_OPENINGS`
times each.
"""

import os
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser

from scripts.bench.machine import machine
from scripts.bench.report import Row, table
from tests.chromium import running_chromium
from tests.e2e.live_page import running_dashboard
from tests.pages.feed_tab import running_streamlit
from tests.pages.sent_traces import many_spans

OPENINGS = int(os.environ.get("BENCH_OPENINGS", "7"))
SIZES = (100, 1_000, 10_000)
GOAL_MS = 2_000
# Resolves in the second frame after what is looked for is there: the first one draws it.
DRAWN = """
(selector) => new Promise((drawn) => {
  const within = function* (root) {
    yield root;
    for (const element of root.querySelectorAll('*')) {
      if (element.shadowRoot) yield* within(element.shadowRoot);
    }
  };
  const look = () => {
    const found = [...within(document)].some((root) => root.querySelector(selector));
    if (!found) return requestAnimationFrame(look);
    requestAnimationFrame(() => drawn(performance.now()));
  };
  look();
})
"""
_EMPTY = (
    "import streamlit as st\n\nst.set_page_config(layout='wide')\nst.html('<p id=here>-</p>')\n"
)


def run() -> list[Row]:
    """Median and slowest of each, the empty page first."""
    times: dict[str, list[float]] = {}
    with running_chromium() as browser, _pages() as pages:
        for n in range(OPENINGS + 1):
            for name, (address, selector) in pages.items():
                took = _opened(browser, address, selector)
                if n:  # the first one warms the processes up
                    times.setdefault(name, []).append(took)
    return [
        row
        for name, found in times.items()
        for row in (
            Row(name, "to the last row drawn, median ms", statistics.median(found)),
            Row(name, "slowest ms", max(found)),
        )
    ]


@contextmanager
def _pages() -> Iterator[dict[str, tuple[str, str]]]:
    """What is opened: (address, what is there when it is drawn), by name."""
    with machine() as running:
        traces = {size: many_spans(running.base, size, str(size)).send() for size in SIZES}
        script = running.data_dir / "empty.py"
        script.write_text(_EMPTY)
        with (
            running_dashboard(running.database_url, running.data_dir, running.base) as dashboard,
            running_streamlit(Path(script), running.data_dir / "empty.log", {}) as empty,
        ):
            pages = {"bound: an empty Streamlit page": (empty, "#here")}
            for size, trace_id in traces.items():
                goal = f" (goal {GOAL_MS:,} ms)" if size == max(SIZES) else ""
                name = f"a trace of {size:,} spans{goal}"
                pages[name] = (f"{dashboard}/traces?trace={trace_id}", ".trace .row .bar")
            yield pages


def _opened(browser: Browser, address: str, selector: str) -> float:
    """Milliseconds since the navigation began."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(address, wait_until="commit")
    took: float = page.evaluate(DRAWN, selector)
    context.close()
    return took


if __name__ == "__main__":
    print(table("Waterfall", run()))

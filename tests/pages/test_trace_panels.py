"""The panels of the Traces page in a real Chromium: choosing by dragging, rows, keys, names."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.pages.feed_tab import running_streamlit
from tests.pages.panels_harness_data import FIRST, MARKUP, RIGHT_TO_LEFT

pytestmark = pytest.mark.browser
HARNESS = Path(__file__).with_name("traces_harness.py")


class Panels:
    """One tab on the harness, and what Python was told by it."""

    def __init__(self, page: Page, address: str, asked: Path) -> None:
        self.page, self.address, self.asked_log = page, address, asked
        asked.unlink(missing_ok=True)

    def open(self, panel: str) -> Locator:
        self.page.goto(f"{self.address}/?panel={panel}")
        found = self.page.locator(".panel").last
        expect(found.locator("button").first).to_be_attached(timeout=60_000)
        return found

    def asked(self, count: int = 1) -> list[dict[str, Any]]:
        """What was clicked, once it was that much."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            lines = self.asked_log.read_text().splitlines() if self.asked_log.exists() else []
            if len(lines) >= count:
                break
            self.page.wait_for_timeout(50)
        assert len(lines) == count
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("traces") / "asked"


@pytest.fixture(scope="module")
def panels_address(asked: Path) -> Iterator[str]:
    log = asked.with_suffix(".log")
    with running_streamlit(HARNESS, log, {"PANELS_ASKED": str(asked)}) as address:
        yield address


@pytest.fixture
def panels(browser: Browser, panels_address: str, asked: Path) -> Iterator[Panels]:
    """A tab on the panels; fails on any script error, and when a name ran as a script."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield Panels(page, panels_address, asked)
    assert page.evaluate("globalThis.hacked") is None
    assert page.locator(".panel img").count() == 0
    context.close()
    assert errors == []


def drag(
    panels: Panels, plot: Locator, start: tuple[float, float], end: tuple[float, float]
) -> None:
    """From one place of the drawing to another, as shares of its width and height."""
    box = plot.bounding_box()
    assert box is not None
    (x1, y1), (x2, y2) = (
        (box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in (start, end)
    )
    panels.page.mouse.move(x1, y1)
    panels.page.mouse.down()
    panels.page.mouse.move(x2, y2, steps=5)
    panels.page.mouse.up()


def test_dragging_chooses_time_and_duration_together(panels: Panels) -> None:
    shape = panels.open("shape")
    expect(shape.locator(".total")).to_have_text("100 traces")
    plot = shape.locator(".plot")
    drag(panels, plot, (0.2, 0.15), (0.5, 0.45))
    (told,) = panels.asked()
    assert told["kind"] == "box"
    # A fifth to half of fifteen minutes, less what the axes take.
    assert FIRST + 120 < told["from"] < FIRST + 300 < told["to"] < FIRST + 700
    assert told["from"] == int(told["from"]) and told["to"] == int(told["to"])
    assert 10 < told["low"] < told["high"] < 1500
    plot.dblclick(position={"x": 300, "y": 120})
    assert panels.asked(2)[1] == {"kind": "restore"}


def test_a_flat_drag_is_time_alone_and_one_beside_it_durations_alone(panels: Panels) -> None:
    plot = panels.open("shape").locator(".plot")
    drag(panels, plot, (0.2, 0.5), (0.5, 0.5))
    told = panels.asked()[0]
    assert (told["low"], told["high"]) == (None, None) and told["from"] < told["to"]
    drag(panels, plot, (0.9, 0.1), (0.92, 0.4))
    told = panels.asked(2)[1]
    assert (told["from"], told["to"]) == (None, None) and 0 < told["low"] < told["high"]


def test_pointing_at_a_trace_names_it_and_a_click_opens_it(panels: Panels) -> None:
    shape = panels.open("shape")
    plot = shape.locator(".plot")
    place = plot.evaluate(
        "plot => { const view = plot.closest('.panel').view; return view.places[4] }"
    )
    plot.hover(position={"x": place[0], "y": place[1]})
    tip = shape.locator(".tip")
    # The fifth, number 4: 5 + 16 % 97 + 1400 ms after 36 seconds less than the quarter hour.
    expect(tip).to_contain_text("storefront POST /checkout")
    expect(tip).to_contain_text("1.42 s")
    expect(tip).to_contain_text("09:24:24.123")
    plot.click(position={"x": place[0], "y": place[1]})
    assert panels.asked() == [{"kind": "open", "id": f"{5:032x}"}]


def test_a_row_is_a_link_that_keeps_the_filters(panels: Panels) -> None:
    table = panels.open("table")
    rows = table.locator(".row")
    expect(rows).to_have_count(100)
    second = rows.nth(1)
    link = second.locator(".open")
    assert (link.get_attribute("href") or "").endswith(f"/?range=15m&service=cart&trace={2:032x}")
    # Anywhere on the row.
    second.locator(".length").click(force=True)  # the link lies over it
    assert panels.asked() == [{"kind": "open", "id": f"{2:032x}"}]
    with panels.page.context.expect_page() as opened:
        second.locator(".operation").click(modifiers=["Control"], force=True)
    assert f"trace={2:032x}" in opened.value.url
    opened.value.close()
    assert len(panels.asked()) == 1


def test_rows_say_what_a_trace_was(panels: Panels) -> None:
    table = panels.open("table")
    rows = table.locator(".row")
    # Number 7 fails twice; 5 + 49 ms, ten spans, services up to number 7.
    failed = rows.nth(7)
    expect(failed.locator(".errors")).to_have_text("⊗ 2")
    expect(failed.locator(".length .number")).to_have_text("54 ms")
    expect(failed.locator(".spans")).to_have_text("10")
    expect(failed.locator(".services button")).to_have_count(8)
    derived = rows.nth(5)
    expect(derived.locator(".derived")).to_be_visible()
    expect(derived.locator(".spans")).to_have_text("–")
    failed.get_by_role("button", name="Only traces with redis").click()
    failed.hover()
    failed.get_by_role("button", name="Only traces that begin with").click()
    assert panels.asked(2) == [
        {"kind": "service", "value": "redis"},
        {"kind": "root", "service": "storefront", "value": "POST /checkout"},
    ]


def test_two_ticked_rows_are_compared(panels: Panels) -> None:
    table = panels.open("table")
    ticks = table.get_by_role("checkbox")
    ticks.nth(2).check()
    link = table.get_by_role("link", name="Compare with the typical one")
    expect(link).to_be_visible()
    ticks.nth(4).check()
    ticks.nth(6).check()  # only the last two count
    expect(ticks.nth(2)).not_to_be_checked()
    link = table.get_by_role("link", name="Compare the two")
    assert f"trace={5:032x}&compare={7:032x}" in (link.get_attribute("href") or "")
    link.click()
    assert panels.asked() == [{"kind": "open", "id": f"{5:032x}", "compare": f"{7:032x}"}]


def test_keys_walk_tick_and_open(panels: Panels) -> None:
    table = panels.open("table")
    links = table.locator(".open")
    expect(links).to_have_count(100)
    panels.page.keyboard.press("j")
    expect(links.nth(0)).to_be_focused()
    panels.page.keyboard.press("j")
    panels.page.keyboard.press("j")
    expect(links.nth(2)).to_be_focused()
    panels.page.keyboard.press("x")
    expect(table.get_by_role("checkbox").nth(2)).to_be_checked()
    panels.page.keyboard.press("k")
    panels.page.keyboard.press("Enter")
    assert panels.asked() == [{"kind": "open", "id": f"{2:032x}"}]


def test_the_order_and_more_rows_are_asked_for(panels: Panels) -> None:
    table = panels.open("table")
    expect(table.get_by_role("button", name="Newest")).to_have_attribute("aria-pressed", "true")
    table.get_by_role("button", name="Longest").click()
    table.get_by_role("button", name="Show 100 more of the other 1,134").click()
    assert panels.asked(2) == [{"kind": "sort", "value": "longest"}, {"kind": "more"}]


def test_slow_ones_are_told_from_fast_ones(panels: Panels) -> None:
    why = panels.open("why")
    rows = why.locator(".row")
    expect(rows).to_have_count(6)
    first = rows.first
    expect(first.locator(".slow .number")).to_have_text("92 %")
    # 0.92 / 0.2
    expect(first.locator(".lift")).to_have_text("4.6×")
    expect(rows.nth(1).locator(".lift")).to_have_text("only")
    expect(rows.nth(1).locator(".pick")).to_be_disabled()
    first.locator(".pick").click()
    panels.asked()
    why.get_by_role("combobox", name="Operation").select_option("1")
    assert panels.asked(2) == [
        {"kind": "choose", "field": "attribute:payment.provider", "value": "acme"},
        {"kind": "operation", "at": 1},
    ]


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("panel", ["shape", "table", "why"])
def test_hostile_names_stay_text_and_break_no_layout(
    panels: Panels, panel: str, width: int
) -> None:
    panels.page.set_viewport_size({"width": width, "height": 800})
    found = panels.open(panel)
    if panel != "shape":
        expect(found.get_by_text(MARKUP).first).to_be_attached()
        assert RIGHT_TO_LEFT not in found.inner_text()
    overflow = panels.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert overflow <= 0
    wide = found.evaluate(
        "panel => [...panel.querySelectorAll('*')].filter(one => !one.closest('svg, select')"
        " && one.getBoundingClientRect().right > innerWidth + 1 && one.getClientRects().length"
        " && getComputedStyle(one).position !== 'absolute').map(one => one.className)"
    )
    assert [name for name in wide if "name" not in name and "muted" not in name] == []

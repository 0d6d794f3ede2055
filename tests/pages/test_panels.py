"""Explore's panels in a real Chromium: time by dragging, facets, chips, and hostile names."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.pages.feed_tab import running_streamlit
from tests.pages.panels_harness_data import FIRST, LONG, MARKUP, RIGHT_TO_LEFT

pytestmark = pytest.mark.browser
HARNESS = Path(__file__).with_name("panels_harness.py")


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
    return tmp_path_factory.mktemp("panels") / "asked"


@pytest.fixture(scope="module")
def panels_address(asked: Path) -> Iterator[str]:
    log = asked.with_suffix(".log")
    with running_streamlit(HARNESS, log, {"PANELS_ASKED": str(asked)}) as address:
        yield address


@pytest.fixture
def panels(browser: Browser, panels_address: str, asked: Path) -> Iterator[Panels]:
    """A tab on the panels; fails on any script error, and when log text ran as a script."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield Panels(page, panels_address, asked)
    assert page.evaluate("globalThis.hacked") is None
    assert page.locator(".panel img").count() == 0
    context.close()
    assert errors == []


def test_dragging_over_the_histogram_chooses_whole_buckets(panels: Panels) -> None:
    histogram = panels.open("histogram")
    columns = histogram.locator(".column")
    expect(columns).to_have_count(15)
    first, last = columns.nth(9).bounding_box(), columns.nth(10).bounding_box()
    assert first is not None and last is not None
    y = first["y"] + first["height"] / 2
    panels.page.mouse.move(first["x"] + 5, y)
    # Hovering says what a bar holds, severity by severity: 90 errors, 8 warnings, 320 info, …
    expect(histogram.locator(".tip")).to_contain_text("⊗ error90")
    expect(histogram.locator(".tip")).to_contain_text("period before310")
    panels.page.mouse.down()
    panels.page.mouse.move(last["x"] + 5, y, steps=4)
    expect(histogram.locator(".range")).to_contain_text("09:19 – 09:21, 2 min")
    panels.page.mouse.up()
    chosen = {"from": FIRST + 9 * 60, "to": FIRST + 11 * 60}
    assert panels.asked() == [{"kind": "range", **chosen}]
    # With Shift the same range is explained, and the time shown stays.
    panels.page.keyboard.down("Shift")
    panels.page.mouse.move(first["x"] + 5, y)
    panels.page.mouse.down()
    panels.page.mouse.move(last["x"] + 5, y, steps=4)
    panels.page.mouse.up()
    panels.page.keyboard.up("Shift")
    assert panels.asked(2)[1] == {"kind": "explain", **chosen}
    panels.page.mouse.dblclick(first["x"] + 5, y)
    assert panels.asked(3)[2] == {"kind": "restore"}


def test_the_histogram_compares_filters_and_says_what_is_unfinished(panels: Panels) -> None:
    histogram = panels.open("histogram")
    assert histogram.locator(".column").last.get_attribute("class") == "column open"
    compare = histogram.get_by_role("button", name="+12 % against the 15 min before")
    # Fifteen buckets of 310: one level.
    assert len(re.findall("[VH]", histogram.locator(".previous").get_attribute("d") or "")) == 29
    compare.click()
    expect(compare).to_have_attribute("aria-pressed", "false")
    expect(histogram.locator(".previous")).to_have_attribute("d", "")
    # 2 × 90 + 13 × 2 errors.
    histogram.get_by_role("button", name="error: 206 lines").click()
    assert panels.asked() == [{"kind": "severity", "value": "error"}]


def test_a_value_is_kept_left_out_or_chosen_alone_with_the_mouse(panels: Panels) -> None:
    facets = panels.open("facets")
    services = facets.get_by_role("group", name="Service")
    cart = services.locator(".value").filter(has_text="cart")
    cart.locator(".pick").click()
    expect(cart.locator(".pick")).to_have_attribute("aria-pressed", "true")
    # What is chosen stands on top.
    expect(services.locator(".name").first).to_have_text("cart")
    checkout = services.locator(".value").filter(has_text="checkout")
    checkout.hover()
    checkout.get_by_role("button", name="Exclude").click()
    expect(checkout).to_have_class(re.compile("out"))
    checkout.hover()
    checkout.get_by_role("button", name="Only").click()
    expect(cart.locator(".pick")).to_have_attribute("aria-pressed", "false")
    told = [(one["kind"], one["value"]) for one in panels.asked(3)]
    assert told == [("toggle", "cart"), ("exclude", "checkout"), ("only", "checkout")]


def test_the_keyboard_reaches_every_value_and_keeps_its_place(panels: Panels) -> None:
    facets = panels.open("facets")
    region = facets.get_by_role("group", name="Attribute:Region")
    region.locator(".pick").first.focus()
    panels.page.keyboard.press("ArrowDown")
    us = region.locator(".value").filter(has_text="us").locator(".pick")
    expect(us).to_be_focused()
    panels.page.keyboard.press("Enter")
    expect(us).to_have_attribute("aria-pressed", "true")
    expect(us).to_be_focused()
    panels.page.keyboard.press("x")
    expect(us).to_have_attribute("aria-label", re.compile("left out"))
    panels.page.keyboard.press("ArrowRight")
    panels.page.keyboard.press("ArrowRight")
    expect(region.get_by_role("button", name="Include us")).to_be_focused()
    panels.page.keyboard.press("Enter")
    expect(us).to_have_attribute("aria-label", "us, 100 lines, 10 %")
    assert [one["kind"] for one in panels.asked(3)] == ["toggle", "exclude", "exclude"]
    # One stop a field: from here Tab leads past all of its values.
    panels.page.keyboard.press("Tab")
    expect(facets.get_by_role("button", name="All 42 attributes")).to_be_focused()


def test_five_thousand_services_are_found_by_searching(panels: Panels) -> None:
    facets = panels.open("facets")
    services = facets.get_by_role("group", name="Service")
    expect(services.locator(".value")).to_have_count(8)
    facets.get_by_role("button", name="Search the values of Service").focus()
    panels.page.keyboard.press("Enter")
    panels.page.keyboard.type("vc-4711")
    expect(services.locator(".value")).to_have_count(1)
    expect(services.locator(".name")).to_have_text("svc-4711")
    panels.page.keyboard.press("Escape")
    expect(services.locator(".value")).to_have_count(8)
    facets.get_by_role("button", name="192 more, 4,805 found by searching").click()
    expect(services.locator(".value")).to_have_count(200)


def test_a_chip_shows_the_values_of_its_place_and_each_is_a_click_away(panels: Panels) -> None:
    patterns = panels.open("patterns")
    expect(patterns).to_contain_text("300 patterns in 90,000 lines, all counted")
    row = patterns.locator(".row").first
    row.get_by_role("button", name="num: which values stand here").hover()
    values = patterns.locator(".floating")
    expect(values).to_contain_text("3 values of num in the newest 5,000 of 81,200 lines")
    expect(values).to_contain_text(MARKUP)
    values.get_by_role("button", name=re.compile("71244")).click()
    expect(values).to_be_hidden()
    row.locator(".template").click(position={"x": 3, "y": 8})
    told = panels.asked(3)
    assert told == [
        {"kind": "places", "id": "1"},
        {"kind": "value", "id": "1", "value": "71244"},
        {"kind": "only", "id": "1"},
    ]
    patterns.get_by_role("button", name="Gravest first").click()
    expect(patterns.locator(".row .severity").first).to_contain_text("fatal")
    patterns.get_by_role("button", name=re.compile("show more of the other 241")).click()
    assert panels.asked(4)[3] == {"kind": "more"}


def test_an_attribute_opens_into_its_values(panels: Panels) -> None:
    fields = panels.open("fields")
    expect(fields).to_contain_text("4 attributesof the newest 20,000 of 812,000 lines")
    fields.get_by_role("button", name=re.compile("^http.status, number, in 45 %")).click()
    values = fields.get_by_role("group", name="http.status")
    expect(values.locator(".value")).to_have_count(20)
    expect(fields).to_contain_text("and 20 more values, each less frequent")
    values.locator(".pick").first.focus()
    panels.page.keyboard.press("o")
    status = {"field": "attribute:http.status", "value": "0"}
    assert panels.asked() == [{"kind": "only", **status}]


def test_a_difference_says_how_sure_it_is_and_paints_itself(panels: Panels) -> None:
    spike = panels.open("spike")
    rows = spike.locator(".row")
    expect(rows).to_have_count(5)
    expect(rows.nth(0)).to_contain_text("error")
    assert [rows.nth(n).locator(".lift").inner_text() for n in range(5)] == [
        *("8×", "new", "2.5×", "1.3×"),
        "÷ 30",
    ]
    words = [rows.nth(n).locator(".certainty").inner_text() for n in range(5)]
    assert words == ["certain", "certain", "likely", "weak", "certain"]
    rows.nth(0).hover()
    painted = panels.page.locator(".histogram .painted")
    expect(painted).to_have_attribute("d", re.compile("M.*V|H"))
    spike.get_by_role("combobox", name="Compared with").select_option("before")
    told = panels.asked(2)
    assert told[0] == {"kind": "paint", "field": "severity", "value": "error"}
    assert told[1] == {"kind": "baseline", "value": "before"}
    panels.page.mouse.move(5, 5)
    expect(painted).to_have_attribute("d", "")


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("panel", ["facets", "patterns", "fields", "spike"])
def test_hostile_names_stay_text_and_break_no_layout(
    panels: Panels, panel: str, width: int
) -> None:
    panels.page.set_viewport_size({"width": width, "height": 800})
    found = panels.open(panel)
    if panel == "fields":
        found.get_by_role("button", name=re.compile("^<img.*, text, in")).click()
    expect(found.get_by_text(MARKUP).first).to_be_visible()
    # Signs that turn text around are shown, not obeyed.
    expect(found.get_by_text("\\u202egnp.").first).to_be_visible()
    assert RIGHT_TO_LEFT not in found.inner_text()
    overflow = panels.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert overflow <= 0
    box = found.bounding_box()
    assert box is not None and box["width"] <= width
    wide = found.evaluate(
        "panel => [...panel.querySelectorAll('*')].filter(one => !one.closest('.floating, svg')"
        " && one.getBoundingClientRect().right > innerWidth + 1 && one.getClientRects().length"
        " && getComputedStyle(one).position !== 'absolute').map(one => one.className)"
    )
    assert [name for name in wide if name not in ("name", "some-value", "muted")] == []
    assert len(LONG) > 300

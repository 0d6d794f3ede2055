"""How the feed looks is the reader's choice: columns, density and times, in a real Chromium."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, expect

from tests.pages.feed_tab import Feed

pytestmark = pytest.mark.browser
USUAL = ["Time UTC", "Severity", "Environment", "Service", "Message"]


def heads(feed: Feed) -> Locator:
    return feed.page.locator(".heads > .cell")


def cells(feed: Feed, row: int = 0) -> list[str]:
    """What the cells of one drawn row say, in their order on screen."""
    found: list[str] = feed.rows.nth(row).evaluate(
        """row => [...row.querySelectorAll('.cell')]
            .sort((a, b) => a.getBoundingClientRect().left - b.getBoundingClientRect().left)
            .map(cell => (cell.querySelector('.text') ?? cell).textContent)"""
    )
    return found


def query(feed: Feed) -> dict[str, str]:
    found: dict[str, str] = feed.page.evaluate(
        "Object.fromEntries(new URLSearchParams(location.search))"
    )
    return found


def remembered(feed: Feed) -> dict[str, str]:
    stored = feed.page.evaluate("localStorage.getItem('logstream.options')")
    found: dict[str, str] = json.loads(stored or "{}")
    return found


def drag(feed: Feed, start: Locator, right: float, down: float = 0) -> None:
    box = start.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    feed.page.mouse.move(x, y)
    feed.page.mouse.down()
    feed.page.mouse.move(x + right, y + down, steps=5)
    feed.page.mouse.up()


def width(of: Locator) -> float:
    box = of.bounding_box()
    assert box is not None
    return box["width"]


def an_order(feed: Feed, **fields: Any) -> None:
    attributes = {"http": {"response": {"status_code": 503}}, "http.route": "/orders/{id}"}
    feed.service.store([feed.line("order 17 failed", attributes=attributes, **fields)])


def test_columns_of_a_link_are_drawn_in_its_order_attributes_included(feed: Feed) -> None:
    an_order(feed, duration_ms=1250.5)
    feed.open("?cols=@http.response.status_code,message,latency,@http.route.90,@no.such,service")
    expect(heads(feed)).to_have_text(
        ["http.response.status_code", "Message", "Latency", "http.route", "no.such", "Service"]
    )
    expect(feed.rows).to_have_count(1)
    assert cells(feed) == ["503", "order 17 failed", "1,250.5 ms", "/orders/{id}", "", "checkout"]
    assert width(heads(feed).nth(3)) == 90
    # Head and rows stand under each other.
    for place in range(6):
        head, cell = heads(feed).nth(place), feed.rows.first.locator(".cell").nth(place)
        assert head.bounding_box()["x"] == cell.bounding_box()["x"]  # type: ignore[index]


def test_a_dragged_edge_and_a_double_click_change_a_width_and_the_next_visit_knows(
    feed: Feed,
) -> None:
    an_order(feed, service_name="a-service-with-quite-a-long-name")
    feed.open()
    service = heads(feed).nth(3)
    assert width(service) == 148
    drag(feed, service.locator(".edge"), right=-30)
    expect(heads(feed)).to_have_text(USUAL)
    assert width(service) == 118
    assert query(feed)["cols"] == "time,severity,environment.auto,service.118,message"
    service.locator(".edge").dblclick()
    shown = feed.rows.first.locator(".service")
    feed.page.wait_for_function(
        "cell => cell.scrollWidth <= cell.clientWidth", arg=shown.element_handle()
    )
    fitted = width(service)
    assert 200 < fitted < 300  # 32 letters of 7.2 px, and the gap
    feed.open()
    expect(feed.rows).to_have_count(1)
    assert width(service) == fitted


def test_a_dragged_head_takes_another_ones_place(feed: Feed) -> None:
    an_order(feed)
    feed.open("?cols=time,severity,service,message")
    drag(feed, heads(feed).nth(2).locator(".label"), right=-300)
    expect(heads(feed)).to_have_text(["Service", "Time UTC", "Severity", "Message"])
    drag(feed, heads(feed).first.locator(".label"), right=130)
    expect(heads(feed)).to_have_text(["Time UTC", "Service", "Severity", "Message"])
    assert cells(feed)[1:] == ["checkout", "info", "order 17 failed"]


def test_the_panel_is_worked_by_keys_alone(feed: Feed) -> None:
    an_order(feed)
    feed.service.store([feed.line("other", attributes={"user": "u-1"})])
    feed.open()
    expect(feed.rows).to_have_count(2)
    press = feed.page.keyboard.press
    panel = feed.page.locator(".view-options")
    press("o")
    expect(panel.get_by_role("radio", name="Normal")).to_be_focused()
    press("ArrowRight")
    expect(panel.get_by_role("radio", name="Roomy")).to_be_focused()
    expect(panel.get_by_role("radio", name="Roomy")).to_be_checked()
    panel.get_by_role("checkbox", name="Severity").focus()
    press("Space")
    expect(heads(feed)).to_have_text(["Time UTC", "Environment", "Service", "Message"])
    panel.get_by_role("button", name="Move Environment later").focus()
    press("Enter")
    expect(heads(feed)).to_have_text(["Time UTC", "Service", "Environment", "Message"])
    # Keys of the loaded lines, with the share of lines that carry them: 1 of 2.
    expect(panel.locator(".offer")).to_have_text(
        ["http.response.status_code50 %", "http.route50 %", "user50 %"]
    )
    panel.get_by_label("Attribute to add as a column").focus()
    feed.page.keyboard.type("status")
    expect(panel.locator(".offer")).to_have_count(1)
    press("Tab")
    press("Enter")
    press("Escape")
    expect(panel).to_be_hidden()
    expect(feed.page.get_by_role("button", name="View")).to_be_focused()
    assert query(feed) == {
        "rows": "roomy",
        "cols": "time,service,environment.auto,@http.response.status_code,message",
    }
    assert remembered(feed) == query(feed)


def test_the_panel_closes_by_a_click_elsewhere_and_goes_back_to_usual(feed: Feed) -> None:
    an_order(feed)
    feed.open("?cols=message&times=iso&rows=compact")
    panel = feed.page.locator(".view-options")
    feed.page.get_by_role("button", name="View").click()
    expect(panel.get_by_role("checkbox", name="Message", exact=True)).to_be_disabled()
    panel.get_by_role("button", name="Back to usual").click()
    expect(heads(feed)).to_have_text(USUAL)
    assert query(feed) == {} == remembered(feed)
    feed.page.get_by_test_id("state-pill").click()
    expect(panel).to_be_hidden()


def test_a_link_shows_its_look_and_leaves_what_the_reader_chose(feed: Feed) -> None:
    an_order(feed)
    feed.open()
    feed.page.keyboard.press("o")
    feed.page.get_by_role("radio", name="Compact").check(force=True)
    assert query(feed) == {"rows": "compact"}
    feed.open("?rows=roomy&wrap=0&times=iso")
    assert feed.rows.first.bounding_box()["height"] == 28  # type: ignore[index]
    assert remembered(feed) == {"rows": "compact"}
    # The reader changes one thing: only that is remembered, the rest stays the link's.
    feed.page.keyboard.press("w")
    assert query(feed) == {"rows": "roomy", "wrap": "1", "times": "iso"}
    assert remembered(feed) == {"rows": "compact", "wrap": "1"}
    feed.open()
    assert query(feed) == {"rows": "compact", "wrap": "1"}
    expect(heads(feed)).to_have_text(USUAL)
    expect(feed.page.locator(".feed.wrapped")).to_be_visible()


def test_a_link_of_the_drawer_looks_the_same(feed: Feed) -> None:
    an_order(feed)
    feed.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    feed.open("?rows=compact&times=exact")
    feed.page.keyboard.press("w")
    feed.rows.first.click()
    feed.drawer.get_by_role("button", name="Copy link").click()
    expect(feed.drawer.get_by_text("Copied", exact=True)).to_be_visible()
    link = urlsplit(feed.page.evaluate("navigator.clipboard.readText()"))
    assert parse_qs(link.query) == {
        "rows": ["compact"],
        "times": ["exact"],
        "wrap": ["1"],
        "line": ["1"],
    }


@pytest.mark.parametrize("stored", ["{}", "nonsense", "null", '{"rows": 3, "cols": ["time"]}'])
def test_broken_values_fall_back_calmly(feed: Feed, stored: str) -> None:
    an_order(feed)
    feed.page.add_init_script(f"localStorage.setItem('logstream.options', {json.dumps(stored)})")
    feed.open("?cols=nope,@,.,.90&rows=huge&wrap=2&times=constructor&newest=left")
    expect(heads(feed)).to_have_text(USUAL)
    assert feed.rows.first.bounding_box()["height"] == 22  # type: ignore[index]
    assert query(feed) == {}


def test_three_hundred_columns_scroll_sideways_together_with_their_head(feed: Feed) -> None:
    an_order(feed)
    names = ["message", *(f"@key.{n}.90" for n in range(300))]
    feed.open(f"?cols={','.join(names)}")
    expect(heads(feed)).to_have_count(40)
    assert width(heads(feed).first) == 200  # the message never gets less
    view = feed.page.locator(".view")
    view.evaluate("view => { view.scrollLeft = 1500 }")
    feed.page.wait_for_function(
        """() => {
            const {root} = [...globalThis.__logstream.feeds.values()][0];
            const left = (box) => box.querySelectorAll('.cell')[20].getBoundingClientRect().left;
            return left(root.querySelector('.heads')) === left(root.querySelector('.row'));
        }"""
    )
    expect(heads(feed).nth(20)).to_be_in_viewport()
    assert feed.page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    expect(feed.pill).not_to_have_attribute("data-state", "paused")


def test_environment_is_a_usual_column_only_while_several_are_shown(feed: Feed) -> None:
    an_order(feed)
    feed.open("?env=production")
    expect(heads(feed)).to_have_text([name for name in USUAL if name != "Environment"])
    feed.open("?env=production&cols=environment,message")
    expect(heads(feed)).to_have_text(["Environment", "Message"])


@pytest.mark.parametrize(
    ("times", "shown"),
    [
        ("ms", "07-01 22:30:00.123"),
        ("exact", "07-01 22:30:00.123456789"),
        ("date", "2026-07-01 22:30:00.123"),
        ("iso", "2026-07-01T22:30:00.123456789Z"),
    ],
)
def test_times_are_written_as_chosen(feed: Feed, times: str, shown: str) -> None:
    moment = 1_782_945_000_123_456_789  # 2026-07-01 22:30:00 UTC and a fraction
    feed.service.store([feed.line("summer", timestamp_unix_nano=moment)])
    feed.open(f"?times={times}&cols=time,message")
    cell = feed.rows.first.locator(".time")
    expect(cell).to_have_text(shown)
    assert cell.evaluate("cell => cell.scrollWidth <= cell.clientWidth")


def test_an_age_grows_without_drawing_the_row_anew(feed: Feed) -> None:
    an_order(feed)
    feed.open("?times=age")
    row = feed.rows.first
    row.evaluate("row => { row.dataset.mark = 'same' }")
    before = row.locator(".time").inner_text()
    assert before.endswith(" s ago") or before == "now"
    expect(row.locator(".time")).not_to_have_text(before)
    assert row.get_attribute("data-mark") == "same"


def test_no_value_breaks_a_row(feed: Feed) -> None:
    deep: dict[str, Any] = {"end": 1}
    for _ in range(200):
        deep = {"in": deep}
    feed.service.store(
        [
            feed.line(
                "שלום <b>עולם</b> 👩‍🚀",
                service_name="payment-" * 400 + "שלום",
                attributes={
                    "huge": "x" * 10_000_000,
                    "lines": "one\ntwo\u202egnp",
                    "deep": deep,
                    "markup": "<img src=x onerror=alert(1)>",
                    "none": None,
                    "list": list(range(100_000)),
                },
            )
        ]
    )
    feed.open("?cols=service,@huge,@lines,@deep,@markup,@none,@list,message")
    expect(feed.rows).to_have_count(1)
    row = feed.rows.first
    assert row.bounding_box()["height"] == 22  # type: ignore[index]
    service, huge, lines, deep_text, markup, none, numbers, message = cells(feed)
    assert service.startswith("payment-payment-")
    assert (len(huge), lines, markup, none) == (
        300,
        "one↵two\\u202egnp",
        "<img src=x onerror=alert(1)>",
        "null",
    )
    assert deep_text.startswith("{in: {in: ") and len(deep_text) < 2000
    assert numbers.startswith("[0, 1, 2, ") and len(numbers) < 400
    assert message == "שלום <b>עולם</b> 👩‍🚀"
    tops = row.evaluate(
        "row => [...row.querySelectorAll('.cell')].map(c => c.getBoundingClientRect().top)"
    )
    assert len(set(tops)) == 1


def test_a_phone_keeps_two_lines_and_the_first_chosen_columns(feed: Feed) -> None:
    feed.page.set_viewport_size({"width": 390, "height": 844})
    an_order(feed)
    feed.open("?cols=time,@http.response.status_code,service,severity,@http.route,message")
    row = feed.rows.first
    expect(row.locator(".cell:visible")).to_have_count(5)
    expect(row.locator(".spare")).to_be_hidden()
    assert row.bounding_box()["height"] == 42  # type: ignore[index]
    first, second = row.locator(".time").bounding_box(), row.locator(".message").bounding_box()
    assert first is not None and second is not None
    assert second["y"] >= first["y"] + first["height"]
    feed.page.keyboard.press("o")
    panel = feed.page.locator(".view-options").bounding_box()
    assert panel is not None and panel["x"] >= 0 and panel["x"] + panel["width"] <= 390
    assert feed.page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_of_the_panel_and_the_head_is_readable(feed: Feed, scheme: str) -> None:
    feed.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    an_order(feed)
    feed.open("?cols=time,received,trace,@http.route,@no,message")
    feed.page.keyboard.press("o")
    expect(feed.page.locator(".view-options")).to_be_visible()
    pale = feed.page.evaluate(PALE_TEXTS)
    assert pale == []


# Texts whose WCAG contrast with what is behind them is below 4.5; disabled controls are exempt.
PALE_TEXTS = """() => {
    const {root} = [...globalThis.__logstream.feeds.values()][0];
    const paint = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
    const over = (colours) => {
        paint.clearRect(0, 0, 1, 1);
        for (const colour of colours) { paint.fillStyle = colour; paint.fillRect(0, 0, 1, 1); }
        return [...paint.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const light = (rgb) => {
        const [r, g, b] = rgb.map(v => v / 255)
            .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const pale = [];
    for (const el of root.querySelectorAll('.view-options *, .heads *, .row .cell, .tools *')) {
        const isText = [...el.childNodes].some(n => n.nodeType === 3 && n.data.trim());
        if (!isText || !el.checkVisibility()) continue;
        if (el.matches(':disabled, :disabled *, option')) continue;
        if (el.matches('.grip') || el.previousElementSibling?.matches('input:disabled')) continue;
        const behind = [];
        for (let box = el; box; box = box.parentElement) {
            behind.unshift(getComputedStyle(box).backgroundColor);
        }
        const paper = getComputedStyle(document.querySelector('.stApp')).backgroundColor;
        const ground = [paper, ...behind];
        const [a, b] = [over(ground), over([...ground, getComputedStyle(el).color])].map(light);
        const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (contrast < 4.5) pale.push([el.className, el.textContent, contrast]);
    }
    return pale;
}"""

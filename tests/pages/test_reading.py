"""Reading under load in a real Chromium: order, pauses, what is missing, neighbours, keys."""

import time
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.pages.feed_tab import SECOND, Feed

pytestmark = pytest.mark.browser

FEED = "[...globalThis.__logstream.feeds.values()][0]"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def fill(feed: Feed, count: int, first_seconds: float = -1000) -> None:
    feed.service.store([feed.line(f"old {n}", seconds=first_seconds + n) for n in range(count)])


def edge_row(feed: Feed) -> list[object]:
    """The message at the upper edge of the list, and where it stands."""
    found: list[object] = feed.page.evaluate(
        """() => {
            const feed = [...globalThis.__logstream.feeds.values()][0];
            const edge = feed.scroller.getBoundingClientRect().top;
            const rows = [...feed.root.querySelectorAll('.row')];
            const first = rows.find(row => row.getBoundingClientRect().bottom > edge + 1);
            return [first.querySelector('.text').textContent,
                    Math.round(first.getBoundingClientRect().top - edge)];
        }"""
    )
    return found


def test_frames_that_come_together_are_shown_together_in_order(feed: Feed) -> None:
    feed.open()
    second, first = feed.line("second", seconds=2), feed.line("first", seconds=1)
    feed.page.evaluate(
        f"""lines => {{
            window.seen = [];
            const {{store}} = {FEED};
            const tell = store.onSettled;
            store.onSettled = () => {{
                window.seen.push(store.rows.map(row => row.line.message));
                tell();
            }};
            for (const line of lines) store.add([line]);
        }}""",
        [second.to_api(), first.to_api()],
    )
    feed.expect_loaded("second", "first")
    assert feed.page.evaluate("window.seen") == [["first", "second"]]
    expect(feed.page.locator(".sign:visible")).to_have_count(0)


def test_a_line_out_of_order_or_late_is_marked_in_words(feed: Feed) -> None:
    feed.service.store([feed.line("first", seconds=-400), feed.line("shown", seconds=-1)])
    feed.open()
    feed.expect_loaded("shown", "first")
    late = feed.line("late", seconds=-300, observed_unix_nano=feed.now - 60 * SECOND)
    feed.service.push([late, feed.line("between", seconds=-30)])
    feed.expect_loaded("shown", "between", "late", "first")
    # Sent at −300 s, received at −60 s: 240 s are 4 minutes.
    sign = feed.rows.filter(has_text="late").locator(".sign")
    expect(sign).to_have_attribute("title", "came 4 min after its time")
    sign = feed.rows.filter(has_text="between").locator(".sign")
    expect(sign).to_have_attribute(
        "title", "arrived out of order: later lines were shown before it"
    )
    expect(feed.page.locator(".sign:visible")).to_have_count(2)
    assert feed.drawn() == feed.loaded()


def test_the_list_stands_still_under_a_moving_or_pressed_pointer(feed: Feed) -> None:
    fill(feed, 20)
    feed.open()
    expect(feed.rows).to_have_count(20)
    row = feed.rows.nth(5).bounding_box()
    assert row is not None
    x, y = row["x"] + 300, row["y"] + 8
    feed.page.mouse.move(x, y)
    feed.page.mouse.down()
    feed.service.push([feed.line("new")])
    feed.page.wait_for_timeout(300)
    assert feed.drawn()[5] == "old 14"
    feed.page.mouse.up()
    expect(feed.drawer.locator(".whole")).to_have_text("old 14")
    feed.page.keyboard.press("Escape")
    feed.page.keyboard.press("p")
    feed.expect_loaded("new", *(f"old {n}" for n in reversed(range(20))))


def test_a_resting_pointer_does_not_hold_the_feed_up(feed: Feed) -> None:
    fill(feed, 20)
    feed.open()
    expect(feed.rows).to_have_count(20)
    feed.rows.nth(5).hover()
    feed.service.push([feed.line("new")])
    expect(feed.rows.first).to_contain_text("new")
    expect(feed.pill).not_to_have_attribute("data-state", "paused")


def test_newest_at_the_bottom_follows_pauses_and_resumes(feed: Feed) -> None:
    fill(feed, 700)
    feed.open()
    feed.page.keyboard.press("b")
    expect(feed.rows.last).to_contain_text("old 699")
    feed.service.push([feed.line("new")])
    expect(feed.rows.last).to_contain_text("new")
    expect(feed.rows.last).to_be_in_viewport()
    feed.page.locator(".view").hover()
    feed.page.mouse.wheel(0, -600)
    expect(feed.pill).to_have_attribute("data-state", "paused")
    feed.page.wait_for_timeout(500)
    before = edge_row(feed)
    feed.service.push([feed.line("while reading", seconds=1)])
    expect(feed.news).to_have_text("1 new ↓")
    assert edge_row(feed) == before
    # At the upper end older lines are loaded; what is read does not move.
    feed.page.locator(".view").evaluate("view => { view.scrollTop = 5 }")
    feed.page.wait_for_function(f"{FEED}.store.rows.length === 701", timeout=20_000)
    feed.page.wait_for_timeout(200)
    # 500 of the 700 were loaded, so the 200th stood on top.
    assert edge_row(feed) == ["old 200", -5]
    feed.page.locator(".view").evaluate("view => { view.scrollTop = view.scrollHeight }")
    expect(feed.rows.last).to_contain_text("while reading")
    expect(feed.news).to_be_hidden()
    feed.page.reload()
    expect(feed.rows.last).to_contain_text("while reading")
    expect(feed.rows.last).to_be_in_viewport()


def test_wrapped_lines_keep_their_place_while_older_ones_load(feed: Feed) -> None:
    bodies = [f"old {n} " + "long message " * (n % 40) for n in range(700)]
    feed.service.store([feed.line(body, seconds=n - 1000) for n, body in enumerate(bodies)])
    feed.open("?wrap=1&newest=bottom")
    expect(feed.rows.last).to_contain_text("old 699")
    feed.page.locator(".view").evaluate("view => { view.scrollTop = 5 }")
    feed.page.wait_for_function(f"{FEED}.store.rows.length === 700", timeout=20_000)
    feed.page.wait_for_timeout(300)
    assert str(edge_row(feed)[0]).startswith("old 200")
    overlaps = feed.page.evaluate(
        f"""() => {{
            const rows = [...{FEED}.root.querySelectorAll('.row')]
                .map(row => row.getBoundingClientRect());
            return rows.filter((row, n) => n && row.top < rows[n - 1].bottom - 0.5).length;
        }}"""
    )
    assert overlaps == 0


def test_more_lines_than_are_held_while_paused_are_counted_and_loaded_on_request(
    feed: Feed,
) -> None:
    feed.service.store([feed.line("before", seconds=-1)])
    feed.open()
    feed.expect_loaded("before")
    feed.page.keyboard.press("p")
    for start in range(0, 10_400, 800):
        feed.service.push([feed.line(f"new {start + n}", seconds=start + n) for n in range(800)])
    expect(feed.news).to_have_text("10,400 new ↑", timeout=20_000)
    feed.news.click()
    # 10,000 are held, so 10,400 − 10,000 = 400 are not.
    feed.page.wait_for_function(f"{FEED}.store.rows.length === 10001")
    feed.page.locator(".view").focus()
    feed.page.keyboard.press("End")
    band = feed.page.locator(".band.gap")
    expect(band).to_contain_text("400 lines not loaded here")
    band.get_by_role("button", name="Load").click()
    expect(band).to_have_count(0)
    loaded = feed.loaded()
    assert loaded == [f"new {n}" for n in reversed(range(10_400))] + ["before"]


def test_missed_lines_are_loaded_and_too_many_leave_a_mark_and_not_a_silent_hole(
    feed: Feed,
) -> None:
    fill(feed, 3)
    feed.open()
    feed.page.wait_for_function(f"{FEED}.store.rows.length === 3")
    band = feed.page.locator(".band.gap")
    # 600 lines come unheard; a page of catching up has 500, the others are fetched by id.
    feed.service.store([feed.line(f"missed {n}", seconds=n / 100) for n in range(600)])
    feed.page.evaluate(f"{FEED}.source.catchUp()")
    feed.page.wait_for_function(f"{FEED}.store.rows.length === 603")
    expect(band).to_have_count(0)
    # More than 15,000 are not.
    feed.service.store([feed.line(f"many {n}", seconds=10 + n / 1000) for n in range(16_000)])
    feed.page.evaluate(f"{FEED}.source.catchUp()")
    feed.page.wait_for_function(f"{FEED}.store.rows.length > 603", timeout=60_000)
    loaded = feed.page.evaluate(f"{FEED}.store.rows.length")
    assert loaded < 16_603
    expect(feed.rows.first).to_contain_text("many 15999")
    # The mark stands below the newest 500.
    feed.page.locator(".view").evaluate("view => { view.scrollTop = (500 - 5) * 22 }")
    expect(band).to_contain_text("not loaded here")
    band.get_by_role("button", name="Load").click()
    feed.page.wait_for_function(f"n => {FEED}.store.rows.length > n", arg=loaded, timeout=60_000)


def test_what_came_since_the_last_visit_is_counted_and_marked_until_dismissed(
    feed: Feed,
) -> None:
    fill(feed, 700, first_seconds=-1000)
    seen = feed.now // 1_000_000 - 900_000
    feed.page.add_init_script(
        "sessionStorage.getItem('again') || (sessionStorage.setItem('again', 'yes'),"
        f" localStorage.setItem('logstream.seen', '{seen} {seen}'))"
    )
    feed.open()
    # Lines at −1000 … −301 s; those from −900 s on came since: 600.
    since = feed.page.locator(".since")
    expect(since).to_have_text("600 since your last visit")
    feed.page.keyboard.press("v")
    band = feed.page.locator(".band.visit")
    expect(band).to_contain_text("600 lines while you were away", timeout=20_000)
    expect(band).to_be_in_viewport()
    expect(since).to_be_hidden()
    band.get_by_role("button", name="Dismiss").click()
    expect(band).to_have_count(0)
    feed.page.wait_for_function(
        f"Number(localStorage.getItem('logstream.seen').split(' ')[0]) > {seen + 800_000}",
        timeout=20_000,
    )
    feed.page.reload()
    expect(feed.rows.first).to_be_visible()
    expect(since).to_be_hidden()


def test_an_open_line_shows_its_neighbours_without_touching_the_filter(feed: Feed) -> None:
    lines = [
        feed.line(
            f"{service} {n}",
            seconds=n,
            service_name=service,
            trace_id=TRACE if n in (8, 10) else "",
            severity_number=17 if (service, n) == ("checkout", 10) else 9,
        )
        for n in range(20)
        for service in ("checkout", "cart")
    ]
    feed.service.store(lines)
    feed.open("?severity=error")
    feed.rows.first.click()
    around = feed.drawer.locator(".around-line .around-text")
    # Five before and five after, newest first, of its service.
    expect(around).to_have_text([f"checkout {n}" for n in range(15, 4, -1)])
    expect(feed.drawer.locator(".around-line.this")).to_contain_text("checkout 10")
    feed.drawer.get_by_role("button", name="Show more older lines").click()
    expect(around).to_have_count(16)
    feed.drawer.get_by_role("button", name="Every service, around").click()
    expect(around.filter(has_text="cart")).not_to_have_count(0)
    feed.drawer.get_by_role("button", name="This trace, around").click()
    expect(around).to_have_text(["cart 10", "checkout 10", "cart 8", "checkout 8"])
    feed.drawer.get_by_role("button", name="Open info, cart").last.click()
    expect(feed.drawer.locator(".whole")).to_have_text("cart 8")
    expect(feed.drawer.locator(".around-line.this")).to_contain_text("cart 8")
    assert "severity=error" in feed.page.url
    feed.expect_loaded("checkout 10")


def test_a_link_to_a_loaded_line_brings_its_row_into_view(feed: Feed) -> None:
    fill(feed, 300)
    # The first line stored has id 1 and is the oldest: far down the list.
    feed.open("?line=1", state="paused")
    expect(feed.drawer.locator(".whole")).to_have_text("old 0")
    row = feed.page.locator(".row.open")
    expect(row).to_contain_text("old 0")
    expect(row).to_be_in_viewport()


def test_the_keyboard_reaches_both_ends_pages_and_copies(feed: Feed) -> None:
    feed.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    fill(feed, 300)
    feed.open()
    feed.page.locator(".view").focus()
    selected = feed.page.locator(".row.selected .text")
    feed.page.keyboard.press("End")
    expect(selected).to_have_text("old 0")
    expect(feed.page.locator(".row.selected")).to_be_in_viewport()
    feed.page.keyboard.press("ArrowUp")
    expect(selected).to_have_text("old 1")
    feed.page.keyboard.press("PageUp")
    # A window of some 30 rows: 25 to 40 up.
    expect(selected).not_to_have_text("old 1")
    message = selected.inner_text()
    assert 25 < int(message.removeprefix("old ")) < 41
    row_id = feed.page.locator(".view").get_attribute("aria-activedescendant")
    expect(feed.page.locator(".row.selected")).to_have_attribute("id", row_id or "")
    for key, expected in (("c", message), ("y", f'"message": "{message}"'), ("l", "line=")):
        feed.page.keyboard.press(key)
        feed.page.wait_for_function(
            "text => navigator.clipboard.readText().then(copied => copied.includes(text))",
            arg=expected,
        )
    feed.page.keyboard.press("Home")
    expect(feed.pill).not_to_have_attribute("data-state", "paused")
    feed.page.keyboard.press("?")
    dialog = feed.page.get_by_role("dialog", name="Keyboard")
    expect(dialog).to_contain_text("arrived out of order")
    feed.page.keyboard.press("j")
    expect(feed.page.locator(".row.selected")).to_have_count(0)
    feed.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_pause_and_place_survive_a_rerun(feed: Feed) -> None:
    fill(feed, 300)
    feed.open()
    expect(feed.rows.first).to_be_visible()
    feed.page.locator(".view").evaluate("view => { view.scrollTop = 2000 }")
    expect(feed.pill).to_have_attribute("data-state", "paused")
    feed.service.push([feed.line("new")])
    expect(feed.news).to_have_text("1 new ↑")
    before = edge_row(feed)
    feed.page.get_by_role("button", name="Rerun").click()
    expect(feed.page.get_by_test_id("reruns")).to_have_text("2")
    feed.page.wait_for_timeout(500)
    expect(feed.news).to_have_text("1 new ↑")
    assert edge_row(feed) == before


def nodes_of(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [node for rule in rules for node in rule["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_feed_passes_axe(feed: Feed, scheme: str) -> None:
    feed.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    severities = [1, 5, 9, 13, 17, 21]
    feed.service.store(
        [
            feed.line(
                f"line {n}\nmore",
                seconds=-n,
                severity_number=severities[n % 6],
                service_name=f"service-{n % 20}",
                observed_unix_nano=time.time_ns(),
                trace_id=TRACE,
                attributes={"http": {"code": 500}, "user": "Ann"},
            )
            for n in range(120)
        ]
    )
    feed.open()
    expect(feed.rows.first).to_be_visible()
    feed.page.evaluate(f"{FEED}.store.noteGap({FEED}.store.rows[115], 7)")
    feed.page.evaluate(f"{FEED}.schedule()")
    expect(feed.page.locator(".band.gap")).to_be_visible()
    options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}

    def violations() -> list[str]:
        found = Axe().run(feed.page, options=options).response
        # Of what axe looked at, a place in a shadow tree is a list: only the feed has one.
        assert any(isinstance(node["target"][0], list) for node in nodes_of(found["passes"]))
        return [
            f"{node['html'][:160]} {node.get('failureSummary', '')}"
            for node in nodes_of(found["violations"])
            if isinstance(node["target"][0], list)
        ]

    assert violations() == []
    feed.rows.nth(3).click()
    expect(feed.drawer.locator(".around-lines")).to_be_visible()
    assert violations() == []
    feed.page.keyboard.press("Escape")
    feed.page.keyboard.press("?")
    assert violations() == []

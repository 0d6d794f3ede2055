"""The feed's ways to its lines, each cut in turn: nothing is missing, nothing comes twice."""

import re
import time

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.pages.feed_tab import Feed

pytestmark = pytest.mark.browser
SOCKETS = re.compile(r"/client/hubs/")


def expect_rung(feed: Feed, rung: str) -> None:
    expect(feed.pill).to_have_attribute("data-rung", rung, timeout=30_000)


def expect_every_line_once(feed: Feed, *expected: str) -> None:
    """Newest first, and no other."""
    feed.page.wait_for_function(
        "count => [...globalThis.__logstream.feeds.values()][0].store.rows.length >= count",
        arg=len(expected),
        timeout=30_000,
    )
    feed.expect_loaded(*expected)


def refuse_sockets(page: Page) -> None:
    """As a proxy does that knows no WebSocket: this browser's sockets close at once."""
    page.route_web_socket(SOCKETS, lambda socket: socket.close())


def allow_sockets(page: Page) -> None:
    def connect(socket: WebSocketRoute) -> None:
        socket.connect_to_server()

    page.route_web_socket(SOCKETS, connect)


def test_a_cut_connection_is_recovered_and_says_nothing_twice(feed: Feed) -> None:
    feed.open()
    feed.service.push([feed.line("before")])
    feed.expect_loaded("before")
    asked = len(feed.service.asked)
    feed.service.cut_sockets()
    feed.service.push([feed.line("while away", seconds=1)])
    feed.expect_loaded("while away", "before")
    feed.service.push([feed.line("after", seconds=2)])
    feed.expect_loaded("after", "while away", "before")
    assert len(feed.service.negotiated) == 1
    # The hub said what was missed: nobody had to ask for it.
    assert len(feed.service.asked) == asked


def test_a_hub_that_restarts_has_forgotten_us_and_nothing_is_missing(feed: Feed) -> None:
    feed.open()
    feed.service.push([feed.line("before")])
    feed.expect_loaded("before")
    feed.service.store([feed.line("while away", seconds=1)])
    feed.service.forget_sessions()
    feed.expect_loaded("while away", "before")
    expect_rung(feed, "push")
    feed.service.push([feed.line("after", seconds=2)])
    feed.expect_loaded("after", "while away", "before")


def test_thousands_of_lines_of_a_forced_disconnect_are_loaded_in_order(feed: Feed) -> None:
    feed.open()
    lines = [feed.line(f"line {n}", seconds=n / 1000) for n in range(4000)]
    for start in range(0, 1000, 100):
        feed.service.push(lines[start : start + 100])
    feed.service.store(lines[1000:3500])
    feed.service.forget_sessions()
    feed.page.wait_for_function("globalThis.__logstream.status.state !== 'live'")
    expect_rung(feed, "push")
    for start in range(3500, 4000, 100):
        feed.service.push(lines[start : start + 100])
    expect_every_line_once(feed, *(f"line {n}" for n in reversed(range(4000))))


def test_a_line_with_an_old_time_that_came_last_in_a_cut_is_not_missed(feed: Feed) -> None:
    feed.open()
    feed.service.push([feed.line("before")])
    feed.expect_loaded("before")
    # More lines than one question gives stand between it and the newest.
    lines = [feed.line(f"line {n}", seconds=1 + n / 1000) for n in range(600)]
    late = feed.line("an hour late", seconds=-3600)
    feed.service.store([*lines, late])
    feed.service.forget_sessions()
    newest = [f"line {n}" for n in reversed(range(600))]
    expect_every_line_once(feed, *newest, "before", "an hour late")


def test_a_token_is_renewed_before_it_ends_and_the_frames_go_on(feed: Feed) -> None:
    feed.service.token_seconds = 4
    feed.open()
    expected = []
    for n in range(60):
        feed.service.push([feed.line(f"line {n}", seconds=n)])
        expected.insert(0, f"line {n}")
        feed.page.wait_for_timeout(100)
    expect_every_line_once(feed, *expected)
    assert feed.service.accepted >= 2
    # A renewal may be under way: for a moment there are two. (The harness's own relay would be
    # another, for a minute after a test that fell to it: such tests stand below.)
    deadline = time.monotonic() + 10
    while feed.service.hub.connections != 1 and time.monotonic() < deadline:
        feed.page.wait_for_timeout(20)
    assert feed.service.hub.connections == 1
    # Asked once at the start, and never again: no connection was missed.
    assert len(feed.service.asked) == 1


def test_a_browser_without_sockets_is_relayed_to_and_climbs_back(feed: Feed) -> None:
    refuse_sockets(feed.page)
    feed.service.store([feed.line("before")])
    feed.page.goto(feed.address)
    expect_rung(feed, "relay")
    feed.expect_loaded("before")
    feed.service.push([feed.line("relayed", seconds=1)])
    feed.expect_loaded("relayed", "before")
    expect(feed.pill).to_have_text("live · relayed")
    feed.service.push([feed.line("lost", seconds=2)], lost=True)
    feed.service.push([feed.line("heard", seconds=3)])
    feed.expect_loaded("heard", "lost", "relayed", "before")
    allow_sockets(feed.page)
    feed.page.evaluate("window.dispatchEvent(new Event('online'))")
    expect_rung(feed, "push")
    feed.service.push([feed.line("pushed", seconds=4)])
    feed.expect_loaded("pushed", "heard", "lost", "relayed", "before")
    expect(feed.pill).to_have_text("live · pushed")


def test_a_relayed_page_reruns_its_fragment_only(feed: Feed) -> None:
    refuse_sockets(feed.page)
    feed.page.goto(feed.address)
    expect_rung(feed, "relay")
    reruns = feed.page.get_by_test_id("reruns").inner_text()
    turn = "[...globalThis.__logstream.feeds.values()][0].source.lower.turn"
    before, began = feed.page.evaluate(turn), time.monotonic()
    feed.page.wait_for_timeout(2000)
    turns = feed.page.evaluate(turn) - before
    # About three a second, never one upon the other.
    assert 1 <= turns <= 3.3 * (time.monotonic() - began) + 1
    assert feed.page.get_by_test_id("reruns").inner_text() == reruns


def test_a_hub_that_nobody_reaches_leaves_polling(feed: Feed) -> None:
    feed.service.refuses_sockets = True
    feed.service.store([feed.line("before")])
    feed.open(state="polling")
    expect_rung(feed, "poll")
    feed.service.store([feed.line("polled", seconds=1)])
    feed.expect_loaded("polled", "before")
    feed.service.refuses_sockets = False
    feed.page.evaluate("window.dispatchEvent(new Event('online'))")
    expect_rung(feed, "push")


def test_a_hub_that_refuses_our_key_is_said_in_the_pill_and_lines_still_come(feed: Feed) -> None:
    feed.service.problem = "The push hub refuses our key; see System."
    feed.service.store([feed.line("before")])
    feed.open(state="polling")
    expect(feed.pill).to_have_attribute("title", re.compile("refuses our key; see System"))
    feed.service.store([feed.line("polled", seconds=1)])
    feed.expect_loaded("polled", "before")


def test_a_browser_that_reaches_no_other_port_asks_through_the_dashboard(feed: Feed) -> None:
    direct = re.compile(rf"^http://127\.0\.0\.1:{feed.service.port}/")
    feed.page.route(direct, lambda route: route.abort())
    refuse_sockets(feed.page)
    feed.service.store([feed.line("asked through the dashboard")])
    feed.page.goto(feed.address)
    expect_rung(feed, "relay")
    feed.expect_loaded("asked through the dashboard")
    feed.service.push([feed.line("relayed", seconds=1)])
    feed.expect_loaded("relayed", "asked through the dashboard")
    is_relayed = "[...globalThis.__logstream.feeds.values()][0].source.questions.isRelayed"
    assert feed.page.evaluate(is_relayed)
    feed.page.unroute(direct)
    feed.page.wait_for_function(f"!{is_relayed}", timeout=60_000)


def test_a_clock_that_is_wrong_by_an_hour_sees_the_right_fifteen_minutes(feed: Feed) -> None:
    for hours in (1, -1):
        feed.service.clock_ahead_ms = hours * 3_600_000
        there = 3600.0 * hours
        feed.service.lines.clear()
        feed.service.store(
            [feed.line("fresh", seconds=there - 60), feed.line("old", seconds=there - 1200)]
        )
        feed.page.goto("about:blank")
        feed.open("?range=15m")
        feed.expect_loaded("fresh")
        feed.service.push(
            [feed.line("pushed", seconds=there), feed.line("too old", seconds=there - 1000)]
        )
        feed.expect_loaded("pushed", "fresh")
        feed.rows.filter(has_text="fresh").locator(".time").hover()
        title = feed.rows.filter(has_text="fresh").locator(".time").get_attribute("title") or ""
        assert re.search(r"^([6-9]\d|1\d\d) s ago$|^[12] min ago$", title, re.MULTILINE), title
        assert not feed.page.evaluate(
            "[...globalThis.__logstream.feeds.values()][0].source.speed.isLight"
        )


def test_frames_that_come_late_for_seconds_are_asked_for_light(feed: Feed) -> None:
    feed.open()
    for n in range(12):
        feed.service.push(
            [feed.line(f"line {n}-{m}", seconds=n) for m in range(100)], late_seconds=4
        )
        feed.page.wait_for_timeout(500)
    feed.page.wait_for_function(
        "[...globalThis.__logstream.feeds.values()][0].source.speed.isLight"
    )
    expect_rung(feed, "push")
    assert feed.service.negotiated[-1]["light"] is True
    words = feed.page.locator(".sampled-words")
    for n in range(30):
        feed.service.push([feed.line(f"more {n}-{m}", seconds=20 + n) for m in range(100)])
        if re.search(r"showing \d+ of \d+ lines/s: slow connection", words.inner_text()):
            break
        feed.page.wait_for_timeout(200)
    expect(feed.pill).to_have_text("live · slow line")
    expect(words).to_contain_text("slow connection")


def test_a_flood_is_sampled_in_exact_words_and_the_rest_can_be_loaded(feed: Feed) -> None:
    feed.open()
    feed.service.push([feed.line("quiet")])
    feed.expect_loaded("quiet")
    feed.page.wait_for_timeout(5000)
    lines = [feed.line(f"line {n}", seconds=1 + n / 1000) for n in range(5000)]
    for start in range(0, 5000, 1000):
        feed.service.push(lines[start : start + 1000], shown=200)
    words = feed.page.locator(".sampled-words")
    expect(words).to_contain_text("lines/s")
    left_out = "[...globalThis.__logstream.feeds.values()][0].source.skipped"
    skipped = feed.page.evaluate(left_out)
    # The first two thousand of a second are loaded whole; of later frames 800 are left out each.
    assert skipped in (800, 1600, 2400)
    # Over the window of five seconds.
    shown, matching = (5000 - skipped) // 5, 1000
    expect(words).to_have_text(f"showing {shown:,} of {matching:,} lines/s")
    feed.page.get_by_role("button", name="Load the rest").click()
    expect_every_line_once(feed, *(f"line {n}" for n in reversed(range(5000))), "quiet")
    assert feed.page.evaluate(left_out) == 0
    expect(words).not_to_contain_text("left out")


def test_a_narrow_filter_loses_no_line_of_a_flood(feed: Feed) -> None:
    feed.open("?severity=error")
    lines = [
        feed.line(f"line {n}", seconds=n / 1000, severity_number=17 if n % 100 == 7 else 9)
        for n in range(10_000)
    ]
    for start in range(0, 10_000, 1000):
        feed.service.push(lines[start : start + 1000], shown=50)
    expect_every_line_once(feed, *(f"line {n}" for n in reversed(range(7, 10_000, 100))))
    expect(feed.page.locator(".sampled")).to_be_hidden()


def test_a_hidden_tab_with_a_backlog_catches_up_in_one_go(feed: Feed) -> None:
    refuse_sockets(feed.page)
    feed.page.goto(feed.address)
    expect_rung(feed, "relay")
    feed.page.evaluate(
        "globalThis.isAway = true; document.dispatchEvent(new Event('visibilitychange'));"
        "Object.defineProperty(document, 'hidden', {get: () => isAway, configurable: true})"
    )
    feed.page.wait_for_timeout(1000)
    asked = len(feed.service.asked)
    for n in range(100):
        feed.service.push([feed.line(f"line {n}-{m}", seconds=n + m / 10) for m in range(9)])
    feed.page.evaluate(
        "globalThis.isAway = false; document.dispatchEvent(new Event('visibilitychange'))"
    )
    expect_every_line_once(
        feed, *(f"line {n}-{m}" for n in reversed(range(100)) for m in reversed(range(9)))
    )
    assert len(feed.service.asked) - asked <= 2


def test_sampled_frames_of_a_recovered_backlog_are_loaded_whole(feed: Feed) -> None:
    feed.open()
    feed.service.push([feed.line("before")])
    feed.expect_loaded("before")
    feed.service.refuses_sockets = True
    feed.service.cut_sockets()
    lines = [feed.line(f"line {n}", seconds=1 + n / 1000) for n in range(4000)]
    for start in range(0, 4000, 500):
        feed.service.push(lines[start : start + 500], shown=50)
        feed.page.wait_for_timeout(400)
    feed.service.refuses_sockets = False
    feed.page.evaluate("window.dispatchEvent(new Event('online'))")
    expect_every_line_once(feed, *(f"line {n}" for n in reversed(range(4000))), "before")
    expect(feed.page.locator(".sampled-words")).not_to_contain_text("left out")


def test_a_cut_too_long_to_be_filled_is_said_where_lines_are_missing(feed: Feed) -> None:
    feed.open()
    feed.service.push([feed.line("before")])
    feed.expect_loaded("before")
    lines = [feed.line(f"line {n}", seconds=1 + n / 1000) for n in range(15_500)]
    feed.service.store(lines)
    feed.service.forget_sessions()
    live = "[...globalThis.__logstream.feeds.values()][0]"
    feed.page.wait_for_function(f"{live}.store.gaps.all.length === 1", timeout=60_000)
    newest = [f"line {n}" for n in reversed(range(500, 15_500))]
    expect_every_line_once(feed, *newest, "before")
    feed.page.evaluate(f"{live}.store.gaps.load({live}.store.gaps.all[0], {live})")
    older = [f"line {n}" for n in reversed(range(500))]
    expect_every_line_once(feed, *newest, *older, "before")
    assert feed.page.evaluate(f"{live}.store.gaps.all.length") == 0

"""Playing the past in the feed, over a stand-in service with the real filter."""

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Locator, expect

from logstream.model import LogLine
from tests.pages.feed_tab import SECOND, Feed

pytestmark = pytest.mark.browser
expect.set_options(timeout=15_000)


class Past(Feed):
    """A feed tab that plays the past; seconds count from when the test began."""

    def __init__(self, feed: Feed) -> None:
        self.__dict__.update(feed.__dict__)
        self.bar = self.page.get_by_test_id("player")
        self.play = self.bar.get_by_role("button", name=re.compile("^(Play|Pause)$"))
        self.slider = self.bar.get_by_role("slider")

    def iso(self, seconds: float) -> str:
        moment = datetime.fromtimestamp(self.now // SECOND + seconds, UTC)
        return moment.isoformat().replace("+00:00", "Z")

    def received(
        self, body: str, seconds: float, *, stamped: float | None = None, **fields: Any
    ) -> LogLine:
        """A line received then, and stamped so too unless said otherwise."""
        base = self.now // SECOND * SECOND
        fields["observed_unix_nano"] = base + int(seconds * SECOND)
        at = seconds if stamped is None else stamped
        return self.line(body, timestamp_unix_nano=base + int(at * SECOND), **fields)

    def go(self, seconds: float, **parameters: str) -> None:
        self.open(f"?{urlencode({'at': self.iso(seconds), **parameters})}", "playback")

    def position(self) -> float:
        """Seconds, as `received` counts them."""
        ms: int = self.page.evaluate(
            "() => [...__logstream.feeds.values()][0].player.source.position"
        )
        return ms / 1000 - self.now // SECOND

    def query(self) -> dict[str, str]:
        return {name: one[-1] for name, one in parse_qs(urlsplit(self.page.url).query).items()}


@pytest.fixture
def past(feed: Feed) -> Past:
    return Past(feed)


def part(past: Past, selector: str) -> Locator:
    return past.bar.locator(selector)


def test_a_late_line_is_absent_until_the_position_passes_its_arrival(past: Past) -> None:
    past.service.store(
        [
            past.received("on time", -60),
            past.received("late", -50, stamped=-70),
            past.received("after", -30),
        ]
    )
    past.go(-55)
    past.expect_loaded("on time")
    expect(past.bar).to_contain_text("Not live: as it looked at")
    part(past, ".next").click()
    # Its own time is the older one.
    past.expect_loaded("on time", "late")
    part(past, ".next").click()
    past.expect_loaded("after", "on time", "late")


def test_a_moment_before_any_line_leads_to_the_first(past: Past) -> None:
    past.service.store([past.received("the first", -40, stamped=-300)])
    past.go(-200)
    panel = past.page.locator(".panel")
    expect(panel).to_contain_text("None had been received by this moment")
    panel.get_by_role("button", name="Go to the next line").click()
    past.expect_loaded("the first")
    expect(panel).to_be_hidden()


def test_playing_brings_lines_in_their_order_and_stops_at_the_present(past: Past) -> None:
    lines = [past.received(f"order {n} paid", -30 + n) for n in range(20)]
    past.service.store(lines)
    past.go(-31)
    past.expect_loaded()
    past.page.evaluate(
        """() => { globalThis.told = []
            __logstream.events.addEventListener("frame", ({ detail }) => told.push(detail)) }"""
    )
    part(past, ".speeds").get_by_text("10×", exact=True).click()
    past.play.click()
    expect(past.pill).to_have_text("playback 10×")
    past.expect_loaded(*[f"order {n} paid" for n in reversed(range(20))])
    expect(past.bar).to_contain_text("The present is reached")
    expect(past.pill).to_have_text("playback, paused")
    # Every line was counted once, and as one of its own minute.
    told = past.page.evaluate("told")
    assert all(frame["isPlayback"] and frame["isFiltered"] for frame in told)
    assert sum(frame["total"] for frame in told) == 20
    minutes = {line.timestamp_unix_nano // (60 * SECOND) * 60 for line in lines}
    assert {count["minute"] for frame in told for count in frame["counts"]} == minutes
    sent = [frame["sentUnixMs"] for frame in told]
    assert sent == sorted(sent)
    past.play.click()
    expect(past.bar).to_be_hidden()
    past.page.wait_for_function("/^(live|listening)$/.test(__logstream.status.state)")


def test_an_idle_gap_is_jumped_in_words_or_played_when_asked(past: Past) -> None:
    past.service.store([past.received("before", -600), past.received("after", -400)])
    past.service.store([past.received(f"order {n}", -398 + n) for n in range(100)])
    past.go(-590)
    past.play.click()
    past.page.wait_for_function("[...__logstream.feeds.values()][0].store.rows.length >= 2")
    expect(past.bar).to_contain_text("Skipped 3 min without lines")
    past.go(-590)
    past.bar.get_by_label("Skip idle").uncheck()
    past.play.click()
    past.page.wait_for_timeout(1500)
    assert past.loaded() == ["before"]
    past.page.reload()
    expect(past.bar.get_by_label("Skip idle")).not_to_be_checked()


def test_the_url_holds_the_position_and_back_leads_to_the_moment_before(past: Past) -> None:
    past.service.store([past.received(f"order {n} paid", -300 + 10 * n) for n in range(20)])
    past.go(-250)
    past.expect_loaded(*[f"order {n} paid" for n in (4, 3, 2, 1, 0)])
    length = past.page.evaluate("history.length")
    past.play.click()
    past.page.wait_for_function("new URLSearchParams(location.search).get('speed') === '1'")
    past.page.wait_for_function(
        f"new URLSearchParams(location.search).get('at') >= '{past.iso(-248)}'"
    )
    past.play.click()
    expect(past.play).to_have_text("Play")
    stood = past.position()
    assert "speed" not in past.query()
    # Playing on left no trace in the browser's history; a seek is one step.
    assert past.page.evaluate("history.length") == length
    part(past, ".back").click()
    past.page.wait_for_function(f"history.length === {length} + 1")
    past.page.wait_for_timeout(1500)
    assert past.position() == pytest.approx(stood - 10, abs=0.01)
    past.page.go_back()
    past.page.wait_for_timeout(1500)
    assert past.position() == pytest.approx(stood, abs=0.01)
    past.page.go_forward()
    past.page.wait_for_timeout(1500)
    assert past.position() == pytest.approx(stood - 10, abs=0.01)
    past.page.reload()
    expect(past.bar).to_be_visible()
    assert past.position() == pytest.approx(stood - 10, abs=0.01)
    part(past, ".to-live").click()
    expect(past.bar).to_be_hidden()
    past.page.wait_for_function("!location.search.includes('at=')")
    past.page.go_back()
    expect(past.bar).to_be_visible()
    assert past.position() == pytest.approx(stood - 10, abs=0.01)


def test_a_filter_keeps_the_position(past: Past) -> None:
    for n in range(20):
        severity = 17 if n % 2 else 9
        past.service.store([past.received(f"order {n}", -300 + n, severity_number=severity)])
    past.go(-290)
    part(past, ".next").click()
    past.page.wait_for_timeout(300)
    stood = past.position()
    past.page.get_by_role("button", name="Errors only").click()
    past.expect_loaded(*[f"order {n}" for n in (9, 7, 5, 3, 1)])
    assert past.position() == stood
    part(past, ".next").click()
    past.expect_loaded(*[f"order {n}" for n in (11, 9, 7, 5, 3, 1)])


def test_opening_a_line_holds_the_position_until_play(past: Past) -> None:
    past.service.store([past.received(f"order {n}", -300 + n * 0.2) for n in range(900)])
    past.go(-290)
    past.play.click()
    expect(past.pill).to_have_text("playback 1×")
    past.rows.nth(3).click()
    expect(past.drawer).to_be_visible()
    expect(past.pill).to_have_text("playback, paused")
    stood, loaded = past.position(), past.loaded()
    past.page.wait_for_timeout(1500)
    assert (past.position(), past.loaded()) == (stood, loaded)
    past.page.keyboard.press("p")
    expect(past.pill).to_have_text("playback 1×")
    expect(past.drawer).to_be_visible()
    past.page.wait_for_function(
        f"[...__logstream.feeds.values()][0].store.rows.length > {len(loaded)}"
    )


def test_reading_slower_than_playing_holds_the_position(past: Past) -> None:
    past.service.store([past.received(f"order {n}", -600 + n * 0.5) for n in range(400)])
    past.service.delay_seconds = 1.5
    past.go(-590, speed="100")
    expect(past.bar).to_contain_text("Loading …")
    past.expect_loaded(*[f"order {n}" for n in reversed(range(400))])
    assert len(past.service.asked_received) < 20


def test_more_lines_than_can_be_shown_are_sampled_and_said_so(past: Past) -> None:
    past.service.store([past.received(f"order {n}", -600 + n * 0.005) for n in range(60_000)])
    past.go(-595, speed="100")
    expect(past.bar).to_contain_text(re.compile(r"Showing \d[\d,]* of \d[\d,]* lines/s"))


def test_a_service_that_fails_is_told_and_playing_goes_on_when_it_is_back(past: Past) -> None:
    past.service.store([past.received(f"order {n}", -300 + n) for n in range(100)])
    past.go(-299.5)
    past.expect_loaded("order 0")
    past.service.is_broken = True
    part(past, ".speeds").get_by_text("20×", exact=True).click()
    past.play.click()
    expect(past.bar).to_contain_text("the database cannot be reached")
    past.service.is_broken = False
    past.expect_loaded(*[f"order {n}" for n in reversed(range(100))])


def test_a_line_can_be_played_from(past: Past) -> None:
    lines = [past.received(f"order {n}", -120 + n * 10) for n in range(4)]
    past.service.store(lines)
    past.open()
    past.expect_loaded("order 3", "order 2", "order 1", "order 0")
    past.rows.nth(2).click()
    past.drawer.get_by_role("button", name="Play from here").click()
    expect(past.pill).to_have_text("playback 1×")
    past.expect_loaded("order 1", "order 0")
    expect(past.drawer).to_be_hidden()
    # A click on the pill leads back.
    past.pill.click()
    past.expect_loaded("order 3", "order 2", "order 1", "order 0")


def test_the_bar_is_complete_by_keyboard(past: Past) -> None:
    past.service.store([past.received(f"order {n}", -300 + n) for n in range(100)])
    past.go(-250)
    past.slider.focus()
    before = past.position()
    past.page.keyboard.press("ArrowLeft")
    past.page.wait_for_function(
        "before => [...__logstream.feeds.values()][0].player.source.position < before",
        arg=(past.now // SECOND + before) * 1000,
    )
    assert past.position() < before
    past.page.keyboard.press(" ")
    expect(past.pill).to_have_text("playback 1×")
    past.page.keyboard.press(">")
    expect(past.pill).to_have_text("playback 2×")
    past.page.keyboard.press("p")
    expect(past.pill).to_have_text("playback, paused")
    stood = past.position()
    past.page.keyboard.press(".")
    past.page.wait_for_function(
        "p => [...__logstream.feeds.values()][0].player.source.position > p",
        arg=past.now // SECOND * 1000 + stood * 1000,
    )
    names = past.bar.locator("button:visible, input:visible, select:visible").evaluate_all(
        """all => all.map(el => el.getAttribute("aria-label") || el.textContent.trim()
            || el.labels?.[0]?.textContent.trim())"""
    )
    assert all(names), names

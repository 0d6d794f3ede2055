"""The strip above the feed in a real Chromium: bars that grow, settle and choose time."""

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.pages.feed_tab import running_streamlit

pytestmark = pytest.mark.browser
HARNESS = Path(__file__).with_name("strip_harness.py")
MINUTE = 60
# Monday 2026-11-23 09:23 UTC, the current minute, and 20 s into it; the browser's clock stands.
CURRENT = 1_795_425_780
NOW_MS = (CURRENT + 20) * 1000
# Berlin leaves summer time on 2026-10-25 at 01:00 UTC.
AUTUMN = 1_792_890_000


class Strip:
    """One tab on the harness, and the answers that its database gives."""

    def __init__(self, page: Page, address: str, answers: Path) -> None:
        self.page, self.address, self.answers = page, address, answers
        self.asked_log = answers.with_suffix(".asked")
        self.asked_log.unlink(missing_ok=True)
        self.legend = page.locator(".st-key-trend .legend")
        self.plot = page.locator(".st-key-trend .plot")
        self.tip = page.locator(".st-key-trend .tip")
        self.columns = page.locator(".st-key-trend .column")
        self.sequence = 0
        self.set_clock(NOW_MS)

    def answer(
        self,
        *counts: tuple[int, int, int],
        as_of_ms: int = NOW_MS,
        url: dict[str, str] | None = None,
        width: int = MINUTE,
        last: int = CURRENT,
        severities: dict[str, int] | None = None,
        **others: Any,
    ) -> None:
        """The database says these (total, errors, warnings), the bucket `last` last."""
        first = last - (len(counts) - 1) * width
        content = {
            "filter": url or {"range": f"{len(counts)}m"},
            "buckets": [(first + place * width, *count) for place, count in enumerate(counts)],
            "asOfMs": as_of_ms,
            "bucketSeconds": width,
            "timezone": "UTC",
            "back": "",
            "isPlayed": False,
            "severities": severities or {},
            **others,
        }
        draft = self.answers.with_suffix(".draft")
        draft.write_text(json.dumps(content))
        draft.replace(self.answers)

    def set_clock(self, unix_ms: int) -> None:
        self.page.clock.set_fixed_time(unix_ms / 1000)

    def open(self) -> None:
        self.page.goto(self.address)
        expect(self.columns.first).to_be_attached(timeout=60_000)

    def frame(
        self,
        count: int,
        severity: str = "info",
        *,
        minute: int = CURRENT,
        source: str = "checkout",
        environment: str = "production",
        sent_ms: int = NOW_MS + 1000,
        **others: Any,
    ) -> None:
        """The feed hears of lines."""
        self.sequence += 1
        frame = {
            "type": "frame",
            "environment": environment,
            "publisher": "p",
            "sequence": self.sequence,
            "total": count,
            "counts": [
                {
                    "source": source,
                    "severity": severity,
                    "minute": minute,
                    "count": count,
                }
            ],
            "lines": [],
            "sentUnixMs": sent_ms,
            **others,
        }
        self.page.evaluate(
            "frame => globalThis.__logstream.events.dispatchEvent("
            "new CustomEvent('frame', { detail: frame }))",
            frame,
        )

    def totals(self) -> list[int]:
        """The total of every bucket as the component holds it, oldest first."""
        return self.page.evaluate(
            "[...globalThis.__logstream.trends.values()][0].buckets.map(bucket => bucket.total)"
        )

    def severity(self, word: str) -> str:
        row = self.page.locator(".st-key-breakdown button").filter(has_text=word)
        return row.locator(".count").inner_text()

    def x_of(self, place: int, share: float = 0.5) -> float:
        """The middle of a bucket, in pixels of the page; negative places count from the end."""
        return self.page.evaluate(
            """([place, share]) => {
                const trend = [...globalThis.__logstream.trends.values()][0];
                const at = place < 0 ? trend.buckets.length + place : place;
                return trend.plot.getBoundingClientRect().left + trend.bars.edge(at)
                    + trend.bars.size.step * share;
            }""",
            [place, share],
        )

    @property
    def middle(self) -> float:
        box = self.plot.bounding_box()
        assert box is not None
        return box["y"] + box["height"] / 2

    def asked(self, count: int = 1) -> list[list[int | None]]:
        """What Python was told, once it was told that often."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            found = self._asked()
            if len(found) >= count:
                return found
            self.page.wait_for_timeout(50)
        return self._asked()

    def _asked(self) -> list[list[int | None]]:
        if not self.asked_log.exists():
            return []
        return [json.loads(line) for line in self.asked_log.read_text().splitlines()]

    def until(self, holds: Callable[[], bool], seconds: float = 10) -> None:
        deadline = time.monotonic() + seconds
        while not holds() and time.monotonic() < deadline:
            self.page.wait_for_timeout(50)
        assert holds()


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("strip") / "answer.json"


@pytest.fixture(scope="module")
def strip_address(answers: Path) -> Iterator[str]:
    log = answers.with_suffix(".log")
    with running_streamlit(HARNESS, log, {"STRIP_ANSWER": str(answers)}) as address:
        yield address


@pytest.fixture
def strip(browser: Browser, strip_address: str, answers: Path) -> Iterator[Strip]:
    """A tab on the strip; fails on any script error."""
    context = browser.new_context(viewport={"width": 1280, "height": 500})
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield Strip(page, strip_address, answers)
    context.close()
    assert errors == []


def test_the_current_minute_grows_with_every_frame_and_so_do_the_totals(strip: Strip) -> None:
    strip.answer((100, 2, 5), (10, 0, 1), severities={"info": 102, "error": 2, "warn": 6})
    strip.open()
    expect(strip.legend).to_contain_text("110 lines")
    strip.frame(7)
    strip.frame(3, "fatal")
    strip.frame(2, "warn", minute=CURRENT - MINUTE)
    # 110 + 7 + 3 + 2; fatal counts as an error; the last frame is of the minute before.
    expect(strip.legend).to_contain_text("122 lines")
    expect(strip.legend).to_contain_text("5 errors")
    expect(strip.legend).to_contain_text("8 warnings")
    assert strip.totals() == [102, 20]
    strip.until(lambda: (strip.severity("info"), strip.severity("fatal")) == ("109", "3"))
    expect(strip.plot).to_have_attribute(
        "aria-label", re.compile(r"^122 lines, 5 errors in the last 15 min; most at \d\d:\d\d$")
    )


def test_an_answer_replaces_the_frames_before_it_and_never_counts_a_line_twice(
    strip: Strip,
) -> None:
    strip.answer((10, 0, 0), (10, 0, 0))
    strip.open()
    strip.frame(5)
    strip.frame(4, sent_ms=NOW_MS + 2000)
    expect(strip.legend).to_contain_text("29 lines")
    # Asked after the first of them was sent, before the second.
    strip.answer((10, 0, 0), (15, 0, 0), as_of_ms=NOW_MS + 1500)
    strip.until(lambda: _as_of(strip) == NOW_MS + 1500)
    assert strip.totals() == [10, 19]
    # The same frame told twice (two ways to the browser) counts once.
    strip.sequence -= 1
    strip.frame(4, sent_ms=NOW_MS + 2000)
    strip.page.wait_for_timeout(500)
    assert strip.totals() == [10, 19]


def test_a_growing_count_never_jumps_back_when_an_answer_comes(strip: Strip) -> None:
    """A thousand lines a second in frames of 100; each answer holds what landed until asked."""
    strip.answer((0, 0, 0), (0, 0, 0))
    strip.open()
    seen, landed = [0], 0
    for tenth in range(1, 41):
        landed += 100
        now = NOW_MS + tenth * 100
        if tenth % 10 == 0:
            # 60 of these 100 lines landed before the question; their frame comes after it.
            strip.answer((0, 0, 0), (landed - 40, 0, 0), as_of_ms=now - 40)
            strip.until(lambda now=now: _as_of(strip) == now - 40)
            seen.append(strip.totals()[-1])
        strip.frame(100, sent_ms=now)
        strip.page.wait_for_timeout(50)
        seen.append(strip.totals()[-1])
        assert seen[-1] <= landed
    assert seen == sorted(seen)
    strip.answer((0, 0, 0), (landed, 0, 0), as_of_ms=NOW_MS + 5000)
    strip.until(lambda: strip.totals() == [0, 4000])


def test_only_frames_that_the_filter_allows_are_counted(strip: Strip) -> None:
    strip.answer(
        (0, 0, 0),
        (0, 0, 0),
        url={"range": "2m", "env": "production", "service": "-cart", "severity": "error"},
    )
    strip.open()
    strip.frame(1, "error")
    strip.frame(10, "info")
    strip.frame(100, "error", source="cart")
    strip.frame(1000, "error", environment="staging")
    strip.frame(5, "error", minute=CURRENT - 10 * MINUTE)
    expect(strip.legend).to_contain_text("1 line")
    assert strip.totals() == [0, 1]


def test_with_words_only_the_database_counts_but_filtered_frames_are_taken(strip: Strip) -> None:
    strip.answer((3, 0, 0), (4, 0, 0), url={"range": "2m", "q": "timeout"})
    strip.open()
    strip.frame(50)
    strip.frame(2, isFiltered=True)
    expect(strip.legend).to_contain_text("9 lines")


def test_an_unfinished_minute_looks_so_and_lines_that_came_late_are_told(strip: Strip) -> None:
    strip.answer((40, 0, 0), (50, 0, 0), (60, 0, 0), (7, 0, 0))
    strip.open()
    states = [column.get_attribute("class") for column in strip.columns.all()]
    assert states == ["column settled", "column settled", "column young", "column open"]
    strip.page.mouse.move(strip.x_of(-1), strip.middle)
    expect(strip.tip).to_contain_text("still filling")
    late = strip.columns.nth(0).locator(".late")
    assert late.get_attribute("height") == "0"
    # The oldest minute ended more than a minute ago; now the database knows 12 lines more.
    strip.answer((52, 0, 0), (50, 0, 0), (61, 0, 0), (9, 0, 0))
    expect(late).not_to_have_attribute("height", "0")
    strip.page.mouse.move(strip.x_of(0), strip.middle)
    expect(strip.tip).to_contain_text("52 lines")
    expect(strip.tip).to_contain_text("+12 came late")
    strip.page.mouse.move(strip.x_of(2), strip.middle)
    expect(strip.tip).to_contain_text("61 lines")
    expect(strip.tip).not_to_contain_text("came late")


def test_few_errors_among_many_lines_are_seen(strip: Strip) -> None:
    strip.answer((10_000, 1, 0), (10_000, 100, 0), (10_000, 30, 0), (0, 0, 0))
    strip.open()

    def height(place: int, part: str) -> float:
        text = strip.columns.nth(place).locator(f".{part}").get_attribute("height")
        return float(text or 0)

    assert height(0, "error") >= 2 and height(0, "alone") >= 2
    # In their own row a hundredth of the lines fills the height; 30 of 100 a third of it.
    assert height(1, "alone") == 20
    assert height(2, "alone") == 6
    assert height(3, "alone") == 0 == height(3, "rest")


def test_a_drag_chooses_whole_buckets_and_says_so_while_dragging(strip: Strip) -> None:
    strip.answer(*[(10 * place, 0, 0) for place in range(1, 11)])
    strip.open()
    first = CURRENT - 9 * MINUTE
    strip.page.mouse.move(strip.x_of(2, 0.9), strip.middle)
    strip.page.mouse.down()
    strip.page.mouse.move(strip.x_of(4, 0.1), strip.middle, steps=6)
    # 30 + 40 + 50 lines of the third to the fifth minute.
    expect(strip.legend).to_contain_text(re.compile(r"\d\d:\d\d – \d\d:\d\d, 3 min, 120 lines"))
    # The database answers meanwhile: the brush stays.
    strip.answer(*[(11 * place, 0, 0) for place in range(1, 11)])
    expect(strip.legend).to_contain_text("3 min, 132 lines")
    assert strip.asked(count=0) == []
    strip.page.mouse.up()
    assert strip.asked() == [[first + 2 * MINUTE, first + 5 * MINUTE]]


def test_a_click_chooses_one_bucket_and_a_double_click_or_escape_the_time_before(
    strip: Strip,
) -> None:
    strip.answer((10, 0, 0), (20, 0, 0), (30, 0, 0), back="last 15 min")
    strip.open()
    strip.page.mouse.click(strip.x_of(1), strip.middle)
    bucket = [CURRENT - MINUTE, CURRENT]
    assert strip.asked() == [bucket]
    strip.page.mouse.dblclick(strip.x_of(1), strip.middle)
    assert strip.asked(count=2) == [bucket, [None, None]]
    strip.page.keyboard.press("Escape")
    assert strip.asked(count=3)[2:] == [[None, None]]
    strip.page.get_by_role("button", name="last 15 min").click()
    assert strip.asked(count=4)[3:] == [[None, None]]
    strip.page.wait_for_timeout(500)
    assert len(strip.asked()) == 4, "the double click also chose a bucket"


def test_keys_move_over_buckets_and_choose(strip: Strip) -> None:
    strip.answer((10, 1, 0), (20, 0, 0), (30, 0, 3))
    strip.open()
    strip.plot.focus()
    strip.page.keyboard.press("ArrowRight")
    expect(strip.tip).to_contain_text("30 lines")
    strip.page.keyboard.press("ArrowLeft")
    expect(strip.tip).to_contain_text("20 lines")
    strip.page.keyboard.press("Home")
    expect(strip.tip).to_contain_text("10 lines")
    expect(strip.page.locator(".said")).to_contain_text("1 error, 10 %")
    strip.page.keyboard.press("Enter")
    first = CURRENT - 2 * MINUTE
    assert strip.asked() == [[first, first + MINUTE]]
    strip.page.keyboard.press("ArrowLeft")
    strip.page.keyboard.press("Shift+ArrowRight")
    expect(strip.legend).to_contain_text("2 min, 30 lines")
    strip.page.keyboard.press("Enter")
    assert strip.asked(count=2)[1] == [first, first + 2 * MINUTE]


def test_a_finger_chooses_too(browser: Browser, strip_address: str, answers: Path) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 700}, has_touch=True)
    strip = Strip(context.new_page(), strip_address, answers)
    strip.answer((10, 0, 0), (20, 0, 0), (30, 0, 0))
    strip.open()
    strip.page.touchscreen.tap(strip.x_of(0), strip.middle)
    first = CURRENT - 2 * MINUTE
    assert strip.asked() == [[first, first + MINUTE]]
    devtools = context.new_cdp_session(strip.page)
    for kind, place in [("touchStart", 0), ("touchMove", 1), ("touchMove", 1), ("touchEnd", None)]:
        points = [] if place is None else [{"x": strip.x_of(place), "y": strip.middle}]
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    assert strip.asked(count=2)[1] == [first, first + 2 * MINUTE]
    context.close()


def test_times_are_of_the_chosen_zone_also_where_its_clocks_change(strip: Strip) -> None:
    hours = [(count, 0, 0) for count in range(1, 9)]
    start = AUTUMN - 4 * 3600
    strip.answer(
        *hours,
        url={
            "from": _iso(start),
            "to": _iso(start + 8 * 3600),
        },
        width=3600,
        last=start + 7 * 3600,
        timezone="Europe/Berlin",
    )
    strip.open()
    # 21:00 UTC is 23:00 in summer time; from 01:00 UTC on it is one hour ahead of UTC.
    strip.page.mouse.move(strip.x_of(0), strip.middle)
    expect(strip.tip).to_contain_text("Sat 24 Oct 23:00 – Sun 25 Oct 00:00 Berlin")
    strip.page.mouse.move(strip.x_of(3), strip.middle)
    expect(strip.tip).to_contain_text("Sun 25 Oct 02:00 – 02:00 Berlin")
    strip.page.mouse.move(strip.x_of(4), strip.middle)
    expect(strip.tip).to_contain_text("Sun 25 Oct 02:00 – 03:00 Berlin")
    labels = strip.page.locator(".st-key-trend text.time").all_text_contents()
    assert labels == ["23:00", "Sun 25 Oct", "01:00", "02:00", "03:00", "04:00", "05:00"]


def test_a_relative_range_moves_on_with_the_clock_by_itself(strip: Strip) -> None:
    # The browser's clock is an hour slow; the answer's moment tells the time.
    strip.set_clock(NOW_MS - 3_600_000)
    strip.answer((1, 0, 0), (2, 0, 0), (3, 0, 0))
    strip.open()
    expect(strip.columns.last).to_have_attribute("data-start", str(CURRENT))
    strip.set_clock(NOW_MS - 3_600_000 + 41_000)
    expect(strip.columns.last).to_have_attribute("data-start", str(CURRENT + MINUTE))
    assert strip.totals() == [2, 3, 0]


def test_a_played_moment_is_the_end_of_the_window_and_marked(strip: Strip) -> None:
    played = CURRENT - 3600
    strip.answer(*[(5, 0, 0)] * 3, last=played, as_of_ms=(played + 30) * 1000, isPlayed=True)
    strip.open()
    position = strip.page.locator(".st-key-trend .position")
    expect(position).to_have_css("display", "inline")
    strip.frame(9)  # live lines are not part of what is played
    strip.frame(
        4, sent_ms=(played + 70) * 1000, minute=played + MINUTE, isPlayback=True, isFiltered=True
    )
    expect(strip.columns.last).to_have_attribute("data-start", str(played + MINUTE))
    assert strip.totals() == [5, 5, 4]
    # Back before the frame: what it told is not yet.
    strip.frame(0, sent_ms=(played + 40) * 1000, isPlayback=True, isFiltered=True)
    expect(strip.columns.last).to_have_attribute("data-start", str(played))
    assert strip.totals() == [5, 5, 5]


def test_an_empty_store_draws_a_flat_axis(strip: Strip) -> None:
    strip.answer(*[(0, 0, 0)] * 15)
    strip.open()
    expect(strip.legend).to_contain_text("0 lines")
    expect(strip.columns).to_have_count(15)
    expect(strip.page.locator(".st-key-trend text.time").first).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_refreshing_replaces_nothing_and_moves_nothing(strip: Strip, scheme: Any) -> None:
    strip.page.emulate_media(color_scheme=scheme)
    strip.answer((1, 0, 0), (2000, 2, 0))
    strip.open()
    strip.columns.first.evaluate("element => { element.dataset.mark = 'same' }")
    strip.page.evaluate(
        """() => { globalThis.shift = 0; new PerformanceObserver(list => {
            for (const entry of list.getEntries()) globalThis.shift += entry.value;
        }).observe({ type: 'layout-shift', buffered: false }) }"""
    )
    for count in range(3, 8):
        strip.answer((1, 0, 0), (count * 1000, count, 0))
        expect(strip.legend).to_contain_text(f"{count},001 lines")
    assert strip.columns.first.get_attribute("data-mark") == "same"
    assert strip.page.evaluate("globalThis.shift") == 0


def _as_of(strip: Strip) -> int:
    return strip.page.evaluate("[...globalThis.__logstream.trends.values()][0].model.counts.asOfMs")


def _iso(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))

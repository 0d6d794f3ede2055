"""The live feed in a real Chromium: what the reader sees, keeps and never loses."""

import random
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from logstream.filter import Choice, LogFilter
from logstream.model import LogLine, to_datetime, to_unix_nano
from logstream.show.live_feed.feed import filter_for_browser
from logstream.show.palette import SERVICE_PALETTE, service_colour
from tests.pages.feed_tab import SECOND, Feed
from tests.random_searches import (
    a_random_message,
    a_random_test,
    a_random_tree,
    a_random_words,
    some_attributes,
)
from tests.search_examples import as_line, examples

pytestmark = pytest.mark.browser


def test_log_text_is_drawn_as_text_and_never_as_markup(feed: Feed) -> None:
    hostile = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>&amp;'
    feed.service.store(
        [feed.line(hostile, service_name="<b>shop</b>", attributes={"<i>": hostile})]
    )
    feed.open()
    expect(feed.rows.first.locator(".text")).to_have_text(hostile)
    feed.rows.first.click()
    expect(feed.drawer.locator(".whole pre")).to_have_text(hostile)
    assert feed.page.evaluate("window.hacked") is None
    inside = feed.page.locator(".feed, .drawer").locator("img, script, b, i")
    assert inside.count() == 0


def test_terminal_escapes_go_and_controls_are_shown_as_escapes(feed: Feed) -> None:
    feed.service.store([feed.line("\x1b[31mred\x1b[0m \x1b]0;title\x07bell\x07 \u202egnp.exe")])
    feed.open()
    expect(feed.rows.first.locator(".text")).to_have_text("red bell\\x07 \\u202egnp.exe")


def test_a_stack_trace_shows_its_first_line_and_how_many_more(feed: Feed) -> None:
    body = "ValueError: no stock\n" + "\n".join(f"  at frame {n}" for n in range(37))
    feed.service.store([feed.line(body)])
    feed.open()
    expect(feed.rows.first.locator(".text")).to_have_text("ValueError: no stock")
    expect(feed.rows.first.locator(".chip")).to_have_text("+37 lines")
    feed.page.keyboard.press("w")
    # Wrapped: the first 4 of 38 lines, so 34 are left.
    expect(feed.rows.first.locator(".chip")).to_have_text("+34 lines")
    feed.rows.first.locator(".chip").click()
    expect(feed.rows.first.locator(".text")).to_contain_text("at frame 36")


def test_order_is_timestamp_then_id_and_a_late_line_takes_its_place(feed: Feed) -> None:
    feed.service.store([feed.line("first", seconds=-30), feed.line("third", seconds=-10)])
    feed.open()
    feed.expect_loaded("third", "first")
    feed.service.push([feed.line("late", seconds=-20), feed.line("newest", seconds=-1)])
    feed.expect_loaded("newest", "third", "late", "first")
    same = {"timestamp_unix_nano": feed.now}
    feed.service.push([feed.line("tie a", **same), feed.line("tie b", **same)])
    feed.expect_loaded("tie b", "tie a", "newest", "third", "late", "first")
    expect(feed.rows).to_have_count(6)
    assert feed.drawn() == feed.loaded()


def test_nanoseconds_order_lines_of_one_millisecond(feed: Feed) -> None:
    start = feed.now // 1_000_000 * 1_000_000
    after = feed.line("after", timestamp_unix_nano=start + 2)
    before = feed.line("before", timestamp_unix_nano=start + 1)
    feed.open()
    feed.service.push([after, before])
    feed.expect_loaded("after", "before")


def test_a_lost_frame_and_a_capped_one_leave_neither_hole_nor_double(feed: Feed) -> None:
    feed.open()
    feed.service.push([feed.line("one", seconds=1)])
    feed.expect_loaded("one")
    feed.service.push([feed.line("two", seconds=2), feed.line("three", seconds=3)], lost=True)
    feed.service.push([feed.line("four", seconds=4)])
    feed.expect_loaded("four", "three", "two", "one")
    feed.service.push([feed.line(f"burst {n}", seconds=5 + n) for n in range(4)], shown=1)
    feed.expect_loaded(*(f"burst {n}" for n in (3, 2, 1, 0)), "four", "three", "two", "one")


def test_a_capped_frame_without_a_matching_line_asks_nothing(feed: Feed) -> None:
    feed.open("?severity=error")
    feed.service.push([feed.line(f"fine {n}") for n in range(3)], shown=1)
    feed.service.push([feed.line("broken", severity_number=17)])
    feed.expect_loaded("broken")
    assert [query for query in feed.service.asked if "fromId" in query] == []


def test_words_behind_the_cut_of_a_long_message_are_found(feed: Feed) -> None:
    feed.open("?q=needle")
    long = feed.line("x" * 9000 + " needle")
    feed.service.push([long, feed.line("y" * 9000, seconds=1)], cut=8192)
    feed.expect_loaded(long.body)


@pytest.mark.parametrize("q", ["size.x:1", "-size.x:2"])
def test_attributes_that_a_frame_left_out_are_asked_for(feed: Feed, q: str) -> None:
    feed.open(f"?q={q}")
    long = {"padding": "x" * 300}
    feed.service.push(
        [
            feed.line("meant", attributes={**long, "size": {"x": 1}}),
            feed.line("not meant", attributes={**long, "size": {"x": 2}}),
        ],
        cut=100,
    )
    feed.expect_loaded("meant")


def test_a_message_that_was_cut_is_fetched_whole_for_the_drawer(feed: Feed) -> None:
    feed.open()
    feed.service.push([feed.line("head\n" + "z" * 9000 + "\ntail")], cut=100)
    expect(feed.rows).to_have_count(1)
    feed.rows.first.click()
    expect(feed.drawer.locator(".whole pre")).not_to_contain_text("tail")
    feed.drawer.get_by_role("button", name="Show all").click()
    expect(feed.drawer.locator(".whole pre")).to_contain_text("tail")


def test_scrolling_away_holds_the_lines_and_the_newest_end_resumes(feed: Feed) -> None:
    feed.service.store([feed.line(f"old {n}", seconds=n - 300) for n in range(200)])
    feed.open()
    expect(feed.rows.first).to_be_visible()
    feed.page.locator(".view").evaluate("view => { view.scrollTop = 1000 }")
    expect(feed.pill).to_have_attribute("data-state", "paused")
    before = feed.drawn()
    feed.service.push([feed.line(f"new {n}", seconds=n) for n in range(128)])
    expect(feed.news).to_have_text("128 new ↑")
    expect(feed.pill).to_have_text("paused, 128 new")
    assert feed.drawn() == before
    feed.page.locator(".view").evaluate("view => { view.scrollTop = 0 }")
    expect(feed.news).to_be_hidden()
    assert feed.loaded()[:2] == ["new 127", "new 126"]
    assert len(feed.loaded()) == 328


def test_the_pause_button_and_the_news_button_hold_and_resume(feed: Feed) -> None:
    feed.open()
    feed.service.push([feed.line("before")])
    feed.expect_loaded("before")
    feed.page.get_by_role("button", name="Pause").click()
    feed.service.push([feed.line("while paused", seconds=1)])
    expect(feed.news).to_have_text("1 new ↑")
    feed.expect_loaded("before")
    feed.news.click()
    feed.expect_loaded("while paused", "before")
    expect(feed.pill).to_have_attribute("data-state", "live")


def test_selecting_text_holds_the_lines(feed: Feed) -> None:
    feed.service.store([feed.line("a message worth copying")])
    feed.open()
    feed.rows.first.locator(".text").select_text()
    expect(feed.pill).to_have_attribute("data-state", "paused")
    feed.service.push([feed.line("next", seconds=1)])
    feed.expect_loaded("a message worth copying")


def test_opening_and_closing_a_line_changes_the_url_without_a_rerun(feed: Feed) -> None:
    feed.service.store([feed.line("order 17 failed", attributes={"user": {"id": "u-17"}})])
    feed.open("?q=order")
    reruns = feed.page.get_by_test_id("reruns")
    before = reruns.inner_text()
    feed.rows.first.click()
    expect(feed.drawer).to_contain_text("u-17")
    assert "line=1" in feed.page.url
    feed.page.keyboard.press("Escape")
    expect(feed.drawer).to_be_hidden()
    assert "line=" not in feed.page.url
    assert "q=order" in feed.page.url
    assert reruns.inner_text() == before


def test_an_open_line_survives_a_rerun_in_page_and_url(feed: Feed) -> None:
    feed.service.store([feed.line("order 17 failed")])
    feed.open()
    feed.rows.first.click()
    reruns = feed.page.get_by_test_id("reruns")
    before = int(reruns.inner_text())
    feed.page.keyboard.press("Escape")
    feed.page.get_by_role("button", name="Rerun").click()
    expect(reruns).to_have_text(str(before + 1))
    expect(feed.drawer).to_be_hidden()
    feed.rows.first.click()
    feed.page.evaluate(
        "[...document.querySelectorAll('button')].find(b => b.innerText === 'Rerun').click()"
    )
    expect(reruns).to_have_text(str(before + 2))
    expect(feed.drawer).to_contain_text("order 17 failed")
    assert "line=1" in feed.page.url


def test_an_attribute_of_an_open_line_can_be_asked_for(feed: Feed) -> None:
    feed.service.store(
        [
            feed.line("other", attributes={"http": {"code": 200}}),
            feed.line(
                "meant",
                seconds=1,
                attributes={"http": {"code": 503, "a.b": 1}, "list": [1], "user": "Ann Lee"},
            ),
        ]
    )
    feed.open()
    feed.rows.first.click()
    tools = feed.drawer.locator(".leaf")
    # What no search can ask for has no button: a dot inside a nested name, a list's item.
    expect(tools.filter(has_text="a.b").locator(".tool")).to_have_text(["column", "copy"])
    expect(feed.drawer.get_by_title("Show only lines with list")).to_have_count(0)
    feed.drawer.get_by_title("Hide lines with user Ann Lee").dispatch_event("click")
    feed.expect_loaded("other")
    assert "q=-user" in feed.page.url
    feed.page.go_back()
    feed.expect_loaded("meant", "other")
    feed.drawer.get_by_title("Show only lines with http.code 503").dispatch_event("click")
    feed.expect_loaded("meant")


def test_a_link_to_a_line_opens_it_even_when_the_filter_excludes_it(feed: Feed) -> None:
    feed.service.store([feed.line("quiet line"), feed.line("loud", severity_number=17)])
    feed.open("?severity=error&line=1", state="paused")
    expect(feed.drawer.locator(".whole")).to_have_text("quiet line")
    feed.expect_loaded("loud")
    assert "line=1" in feed.page.url


def test_a_line_that_is_gone_says_so(feed: Feed) -> None:
    feed.open("?line=404", state="paused")
    expect(feed.drawer).to_contain_text("Line 404 does not exist")


def test_show_trace_and_filter_buttons_reach_python_once(feed: Feed) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    feed.service.store(
        [feed.line("traced", trace_id=trace), feed.line("other", service_name="cart")]
    )
    feed.open()
    feed.rows.filter(has_text="traced").click()
    feed.page.get_by_role("button", name="Hide checkout").click(force=True)
    feed.page.wait_for_url("**service=-checkout**")
    feed.expect_loaded("other")
    feed.page.get_by_role("button", name="Lines of this trace").click()
    feed.page.wait_for_url(f"**trace={trace}**")
    feed.expect_loaded("traced")


def test_a_trace_is_a_link_in_the_drawer_and_in_its_column(feed: Feed) -> None:
    trace, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    feed.service.store(
        [feed.line("traced", trace_id=trace, span_id=span), feed.line("alone", service_name="cart")]
    )
    feed.open("?cols=time,trace,message&tz=UTC")
    links = feed.page.locator(".row .trace-link")
    expect(links).to_have_count(1)
    address = f"/traces?tz=UTC&trace={trace}&span={span}"
    assert (links.get_attribute("href") or "").endswith(address)
    # A new tab, and the row behind stays shut.
    with feed.page.context.expect_page() as opened:
        links.click(modifiers=["Control"])
    assert opened.value.url.endswith(address)
    opened.value.close()
    expect(feed.drawer).to_be_hidden()
    feed.rows.filter(has_text="traced").locator(".text").click()
    link = feed.drawer.get_by_role("link", name="Open trace")
    assert (link.get_attribute("href") or "").endswith(address)
    feed.rows.filter(has_text="alone").locator(".text").click(force=True)
    expect(link).to_have_count(0)


def test_keys_move_open_and_close(feed: Feed) -> None:
    feed.service.store([feed.line(f"line {n}", seconds=n) for n in range(3)])
    feed.open()
    expect(feed.rows).to_have_count(3)
    for key in ("j", "j", "k", "j"):
        feed.page.keyboard.press(key)
    expect(feed.page.locator(".row.selected .text")).to_have_text("line 1")
    feed.page.locator(".view").focus()
    feed.page.keyboard.press("Enter")
    expect(feed.drawer.locator(".whole")).to_have_text("line 1")
    feed.page.keyboard.press("k")
    expect(feed.drawer.locator(".whole")).to_have_text("line 2")
    feed.page.keyboard.press("Escape")
    expect(feed.drawer).to_be_hidden()


def test_a_filter_change_applies_to_loaded_and_live_lines_on_the_same_socket(feed: Feed) -> None:
    feed.service.store([feed.line("fine", seconds=1), feed.line("broken", severity_number=17)])
    feed.open()
    feed.expect_loaded("fine", "broken")
    feed.page.get_by_role("button", name="Errors only").click()
    feed.expect_loaded("broken")
    fatal = feed.line("worse", seconds=2, severity_number=21)
    error = feed.line("also broken", seconds=3, severity_number=18)
    feed.service.push([feed.line("fine too", seconds=2), fatal, error])
    feed.expect_loaded("also broken", "broken")
    assert feed.service.accepted == 1


def test_a_hidden_tab_keeps_up_without_animation_frames(feed: Feed) -> None:
    feed.open()
    feed.page.evaluate(
        """() => {
            Object.defineProperty(document, 'hidden', {get: () => true, configurable: true});
            window.requestAnimationFrame = () => { throw new Error('no frames while hidden'); };
        }"""
    )
    feed.service.push([feed.line("while hidden")])
    feed.expect_loaded("while hidden")
    expect(feed.rows).to_have_count(1)


def test_words_that_were_searched_are_marked(feed: Feed) -> None:
    feed.service.store([feed.line("Payment TIMEOUT for payment 9")])
    feed.open("?q=payment")
    expect(feed.rows.first.locator("mark")).to_have_text(["Payment", "payment"])


def test_only_what_was_found_is_marked(feed: Feed) -> None:
    feed.service.store([feed.line("14041 İ 404 ms (404) 4040")])
    feed.open("?q=404")
    expect(feed.rows.first.locator("mark")).to_have_text(["404", "404"])
    assert feed.rows.first.locator(".text").inner_text() == "14041 İ 404 ms (404) 4040"


def test_a_dropped_socket_comes_back_and_misses_nothing(feed: Feed) -> None:
    feed.open()
    feed.service.push([feed.line("before")])
    feed.expect_loaded("before")
    feed.service.drop_sockets()
    feed.service.store([feed.line("while away", seconds=1)])
    feed.expect_loaded("while away", "before")
    feed.page.wait_for_function("globalThis.__logstream.status.state !== 'reconnecting'")
    feed.service.push([feed.line("after", seconds=2)])
    feed.expect_loaded("after", "while away", "before")


def test_refused_sockets_fall_back_to_polling_and_climb_back(feed: Feed) -> None:
    feed.service.refuses_sockets = True
    feed.service.store([feed.line("before")])
    feed.open(state="polling")
    feed.service.store([feed.line("polled", seconds=1)])
    feed.expect_loaded("polled", "before")
    feed.service.refuses_sockets = False
    feed.page.wait_for_function(
        "/live|listening/.test(globalThis.__logstream.status.state)", timeout=20_000
    )


def test_an_unreachable_service_is_said_in_words(feed: Feed) -> None:
    feed.service.is_broken = True
    feed.open(state="degraded")
    expect(feed.page.locator(".panel")).to_contain_text("the database cannot be reached; try again")
    feed.service.is_broken = False
    feed.service.store([feed.line("back")])
    feed.page.get_by_role("button", name="Try now").click()
    feed.expect_loaded("back")


def test_loaded_lines_stay_under_a_banner_while_the_service_is_away(feed: Feed) -> None:
    feed.service.store([feed.line("still here")])
    feed.open()
    feed.expect_loaded("still here")
    feed.service.is_broken = feed.service.refuses_sockets = True
    feed.service.drop_sockets()
    expect(feed.page.locator(".banner")).to_contain_text("cannot be reached", timeout=20_000)
    feed.expect_loaded("still here")
    feed.service.is_broken = feed.service.refuses_sockets = False
    expect(feed.page.locator(".banner")).to_be_hidden(timeout=20_000)


def test_nothing_at_all_gives_a_command_to_try(feed: Feed) -> None:
    feed.open("?range=15m")
    expect(feed.page.locator(".panel")).to_contain_text("curl -X POST")


def test_no_match_names_the_filter_whose_removal_brings_lines(feed: Feed) -> None:
    feed.service.store([feed.line("paid")])
    feed.open("?q=zebra&severity=info")
    helps = feed.page.locator(".panel .helps")
    expect(helps).to_contain_text("Without text zebra")
    helps.click()
    feed.expect_loaded("paid")
    assert "q=" not in feed.page.url


def test_a_time_without_lines_names_the_nearest_and_goes_there(feed: Feed) -> None:
    week = 7 * 86_400.0
    feed.service.store(
        [feed.line("before", seconds=-week), feed.line("long before", seconds=-2 * week)]
    )
    feed.open("?range=15m")
    nearest = feed.page.get_by_role("button", name="Go to the nearest lines")
    expect(nearest).to_contain_text("7 days ago")
    nearest.click()
    feed.expect_loaded("before")
    assert "from=" in feed.page.url and "range=" not in feed.page.url


def test_the_nearest_lines_lie_before_the_time_asked_for(feed: Feed) -> None:
    day = 86_400.0
    feed.service.store([feed.line("before", seconds=-5 * day), feed.line("after", seconds=-day)])
    at = [
        datetime.fromtimestamp(feed.now / SECOND + days * day, UTC).isoformat()[:19] + "Z"
        for days in (-4, -3)
    ]
    feed.open(f"?from={at[0]}&to={at[1]}")
    feed.page.get_by_role("button", name="Go to the nearest lines").click()
    feed.expect_loaded("before")


def test_show_around_leaves_the_filters_and_brings_the_line_into_view(feed: Feed) -> None:
    # 700 newer lines: more than the 500 that are loaded at once.
    others = [feed.line(f"other {n}", seconds=n / 1000) for n in range(1, 701)]
    sought = feed.line("it broke", severity_number=17)
    feed.service.store([*others, sought, feed.line("elsewhere", environment="staging")])
    feed.open("?severity=error")
    feed.expect_loaded("it broke")
    feed.rows.first.click()
    feed.page.get_by_role("button", name="Show around").click()
    feed.page.wait_for_url("**env=production**")
    assert "severity=" not in feed.page.url
    # Newer lines stand above it: the list is scrolled to the line.
    feed.page.wait_for_function(
        "[...globalThis.__logstream.feeds.values()][0].scroller.scrollTop > 0"
    )
    row = feed.page.locator(".row.selected")
    expect(row).to_contain_text("it broke")
    expect(row).to_be_in_viewport()
    assert "elsewhere" not in feed.loaded()


def test_f_goes_to_the_services_and_the_keys_are_listed(feed: Feed) -> None:
    feed.open()
    feed.page.keyboard.press("?")
    expect(feed.page.locator(".shortcuts")).to_contain_text("filter by service")


def test_loaded_lines_are_bounded_and_only_visible_rows_are_in_the_page(feed: Feed) -> None:
    feed.open()
    for start in range(0, 20_500, 500):
        feed.service.push([feed.line(f"line {start + n}", seconds=start + n) for n in range(500)])
    feed.page.wait_for_function(
        "[...globalThis.__logstream.feeds.values()][0].store.rows.at(-1)?.line.message"
        " === 'line 20499'"
    )
    loaded = feed.loaded()
    assert len(loaded) == 20_000
    assert (loaded[0], loaded[-1]) == ("line 20499", "line 500")
    # 800 px of window hold at most 36 rows of 22 px; 8 spare rows below them.
    assert feed.rows.count() <= 45


def test_the_older_end_loads_older_lines(feed: Feed) -> None:
    feed.service.store([feed.line(f"line {n}", seconds=n - 1000) for n in range(700)])
    feed.open()
    feed.page.wait_for_function(
        "[...globalThis.__logstream.feeds.values()][0].store.rows.length === 500"
    )
    feed.page.locator(".view").evaluate("view => { view.scrollTop = view.scrollHeight }")
    feed.expect_loaded(*(f"line {n}" for n in reversed(range(700))))


def test_the_predicate_in_the_browser_agrees_with_python(feed: Feed) -> None:
    feed.open()
    filters, lines = predicate_cases(feed)
    now = feed.now
    answers = feed.page.evaluate(
        """([filters, lines, ms, nanos]) => filters.map(filter => lines.map(line =>
            globalThis.__logstream.matchesFilter(filter, line, {ms, nanos})))""",
        [
            [filter_for_browser(log_filter) for log_filter in filters],
            [line.to_api() for line in lines],
            now // 1_000_000,
            now % 1_000_000,
        ],
    )
    differing = [
        (log_filter, line)
        for log_filter, row in zip(filters, answers, strict=True)
        for line, answer in zip(lines, row, strict=True)
        if answer != log_filter.matches(line, now)
    ]
    assert differing == []
    given = sum(map(sum, answers))
    assert 0 < given < len(filters) * len(lines)


def predicate_cases(feed: Feed) -> tuple[list[LogFilter], list[LogLine]]:
    """Filters, and lines with values at, just before and just after each border."""
    start, _ = LogFilter(range_text="15m").window_unix_nano(feed.now)
    short, _ = LogFilter(range_text="90s").window_unix_nano(feed.now)
    assert start is not None and short is not None
    at = to_datetime(feed.now)
    lines = [
        feed.line("Payment timed out", trace_id="0af7651916cd43dd8448eb211c80319c"),
        feed.line("payment done", service_name="a,b", severity_number=20, environment="staging"),
        feed.line("ΟΔΟΣ İstanbul STRASSE straße", service_name="-dash", severity_number=24),
        feed.line("order 17\nstack", severity_number=1, timestamp_unix_nano=start),
        feed.line("too old", severity_number=4, timestamp_unix_nano=start - 1),
        feed.line("just in", severity_number=13, timestamp_unix_nano=start + 1),
        feed.line("at ninety seconds", timestamp_unix_nano=short),
        feed.line("before ninety seconds", timestamp_unix_nano=short - 1),
        feed.line("epoch", timestamp_unix_nano=0, severity_number=8),
        feed.line("before the epoch", timestamp_unix_nano=-1),
        feed.line("future", seconds=3600, severity_number=16),
        feed.line("days ahead", seconds=2 * 86_400),
        feed.line("", severity_number=12),
        *(
            feed.line("received then", observed_unix_nano=received + nanos)
            for received in (to_unix_nano(at), 0)
            for nanos in (-1, 0, 1)
        ),
    ]
    parameters: list[dict[str, str]] = [
        {},
        {"env": "production"},
        {"env": "-staging"},
        {"service": "a\\,b"},
        {"service": "\\-dash,checkout"},
        {"service": "-a\\,b"},
        {"severity": "error,fatal"},
        {"severity": "-info,-trace"},
        {"severity": "warn,-warn"},
        {"trace": "0AF76519-16cd43dd8448eb211c80319c"},
        {"q": "PAYMENT -done"},
        {"q": '"order 17"'},
        {"q": "οδος"},
        {"q": "οδοσ"},
        {"q": "istanbul"},
        {"q": "strasse"},
        {"q": "-payment -order"},
        {"range": "15m"},
        {"range": "90s"},
        {"range": "1h", "q": "just"},
        {"from": "1970-01-01T00:00:00Z"},
        {"to": "1970-01-01T00:00:00Z"},
        {"at": at.isoformat()},
        {"at": at.isoformat(), "range": "15m"},
        {"at": "1970-01-01T00:00:00Z", "service": "-nobody"},
        {"from": "2026-01-01T00:00:00+02:00", "to": "2100-01-01T00:00:00Z", "severity": "info"},
    ]
    lines += [as_line(record, next(feed.ids)) for example in examples() for record in example[1:]]
    parameters += [{"q": q} for q, _, _ in examples()]
    generator = random.Random(41)
    messages = [a_random_message(generator) for _ in range(60)]
    lines += [
        feed.line(
            message,
            attributes=some_attributes(generator),
            severity_number=generator.randrange(1, 25),
            duration_ms=generator.choice((None, 0.0, 10.5, 500.0)),
        )
        for message in messages
    ]
    parameters += [{"q": a_random_words(generator, messages, 1)} for _ in range(120)]
    parameters += [{"q": a_random_test(generator)} for _ in range(120)]
    parameters += [{"q": a_random_tree(generator, messages)} for _ in range(200)]
    filters = [LogFilter.from_url(given) for given in parameters]
    filters.append(LogFilter(environment=Choice(only=("production",), excluded=("production",))))
    return filters, lines


def test_times_are_shown_in_the_chosen_zone_with_the_others_on_hover(feed: Feed) -> None:
    moment = to_unix_nano(datetime(2026, 7, 1, 22, 30, 0, 123_000, UTC))
    feed.service.store([feed.line("summer", timestamp_unix_nano=moment)])
    feed.open("?tz=Europe/Berlin")
    # Berlin is two hours ahead in July, so the date turns as well.
    expect(feed.rows.first.locator(".time")).to_have_text("07-02 00:30:00.123")
    feed.rows.first.locator(".time").hover()
    title = feed.rows.first.locator(".time").get_attribute("title") or ""
    assert "2026-07-02 00:30:00.123 Europe/Berlin (+02:00)" in title
    assert "UTC 2026-07-01T22:30:00.123Z" in title


def test_services_have_the_same_colour_in_charts_and_in_the_feed(feed: Feed) -> None:
    names = ["checkout", "payment", "größe", "a", "recommendation-engine-v2"]
    feed.open()
    colours = feed.page.evaluate(
        """names => { const feed = [...globalThis.__logstream.feeds.values()][0];
            return names.map(name => feed.serviceColour(name)); }""",
        names,
    )
    assert colours == [service_colour(name, dark=False) for name in names]
    assert set(colours) <= set(SERVICE_PALETTE["light"])

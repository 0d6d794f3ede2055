"""The URL holds the view: read before drawing, written by every control."""

from datetime import datetime

from logstream.filter import LogFilter
from logstream.show.live_feed import FeedEvent
from logstream.show.live_page import changed_by
from tests.shop import TRACE, OpenPage, chip_buttons, chips, query_box, type_search, url_of


def test_a_deep_link_fills_every_control(open_page: OpenPage) -> None:
    page = open_page(
        env="production",
        service="checkout,-cart",
        severity="error",
        trace=TRACE,
        q="timed out",
        range="24h",
        tz="Asia/Kolkata",
    )
    assert page.selectbox(key="pick-env").value == "production"
    assert page.multiselect(key="pick-service").value == ["checkout", "-cart"]
    assert page.text_input(key="pick-trace").value == TRACE
    assert query_box(page)["text"] == "timed out"
    assert page.segmented_control(key="pick-range").value == "24h"
    assert page.radio(key="pick-tz").value == "Asia/Kolkata"
    assert chips(page) == [
        "env production",
        "service checkout",
        "service not cart",
        "severity error",
        f"trace {TRACE}",
        "text timed",
        "text out",
        "last 24 h (Asia/Kolkata)",
    ]


def test_fifteen_minutes_are_the_default_and_only_a_chosen_range_is_in_the_url(
    open_page: OpenPage,
) -> None:
    page = open_page()
    assert page.segmented_control(key="pick-range").value == "15m"
    assert url_of(page) == {}
    page.segmented_control(key="pick-range").set_value("1h").run()
    assert url_of(page) == {"range": "1h"}
    page.segmented_control(key="pick-range").set_value("15m").run()
    assert url_of(page) == {"range": "15m"}


def test_controls_write_to_the_url(open_page: OpenPage) -> None:
    page = open_page()
    page.button(key="severity-error").click().run()
    page.button(key="severity-warn").click().run()
    page.multiselect(key="pick-service").set_value(["checkout", "-cart"]).run()
    type_search(page, "  timed out ")
    page.text_input(key="pick-trace").set_value(TRACE.upper()).run()
    page.selectbox(key="pick-env").set_value("staging").run()
    assert url_of(page) == {
        "env": "staging",
        "service": "checkout,-cart",
        "severity": "warn,error",
        "trace": TRACE,
        "q": "timed out",
    }


def test_more_lengths_of_time_are_offered_and_the_echo_of_an_emptied_control_is_none(
    open_page: OpenPage,
) -> None:
    page = open_page(severity="error", range="1h")
    page.segmented_control(key="pick-more-range").set_value("6h").run()
    assert url_of(page) == {"severity": "error", "range": "6h"}
    assert page.segmented_control(key="pick-range").value is None
    assert page.segmented_control(key="pick-more-range").value == "6h"
    # The browser may report the control that this has just emptied.
    page.segmented_control(key="pick-range").set_value(None).run()
    assert url_of(page) == {"severity": "error", "range": "6h"}


def test_a_severity_clicked_twice_is_shown_no_more(open_page: OpenPage) -> None:
    page = open_page(severity="error,warn")
    page.button(key="severity-error").click().run()
    assert url_of(page) == {"severity": "warn"}


def test_each_chip_takes_away_its_own_value_only(open_page: OpenPage) -> None:
    page = open_page(service="checkout,cart,-auth", severity="error", q="timed")
    assert chips(page)[1] == "service cart"
    chip_buttons(page)[1].click().run()
    assert url_of(page) == {"service": "checkout,-auth", "severity": "error", "q": "timed"}


def test_each_term_of_a_search_is_a_chip_of_its_own(open_page: OpenPage) -> None:
    page = open_page(q="(timed OR refused) status:503 -health -region:eu latency>500")
    assert chips(page) == [
        "text (timed or refused)",
        "status is 503",
        "text not health",
        "not region is eu",
        "latency over 500ms",
    ]
    chip_buttons(page)[1].click().run()
    assert url_of(page) == {"q": "(timed OR refused) -health -region:eu latency>500"}


def test_a_broken_search_is_a_problem_and_every_line_is_shown(open_page: OpenPage) -> None:
    page = open_page(q="timeout (refused OR", severity="error")
    assert chips(page)[0] == "severity error"
    assert "has nothing at its right (character 18)" in chips(page)[1]


def test_reset_clears_all_but_time_and_can_be_undone(open_page: OpenPage) -> None:
    before = {"service": "checkout", "severity": "error", "range": "1h", "tz": "Europe/Berlin"}
    page = open_page(**before)
    page.button(key="reset-filters").click().run()
    assert url_of(page) == {"range": "1h", "tz": "Europe/Berlin"}
    page.button(key="undo-reset").click().run()
    assert url_of(page) == before
    assert "undo-reset" not in {button.key for button in page.button}


def test_undo_is_offered_only_until_the_next_change(open_page: OpenPage) -> None:
    page = open_page(severity="error")
    page.button(key="reset-filters").click().run()
    assert "undo-reset" in {button.key for button in page.button}
    page.button(key="severity-warn").click().run()
    assert "undo-reset" not in {button.key for button in page.button}


def test_opening_a_line_leaves_the_undo(open_page: OpenPage) -> None:
    page = open_page(severity="error")
    page.button(key="reset-filters").click().run()
    page.query_params["line"] = "3"  # what the feed does in the browser
    page.run()
    page.button(key="undo-reset").click().run()
    assert url_of(page) == {"severity": "error"}


def test_values_that_cannot_be_read_are_chips_with_the_reason(open_page: OpenPage) -> None:
    page = open_page(severity="loud,error", range="yesterday", tz="Mars/Olympus")
    assert chips(page) == [
        "severity error",
        "range 'yesterday' is not a time range; use 15m, 1h or 7d",
        "severity 'loud' is not known; use trace, debug, info, warn, error, fatal",
        "time zone 'Mars/Olympus' is not known; use a name such as Europe/Berlin",
    ]
    # Nothing is dropped from the URL until somebody acts.
    assert url_of(page)["severity"] == "loud,error"
    chip_buttons(page)[1].click().run()
    assert "yesterday" not in str(url_of(page))


def test_an_unknown_service_is_kept_and_said_so(open_page: OpenPage) -> None:
    page = open_page(service="chekcout")
    assert chips(page) == ["service chekcout (no such service in this time)"]
    assert url_of(page) == {"service": "chekcout"}


def test_parameters_of_others_are_left_alone(open_page: OpenPage) -> None:
    page = open_page(embed_options="dark_theme")
    page.button(key="severity-error").click().run()
    assert url_of(page) == {"embed_options": "dark_theme", "severity": "error"}


def test_a_moment_of_the_past_is_a_chip_and_kept_by_filters_reset_and_other_pages(
    open_page: OpenPage,
) -> None:
    moment = {"at": "2026-01-31T10:00:05Z", "speed": "10", "tz": "Europe/Berlin"}
    page = open_page(**moment)
    assert chips(page) == ["playing the past (Europe/Berlin)"]
    page.button(key="severity-error").click().run()
    assert url_of(page) == moment | {"severity": "error"}
    page.button(key="reset-filters").click().run()
    assert url_of(page) == moment
    page.switch_page("../../pages/system.py").run()
    assert url_of(page) == moment
    page.switch_page("../../pages/live.py").run()
    chip_buttons(page)[0].click().run()
    assert url_of(page) == {"tz": "Europe/Berlin"}


def test_a_moment_is_picked_in_the_chosen_zone_and_stands_still(open_page: OpenPage) -> None:
    page = open_page(tz="Asia/Kolkata", speed="7", at="2026-01-31T10:00:05Z")
    assert chips(page) == [
        "as of 2026-01-31 15:30:05 (Asia/Kolkata)",
        "speed '7' is not offered; use one of 1, 2, 5, 10, 20, 50, 100",
    ]
    widget = next(one for one in page.datetime_input if one.label.startswith("Moment"))
    widget.set_value(datetime(2026, 1, 31, 12, 0))
    next(one for one in page.button if one.label == "Show this moment").click().run()
    # 12:00 in Kolkata is 06:30 in UTC.
    assert url_of(page) == {"tz": "Asia/Kolkata", "at": "2026-01-31T06:30:00Z"}
    page.button(key="history-live").click().run()
    assert url_of(page) == {"tz": "Asia/Kolkata"}


def test_a_url_changed_from_outside_wins(open_page: OpenPage) -> None:
    page = open_page(severity="error")
    # What Back and Forward do: the browser comes with another query.
    page.query_params.clear()
    page.query_params["service"] = "cart"
    page.run()
    assert chips(page) == ["service cart"]
    page.query_params.clear()
    page.run()
    assert chips(page) == []


def test_the_view_is_kept_across_pages(open_page: OpenPage) -> None:
    page = open_page(severity="error", tz="Europe/Berlin")
    page.switch_page("../../pages/system.py").run()
    assert url_of(page) == {"severity": "error", "tz": "Europe/Berlin"}


def test_a_filter_change_lets_go_of_the_opened_line(open_page: OpenPage) -> None:
    page = open_page(line="3")
    page.button(key="severity-error").click().run()
    assert url_of(page) == {"severity": "error"}


def test_a_custom_range_is_read_in_the_chosen_zone(open_page: OpenPage) -> None:
    page = open_page(tz="Asia/Kolkata")
    first, last = (one for one in page.datetime_input if not one.label.startswith("Moment"))
    assert first.label == "From (Asia/Kolkata)"
    # Kolkata is UTC+5:30.
    first.set_value(datetime(2026, 1, 31, 10, 0))
    last.set_value(datetime(2026, 1, 31, 11, 15))
    page.form_submit_button[0].click().run()
    assert url_of(page) == {
        "from": "2026-01-31T04:30:00Z",
        "to": "2026-01-31T05:45:00Z",
        "tz": "Asia/Kolkata",
    }
    assert chips(page) == ["2026-01-31 10:00 – 2026-01-31 11:15 (Asia/Kolkata)"]


def test_a_feed_click_changes_the_filter_and_a_trace_keeps_the_time() -> None:
    def asked(kind: str, field: str, value: str) -> LogFilter:
        return changed_by(
            LogFilter.from_url({"severity": "error", "range": "24h"}), FeedEvent(kind, field, value)
        )

    assert asked("exclude", "service", "cart").to_url() == {
        "service": "-cart",
        "severity": "error",
        "range": "24h",
    }
    # The trace is shown whole, severities aside, in the time that showed the line.
    assert asked("trace", "trace", TRACE).to_url() == {"trace": TRACE, "range": "24h"}

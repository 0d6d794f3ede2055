"""What a click in the feed means for the filter."""

import pytest

from logstream.filter import LogFilter
from logstream.show.live_feed.feed import FeedEvent, filter_for_browser, read_event

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
AT = {"at": "2026-01-31T10:05:07Z"}


@pytest.mark.parametrize(
    ("url", "event", "expected"),
    [
        ({}, FeedEvent("filter", "service", "cart"), {"service": "cart"}),
        ({"service": "cart,pay"}, FeedEvent("filter", "service", "pay"), {"service": "pay"}),
        ({"service": "cart,pay"}, FeedEvent("exclude", "service", "pay"), {"service": "cart,-pay"}),
        ({"severity": "-info"}, FeedEvent("exclude", "severity", "info"), {"severity": "-info"}),
        ({"env": "staging"}, FeedEvent("filter", "env", "a,b"), {"env": "a\\,b"}),
        (
            {"q": "x", "range": "1h"},
            FeedEvent("at", "10", "2026-01-31T11:05:07.25+01:00"),
            {"q": "x", "range": "1h", "at": "2026-01-31T10:05:07.250000Z"},
        ),
        ({"at": "2026-01-31T10:05:07Z"}, FeedEvent("at", "0", ""), {}),
        ({"at": "2026-01-31T10:05:07Z"}, FeedEvent("at", "0", "noon"), AT),
        (AT | {"q": "x"}, FeedEvent("trace", "trace", TRACE), AT | {"trace": TRACE}),
        ({"q": "paid"}, FeedEvent("filter", "q", "order 17"), {"q": 'paid "order 17"'}),
        ({}, FeedEvent("filter", "q", 'said "hello there" twice'), {"q": '"hello there"'}),
        ({}, FeedEvent("filter", "q", "-rf"), {"q": '"-rf"'}),
        ({}, FeedEvent("filter", "q", "u-17"), {"q": "u-17"}),
        ({}, FeedEvent("filter", "q", "u-17*"), {"q": '"u-17*"'}),
        ({}, FeedEvent("filter", "q", "db:5432"), {"q": '"db:5432"'}),
        ({}, FeedEvent("filter", "q", "http://x/Y"), {"q": "http://x/Y"}),
        ({}, FeedEvent("filter", "q", '"'), {}),
        ({"q": "x"}, FeedEvent("filter", "attribute:http.code", "503"), {"q": "x http.code:503"}),
        ({}, FeedEvent("exclude", "attribute:user", "Ann Lee"), {"q": '-user:"Ann Lee"'}),
        ({}, FeedEvent("filter", "attribute:path", "/api"), {"q": 'path:"/api"'}),
        ({"q": "x"}, FeedEvent("exclude", "attribute:a", 'say "x"'), {"q": 'x -a:"say ""x"""'}),
        ({"q": "x"}, FeedEvent("filter", "attribute:a b", "c"), {"q": "x"}),
        ({"q": "x OR y"}, FeedEvent("filter", "attribute:a", "1"), {"q": "(x OR y) a:1"}),
        ({"q": "a:1 x"}, FeedEvent("exclude", "attribute:a", "1"), {"q": "x -a:1"}),
        ({"q": "a", "range": "15m"}, FeedEvent("loosen", "range"), {"q": "a"}),
        ({"q": "a", "severity": "warn"}, FeedEvent("loosen", "q"), {"severity": "warn"}),
        ({"q": "a"}, FeedEvent("loosen", "nonsense"), {"q": "a"}),
        ({"q": "a"}, FeedEvent("delete", "everything"), {"q": "a"}),
        (
            {"severity": "error", "range": "1h"},
            FeedEvent("time", "range", "2026-01-31T10:05:07.123456789Z"),
            # The 15 minutes up to that line, its whole second included.
            {
                "severity": "error",
                "from": "2026-01-31T09:50:07Z",
                "to": "2026-01-31T10:05:08Z",
            },
        ),
        (
            {"severity": "error", "q": "x", "range": "1h"},
            FeedEvent("around", "a,b", "2026-01-31T11:05:07+01:00"),
            {"env": "a\\,b", "from": "2026-01-31T10:00:07Z", "to": "2026-01-31T10:05:12Z"},
        ),
        ({"q": "x"}, FeedEvent("around", "staging", "noon"), {"q": "x"}),
        ({"q": "x"}, FeedEvent("time", "range", "0001-01-01T00:00:00Z"), {"q": "x"}),
        (
            {"env": "staging", "severity": "error", "q": "x"},
            FeedEvent("trace", "trace", TRACE.upper()),
            {"env": "staging", "trace": TRACE},
        ),
    ],
)
def test_an_event_gives_the_filter_the_reader_meant(
    url: dict[str, str], event: FeedEvent, expected: dict[str, str]
) -> None:
    assert event.applied_to(LogFilter.from_url(url)).to_url() == expected


@pytest.mark.parametrize("asked", [None, "filter", [], {}, {"kind": "filter", "field": 3}])
def test_what_is_no_event_is_none(asked: object) -> None:
    assert read_event(asked) is None


def test_each_active_field_comes_with_the_filter_without_it() -> None:
    log_filter = LogFilter.from_url({"q": "timeout", "severity": "error", "range": "15m"})
    active = filter_for_browser(log_filter)["active"]
    assert [(entry["field"], entry["label"]) for entry in active] == [
        ("severity", "severity error"),
        ("q", "text timeout"),
        ("range", "time range 15m"),
    ]
    assert active[1]["url"] == {"severity": "error", "range": "15m"}

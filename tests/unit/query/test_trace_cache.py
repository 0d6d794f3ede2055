"""Many who ask the same of traces cost one question; one trace is always read anew."""

from typing import Any

from logstream.filter import Choice, LogFilter
from logstream.query.trace_cache import CachedTraceReader
from logstream.trace_port import TracePage


class CountingTraceReader:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def traces(self, *_: Any, **__: Any) -> TracePage:
        self.asked += 1
        return TracePage([], None)

    def trace(self, *_: Any, **__: Any) -> None:
        self.asked += 1


def test_the_same_page_is_asked_for_once_until_something_lands() -> None:
    behind = CountingTraceReader()
    reader = CachedTraceReader(behind)  # type: ignore[arg-type]
    for now in (1, 2, 3):
        reader.traces(LogFilter(), limit=50, now_unix_nano=now)
    assert behind.asked == 1
    reader.traces(LogFilter(), sort="longest", limit=50, now_unix_nano=3)
    reader.traces(LogFilter(q="card"), limit=50, now_unix_nano=3)
    reader.traces(LogFilter(), limit=50, now_unix_nano=3, cursor="next")
    assert behind.asked == 4
    reader.forget()
    reader.traces(LogFilter(), limit=50, now_unix_nano=3)
    assert behind.asked == 5


def test_one_trace_is_read_anew_each_time() -> None:
    behind = CountingTraceReader()
    reader = CachedTraceReader(behind)  # type: ignore[arg-type]
    for _ in range(2):
        reader.trace("abc123", environment=Choice(), max_spans=10, max_lines=10)
    assert behind.asked == 2

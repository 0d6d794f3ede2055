"""How long the calls of a service took, piece by piece of the time."""

from datetime import UTC, datetime

import pytest

from logstream.durations import step_of
from logstream.filter import LogFilter
from logstream.model import to_unix_nano
from logstream.query.trace_reader import PostgresTraceReader
from logstream.trace_port import DurationTrend
from tests.counted_services import CountedServices

NOW = datetime(2026, 3, 4, 14, 20, 30, tzinfo=UTC)


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, 4, hour, minute, tzinfo=UTC)


def ask(
    reader: PostgresTraceReader, service: str, range_text: str, buckets: int
) -> tuple[list[datetime], DurationTrend]:
    log_filter, now = LogFilter(range_text=range_text), to_unix_nano(NOW)
    like = reader.services(log_filter, buckets=buckets, now_unix_nano=now)
    trend = reader.duration_trend(log_filter, service, like, now_unix_nano=now)
    return [datetime.fromtimestamp(start, UTC) for start in like.starts_unix_seconds], trend


def is_about(nano: float | None, ms: float) -> bool:
    """Whether it lies in the step that this duration is counted in, or ends it."""
    wanted = step_of(int(ms * 1e6))
    return nano is not None and step_of(int(nano * 0.999)) == wanted


def test_each_minute_has_the_percentiles_of_its_own_calls(
    counted: CountedServices, trace_reader: PostgresTraceReader
) -> None:
    counted.spans(at(14, 8), "checkout", "POST /orders", 90, ms=100)
    counted.spans(at(14, 8), "checkout", "POST /orders", 10, ms=2_000, is_error=True)
    counted.spans(at(14, 10), "checkout", "POST /orders", 5, ms=30)
    # What it asks others is no call of it, and neither is what others do.
    counted.spans(at(14, 8), "checkout", "SELECT", 900, ms=1, kind="client")
    counted.spans(at(14, 10), "cart", "GET /cart", 900, ms=9)
    starts, trend = ask(trace_reader, "checkout", "15m", 15)
    eight, ten = starts.index(at(14, 8)), starts.index(at(14, 10))
    # Of 100 the 50th took 100 ms, the 95th and the 99th 2 s.
    assert is_about(trend.p50_nano[eight], 100)
    assert is_about(trend.p95_nano[eight], 2_000) and is_about(trend.p99_nano[eight], 2_000)
    assert is_about(trend.p50_nano[ten], 30)
    others = {eight, ten}
    assert all(
        values[place] is None
        for values in (trend.p50_nano, trend.p95_nano, trend.p99_nano)
        for place in range(len(starts))
        if place not in others
    )


@pytest.mark.parametrize("is_folded", [False, True])
def test_hours_are_told_alike_before_and_after_they_are_summed_up(
    counted: CountedServices, trace_reader: PostgresTraceReader, is_folded: bool
) -> None:
    counted.spans(at(9, 5), "checkout", "POST /orders", 10, ms=50)
    counted.spans(at(9, 55), "checkout", "POST /orders", 30, ms=800)
    if is_folded:
        counted.fold()
    starts, trend = ask(trace_reader, "checkout", "12h", 12)
    # Of 40 the 20th is among the 30 of 800 ms.
    assert is_about(trend.p50_nano[starts.index(at(9))], 800)
    assert sum(nano is not None for nano in trend.p50_nano) == 1


def test_a_service_without_spans_is_told_by_the_durations_in_its_lines(
    counted: CountedServices, trace_reader: PostgresTraceReader
) -> None:
    counted.lines(at(14, 9), "nginx", 40)
    counted.spans(at(14, 9), "nginx", "", 40, ms=70, kind="line")
    starts, trend = ask(trace_reader, "nginx", "15m", 15)
    assert is_about(trend.p50_nano[starts.index(at(14, 9))], 70)


def test_of_an_unknown_service_nothing_is_told(trace_reader: PostgresTraceReader) -> None:
    starts, trend = ask(trace_reader, "chekout", "15m", 15)
    assert trend.p50_nano == trend.p95_nano == trend.p99_nano == [None] * len(starts)

"""A timeline for services that only write lines."""

import json
from typing import Any

from logstream.model import LogLine
from logstream.query.derived_spans import derive, derived_spans
from logstream.query.service_links import service_links
from tests.records import NOON, a_span

MS = 1_000_000
TRACE = "abc123"


def line(
    service: str, at: float, body: str = "done", latency: float | None = None, **more: Any
) -> LogLine:
    moment = NOON + int(at * MS)
    return LogLine(
        id=1,
        timestamp_unix_nano=moment,
        observed_unix_nano=moment,
        environment="production",
        service_name=service,
        severity_number=more.get("severity", 9),
        body=body,
        trace_id=TRACE,
        span_id=more.get("span"),
        duration_ms=latency,
    )


def drawn(*lines: LogLine, spans: Any = ()) -> list[tuple[str, str | None, int, int]]:
    """(id, parent, start and duration in ms)."""
    return [
        (
            span.span_id,
            span.parent_span_id,
            (span.start_unix_nano - NOON) // MS,
            span.duration_nano // MS,
        )
        for span in derived_spans(lines, spans)
    ]


def test_a_service_ran_from_the_latency_before_its_first_line_to_its_last() -> None:
    assert drawn(
        line("gateway", 120, "POST /orders 201", latency=120),
        line("orders", 10),
        line("orders", 90),
        line("stock", 40, latency=15),
    ) == [
        # 120 − 120; 10 to 90; 40 − 15
        ("lines:gateway", None, 0, 120),
        ("lines:orders", "lines:gateway", 10, 80),
        ("lines:stock", "lines:orders", 25, 15),
    ]


def test_lines_with_one_span_id_are_one_span_of_that_id() -> None:
    assert drawn(
        line("orders", 50, latency=50, span="00F1"),
        line("orders", 20, latency=5, span="00f1"),
        line("orders", 40, latency=10, span="00f2"),
    ) == [("00F1", None, 0, 50), ("00f2", "00F1", 30, 10)]


def test_calls_between_services_follow_from_what_ran_within_what() -> None:
    lines = [line("gateway", 120, latency=120), line("orders", 90, latency=60, severity=17)]
    links = service_links(derived_spans(lines))
    assert [(link.source, link.target, link.is_error) for link in links] == [
        ("gateway", "orders", True)
    ]


def test_a_span_is_named_by_its_longest_line_and_fails_with_its_first_error() -> None:
    lines = [
        line("orders", 5, "order 1841 received"),
        line("orders", 30, "card declined\nTraceback", severity=17),
        line("orders", 40, "POST /orders 402 in 40 ms", latency=40),
    ]
    (span,) = derived_spans(lines)
    assert (span.name, span.status) == ("POST /orders 402 in 40 ms", "error")
    assert span.status_message == "card declined\nTraceback"
    assert json.loads(span.attributes) == {"lines": 3}
    assert span.trace_id == TRACE


def test_one_that_lies_in_no_other_is_a_root_of_its_own() -> None:
    assert drawn(line("orders", 50, latency=50), line("mail", 90, latency=10)) == [
        ("lines:orders", None, 0, 50),
        ("lines:mail", None, 80, 10),
    ]


def test_moments_hold_nothing_and_lie_side_by_side() -> None:
    assert drawn(line("orders", 5), line("mail", 5)) == [
        ("lines:orders", None, 5, 0),
        ("lines:mail", None, 5, 0),
    ]


def test_a_latency_that_no_request_takes_is_not_believed() -> None:
    for latency in (-5.0, float("inf"), float("nan"), 1e15):
        assert drawn(line("orders", 5, latency=latency)) == [("lines:orders", None, 5, 0)]


SPANS = [
    a_span("a1", service="gateway", duration_ms=100),
    a_span("b2", parent="a1", service="orders", start_ms=20, duration_ms=60),
]


def test_beside_real_spans_lines_belong_under_the_span_whose_id_they_carry() -> None:
    lines = [
        line("audit", 95, span="B2"),
        line("stock", 40, latency=10),
        line("orders", 30, span="B2"),
        line("orders", 35),
    ]
    derived = derive(lines, SPANS)
    assert [(span.span_id, span.parent_span_id) for span in derived.spans] == [
        # Its time is not within b2, but its lines say so.
        ("lines:audit:1", "b2"),
        ("lines:stock", "b2"),
    ]
    assert [json.loads(span.attributes)["parent"] for span in derived.spans] == ["named", "guessed"]
    # orders sent spans: its lines are on the one they name, or on none.
    assert derived.span_of_line == ["lines:audit:1", "lines:stock", "b2", None]


def test_two_services_that_carry_one_id_are_two_spans() -> None:
    lines = [line("mail", 30, latency=9, span="b2"), line("audit", 30, span="b2")]
    assert drawn(*lines, spans=SPANS) == [
        ("lines:mail:1", "b2", 21, 9),
        ("lines:audit:1", "b2", 30, 0),
    ]


def test_one_service_may_be_under_many_spans() -> None:
    lines = [line("mail", 10, span="a1"), line("mail", 30, span="b2"), line("mail", 35)]
    assert drawn(*lines, spans=SPANS) == [
        ("lines:mail:1", "a1", 10, 0),
        ("lines:mail:2", "b2", 30, 0),
        ("lines:mail", "b2", 35, 0),
    ]


def test_no_lines_and_lines_of_services_with_spans_make_none() -> None:
    assert derived_spans([]) == []
    assert derived_spans([line("orders", 30)], SPANS) == []

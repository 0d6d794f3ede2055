"""One trace as it is shown: nothing that arrives is a reason to fail."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest_service.trace_answer import comparison_answer, trace_answer
from logstream.model import LogLine, Span
from logstream.query.service_links import service_links
from logstream.query.trace_comparison import compared
from logstream.query.trace_view import TraceView, view_of
from logstream.trace_port import WholeTrace
from tests.records import NOON, a_span

# Spellings of two ids, one that is no hexadecimal, and one as derived spans have them.
IDS = ("a1", "00A1", "b-2", "b2", "Span-C", "lines:mail")
ATTRIBUTES = (
    b"{}",
    b'{"peer.service":"ledger"}',
    b'{"messaging.system":"kafka","messaging.operation.type":"settle"}',
    b'{"peer.service":5,"db.system":[1],"url.full":"http://[::1/"}',
)
spans = st.builds(
    Span,
    trace_id=st.just("t"),
    span_id=st.sampled_from(IDS),
    parent_span_id=st.sampled_from((*IDS, "gone")) | st.none(),
    environment=st.just("production"),
    service_name=st.sampled_from(("cart", "stock", "")),
    name=st.sampled_from(("SELECT 1", "SELECT 2", "")),
    kind=st.sampled_from(("internal", "client", "server", "producer", "consumer", "unknown")),
    start_unix_nano=st.integers(-(2**63), 2**63) | st.integers(0, 50),
    duration_nano=st.integers(-(2**62), 2**62) | st.integers(0, 50),
    observed_unix_nano=st.just(0),
    status=st.sampled_from(("unset", "error")),
    attributes=st.sampled_from(ATTRIBUTES),
    links=st.sampled_from((b"[]", b'[{"traceId":"t","spanId":"A1"},{}]')),
    events=st.sampled_from((b"[]", b'[{"name":"exception"},{"name":"x","attributes":3}]')),
)
lines = st.builds(
    LogLine,
    id=st.just(1),
    timestamp_unix_nano=st.integers(0, 50),
    observed_unix_nano=st.just(0),
    environment=st.just("production"),
    service_name=st.sampled_from(("cart", "mail", "")),
    severity_number=st.sampled_from((9, 17)),
    body=st.sampled_from(("", "sent\nby mail")),
    span_id=st.sampled_from(IDS) | st.none(),
    duration_ms=st.floats() | st.none(),
)
traces = st.builds(
    WholeTrace,
    trace_id=st.just("t"),
    spans=st.lists(spans, max_size=10),
    lines=st.lists(lines, max_size=5),
    has_more_spans=st.just(False),
    has_more_lines=st.just(False),
    has_copies=st.just(False),
)


@settings(deadline=None)
@given(traces, traces)
def test_any_trace_is_told_and_compared_whole(one: WholeTrace, other: WholeTrace) -> None:
    views = view_of(one), view_of(other)
    for trace, view in zip((one, other), views, strict=True):
        answer = trace_answer(view, with_attributes=True)
        told = msgspec.json.decode(msgspec.json.encode(answer))
        assert len(told["spans"]) == len(trace.spans) + sum(s["derived"] for s in told["spans"])
        assert len(told["logs"]) == len(trace.lines)
        derived = [s["spanId"] for s in told["spans"] if s["derived"]]
        assert len(set(derived)) == len(derived)
        service_links(view.tree)
    found = compared(*views)
    msgspec.json.encode(comparison_answer(found))
    for at, view in enumerate(views):
        sides = [(node.own, node.other)[at] for node in found.nodes]
        assert sum(side.count for side in sides if side) == len(view.tree.spans)


def shown(spans: list[Span], lines: list[LogLine]) -> TraceView:
    return view_of(WholeTrace("t", spans, lines, False, False, False))


MAIL = LogLine(
    id=1,
    timestamp_unix_nano=NOON + 15_000_000,
    observed_unix_nano=NOON,
    environment="production",
    service_name="mail",
    severity_number=9,
    body="order confirmed",
    duration_ms=10,
)


def test_what_is_made_up_takes_nothing_of_what_was_measured() -> None:
    view = shown([a_span("1", service="cart", duration_ms=20)], [MAIL])
    assert view.tree.parents == [None, 0]
    # Not 20 − 10: that mail ran meanwhile is a guess.
    assert [one.self_time_nano // 1_000_000 for one in view.spans] == [20, 10]
    assert [one.place for one in view.path] == [0]
    assert [view.is_derived(at) for at in (0, 1)] == [False, True]


def test_of_lines_alone_the_made_up_spans_are_measured() -> None:
    view = shown([], [MAIL])
    assert [one.place for one in view.path] == [0]
    assert view.shifts == {}

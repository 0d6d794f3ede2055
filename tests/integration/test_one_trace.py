"""GET /traces/{traceId}: what is told of one trace beside its spans and lines."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from logstream.model import to_unix_nano

TRACE = "5af7183fb1d4cf5f5af7183fb1d4cf5f"
BEGIN = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)
MICROS = to_unix_nano(BEGIN) // 1_000
MS = 1_000_000


def span(
    span_id: str, service: str, start: int, duration: int, parent: str | None = None, **more: Any
) -> dict[str, Any]:
    """A Zipkin span; milliseconds after BEGIN."""
    return {
        "traceId": TRACE,
        "id": span_id,
        **({"parentId": parent} if parent else {}),
        "name": more.pop("name", "work"),
        "timestamp": MICROS + start * 1_000,
        "duration": duration * 1_000,
        "localEndpoint": {"serviceName": service},
        **more,
    }


def line(service: str, at: int, message: str, **metadata: Any) -> dict[str, Any]:
    return {
        "source": service,
        "message": message,
        "severity": "info",
        "createdAt": (BEGIN + timedelta(milliseconds=at)).isoformat(),
        "metadata": {"traceId": metadata.pop("trace", TRACE), **metadata},
    }


def send(service: str, *spans: dict[str, Any]) -> None:
    assert httpx.post(f"{service}/api/v2/spans", json=list(spans)).status_code == 202


def send_lines(service: str, *lines: dict[str, Any]) -> None:
    assert httpx.post(f"{service}/logs/ingest", json=list(lines)).status_code == 201


def trace(service: str, path: str = TRACE, **parameters: str) -> Any:
    reply = httpx.get(f"{service}/traces/{path}", params=parameters)
    assert reply.status_code == 200, reply.text
    return reply.json()


def at(ms: int) -> str:
    return str(MICROS * 1_000 + ms * MS)


@pytest.fixture
def checkout(service: str) -> str:
    """The service, holding a trace of two services and lines of a third."""
    send(
        service,
        span("00000000000000a1", "cart", 0, 100, kind="SERVER", name="POST /checkout"),
        span("00000000000000b2", "cart", 10, 60, "00000000000000a1", kind="CLIENT"),
        # Its clock is 200 ms ahead.
        span("00000000000000c3", "stock", 220, 40, "00000000000000b2", kind="SERVER"),
        span("00000000000000d4", "mail", 80, 10, "00000000000000ee"),
    )
    send_lines(
        service,
        line("audit", 50, "POST /audit 201", spanId="A1", latency=20),
        line("cart", 60, "stock asked", spanId="B2"),
    )
    return service


def test_the_critical_path_says_what_the_request_waited_for(checkout: str) -> None:
    # c3 began after b2 had ended by the clocks as they were sent: nobody waited for it.
    assert trace(checkout)["criticalPath"] == [
        {"spanId": "00000000000000a1", "startUnixNano": at(0), "endUnixNano": at(10)},
        {"spanId": "00000000000000b2", "startUnixNano": at(10), "endUnixNano": at(70)},
        {"spanId": "00000000000000a1", "startUnixNano": at(70), "endUnixNano": at(100)},
        # Its parent is not here: it has a path of its own.
        {"spanId": "00000000000000d4", "startUnixNano": at(80), "endUnixNano": at(90)},
    ]


def test_clocks_that_differ_are_told_and_nothing_is_moved(checkout: str) -> None:
    found = trace(checkout)
    # Half of what b2 has to spare, (60 − 40) / 2 = 10: to 10 + 10 from 220.
    assert found["clockSkew"] == [{"spanId": "00000000000000c3", "shiftNano": -200 * MS}]
    assert found["spans"][-1]["startUnixNano"] == at(220)
    assert [one.get("shiftNano", 0) for one in found["spans"]] == [0, 0, 0, 0, -200 * MS]
    assert found["spans"][-1]["warnings"] == ["it ends 190000000 ns after its parent"]


def test_of_two_halves_with_one_id_only_the_callee_is_moved(service: str) -> None:
    send(
        service,
        span("b2", "cart", 10, 60, kind="CLIENT"),
        span("b2", "stock", 220, 40, kind="SERVER", shared=True),
    )
    shifts = {one["service"]: one.get("shiftNano") for one in trace(service)["spans"]}
    assert shifts == {"cart": None, "stock": -200 * MS}


def test_parents_that_have_not_arrived_are_listed(checkout: str) -> None:
    assert trace(checkout)["unknownParents"] == ["00000000000000ee"]


def test_a_service_with_lines_alone_is_drawn_under_the_span_they_carry(checkout: str) -> None:
    found = trace(checkout)
    by_service = {one["service"]: one for one in found["spans"]}
    audit = by_service["audit"]
    assert (audit["derived"], audit["parentSpanId"]) == (True, "00000000000000a1")
    # 50 − 20
    assert (audit["startUnixNano"], audit["durationNano"]) == (at(30), 20 * MS)
    assert (audit["name"], audit["attributes"]) == (
        "POST /audit 201",
        {"lines": 1, "parent": "named"},
    )
    assert not by_service["cart"]["derived"]
    # 100 − 60 of b2: what is made up takes nothing of what was measured.
    assert found["spans"][0]["selfTimeNano"] == 40 * MS
    assert {one["source"]: one["spanId"] for one in found["logs"]} == {
        "audit": audit["spanId"],
        "cart": "00000000000000b2",
    }


def test_spans_without_attributes_still_name_their_exceptions(service: str) -> None:
    boom = '{"exception":{"exception.type":"TimeoutError","exception.message":"no answer"}}'
    send(
        service,
        span("a1", "cart", 0, 100, annotations=[{"timestamp": MICROS + 90_000, "value": boom}]),
        span("b2", "cart", 0, 50, "a1", tags={"http.route": "/cart"}),
    )
    first, second = trace(service, attributes="false")["spans"]
    assert "attributes" not in first and "events" not in first and "links" not in first
    assert first["exceptions"] == [
        {"timeUnixNano": at(90), "type": "TimeoutError", "message": "no answer"}
    ]
    assert "exceptions" not in second
    (whole,) = trace(service, f"{TRACE}/spans/B2")["spans"]
    assert whole["attributes"] == {"http.route": "/cart"}
    assert whole["selfTimeNano"] == 50 * MS


def test_a_derived_span_is_given_whole_too_and_one_that_is_none_is_404(checkout: str) -> None:
    derived = next(one for one in trace(checkout)["spans"] if one["derived"])
    (found,) = trace(checkout, f"{TRACE}/spans/{derived['spanId']}")["spans"]
    assert found == derived
    reply = httpx.get(f"{checkout}/traces/{TRACE}/spans/ff")
    assert reply.status_code == 404
    assert reply.json()["error"]["message"] == f"trace {TRACE} has no span ff"


def test_lines_without_any_span_give_a_timeline(service: str) -> None:
    send_lines(
        service,
        line("gateway", 120, "POST /orders 201", trace="abc123", latency=120),
        line("orders", 90, "stored", trace="abc123", latency=60),
    )
    found = trace(service, "abc123")
    assert [
        (one["service"], one["parentSpanId"], one["selfTimeNano"] // MS, one["derived"])
        for one in found["spans"]
    ] == [("gateway", None, 60, True), ("orders", "lines:gateway", 60, True)]
    # 0 to 30 and 90 to 120 in the gateway, 30 to 90 in orders.
    assert [one["spanId"] for one in found["criticalPath"]] == [
        "lines:gateway",
        "lines:orders",
        "lines:gateway",
    ]
    assert found["clockSkew"] == []


def test_a_circle_of_parents_and_two_spans_of_one_id_are_given(service: str) -> None:
    send(
        service,
        span("a1", "cart", 0, 10, "b2"),
        span("b2", "cart", 1, 5, "a1"),
        span("c3", "cart", 2, 2, name="first"),
        span("c3", "cart", 3, 2, name="second"),
    )
    found = trace(service)
    assert len(found["spans"]) == 4
    assert found["spans"][0]["warnings"] == [
        "its parents lead back to itself: it is shown as if it had none"
    ]
    twins = trace(service, f"{TRACE}/spans/c3")["spans"]
    assert [one["name"] for one in twins] == ["first", "second"]


def test_two_traces_are_compared_node_by_node(checkout: str) -> None:
    other = "6af7183fb1d4cf5f"
    send(
        checkout,
        {**span("a1", "cart", 0, 40, kind="SERVER", name="POST /checkout"), "traceId": other},
        {**span("b2", "cart", 5, 30, "a1", kind="CLIENT"), "traceId": other},
    )
    found = trace(checkout, f"{TRACE}/comparison", **{"with": other.upper()})
    assert (found["traceId"], found["withTraceId"]) == (TRACE, other)
    # To 260 in c3, whose clock is ahead.
    assert (found["durationNano"], found["withDurationNano"]) == (260 * MS, 40 * MS)
    assert found["counts"] == {"added": 3, "removed": 0, "slower": 2, "faster": 0, "same": 0}
    top = found["nodes"][0]
    assert top == {
        "parent": None,
        "depth": 0,
        "service": "cart",
        "name": "POST /checkout",
        "kind": "server",
        "change": "slower",
        "spans": {
            "spanId": "00000000000000a1",
            "count": 1,
            "errorCount": 0,
            "durationNano": 100 * MS,
            "selfTimeNano": 40 * MS,
        },
        "withSpans": {
            "spanId": "00000000000000a1",
            "count": 1,
            "errorCount": 0,
            "durationNano": 40 * MS,
            "selfTimeNano": 10 * MS,
        },
        "differenceNano": 60 * MS,
        "selfDifferenceNano": 30 * MS,
        "percent": 150.0,
    }
    reply = httpx.get(f"{checkout}/traces/{TRACE}/comparison", params={"with": "ff"})
    assert reply.status_code == 404
    assert httpx.get(f"{checkout}/traces/{TRACE}/comparison").status_code == 400


def test_a_trace_is_compared_with_the_typical_one_of_its_kind(service: str) -> None:
    for number, duration in enumerate((20, 50, 400), start=1):
        first = span("a1", "cart", 0, duration, kind="SERVER", name="POST /checkout")
        send(service, {**first, "traceId": f"{number:032x}"})
    around = {"from": "2026-03-01T12:00:00Z", "to": "2026-03-01T13:00:00Z"}
    found = trace(service, f"{3:032x}/comparison", **{"with": "typical", **around})
    # The median of 20, 50 and 400.
    assert found["withTraceId"] == f"{2:032x}"
    assert found["nodes"][0]["differenceNano"] == 350 * MS
    elsewhen = {"from": "2026-03-02T12:00:00Z", "to": "2026-03-02T13:00:00Z"}
    path = f"{service}/traces/{3:032x}/comparison"
    reply = httpx.get(path, params={"with": "typical", **elsewhen})
    assert reply.status_code == 404
    assert "no trace begins with POST /checkout of cart" in reply.json()["error"]["message"]

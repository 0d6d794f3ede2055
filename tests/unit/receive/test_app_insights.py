import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logstream.errors import DecodeError
from logstream.model import Decoded, LogRecord, Span
from logstream.ports import Arrival
from logstream.receive.app_insights import decode, items_in
from tests.unit.receive.storable import assert_storable

RECEIVED = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z
TRACE, SPAN, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", "1111111111111111"
PYTHON_TRACE = (
    "Traceback (most recent call last):\n"
    '  File "/srv/pay.py", line 7, in pay\n'
    "ZeroDivisionError: division by zero\n"
)


def item(base_type: str, tags: dict[str, str] | None = None, **base: object) -> dict[str, object]:
    return {
        "name": "Microsoft.ApplicationInsights.Item",
        "iKey": "00000000-0000-0000-0000-000000000001",
        "time": "2026-01-01T00:00:01.422170Z",
        "tags": {
            "ai.cloud.role": "checkout",
            "ai.operation.id": TRACE,
            "ai.operation.parentId": PARENT,
            **(tags or {}),
        },
        "data": {"baseType": base_type, "baseData": {"ver": 2, **base}},
    }


def decoded(*items: dict[str, object]) -> Decoded:
    return decode(Arrival(json.dumps(items).encode(), RECEIVED, "production"))


def record_of(given_item: dict[str, object]) -> LogRecord:
    result = decoded(given_item)
    assert result.rejects == []
    (record,) = result.records
    return record


def span_of(given_item: dict[str, object]) -> Span:
    result = decoded(given_item)
    assert result.rejects == []
    (span,) = result.spans
    return span


def test_a_message_is_read_whole() -> None:
    record = record_of(
        item(
            "MessageData",
            {"ai.cloud.roleInstance": "vm"},
            message="slow query took 1530 ms",
            severityLevel=2,
            properties={"code.line.number": "6", "environment": "staging"},
            measurements={"rows": 3.5},
        )
    )
    assert record == LogRecord(
        timestamp_unix_nano=RECEIVED + 1_422_170_000,
        observed_unix_nano=RECEIVED,
        environment="staging",
        service_name="checkout",
        severity_number=13,
        body="slow query took 1530 ms",
        trace_id=TRACE,
        span_id=PARENT,
        attributes=(
            b'{"code.line.number":"6","environment":"staging","rows":3.5,'
            b'"ai.cloud.roleInstance":"vm"}'
        ),
    )


@pytest.mark.parametrize(
    ("level", "number"), [(0, 5), (1, 9), (2, 13), (3, 17), (4, 21), ("Warning", 13), (None, 9)]
)
def test_severity_levels_are_application_insights_own(level: object, number: int) -> None:
    assert (
        record_of(item("MessageData", message="x", severityLevel=level)).severity_number == number
    )


def test_ids_of_zeros_are_none() -> None:
    record = record_of(
        item(
            "MessageData",
            {"ai.operation.id": "0" * 32, "ai.operation.parentId": "0" * 16},
            message="x",
        )
    )
    assert (record.trace_id, record.span_id) == (None, None)
    assert record.attributes == b"{}"


def test_an_exception_keeps_its_trace() -> None:
    record = record_of(
        item(
            "ExceptionData",
            severityLevel=3,
            exceptions=[
                {
                    "typeName": "ZeroDivisionError",
                    "message": "checkout failed for user ünï-☃",
                    "hasFullStack": True,
                    "stack": PYTHON_TRACE,
                }
            ],
        )
    )
    assert record.body == "checkout failed for user ünï-☃"
    assert json.loads(record.attributes) == {
        "exception.type": "ZeroDivisionError",
        "exception.message": "checkout failed for user ünï-☃",
        "exception.stacktrace": PYTHON_TRACE,
    }


def test_parsed_frames_become_a_readable_trace() -> None:
    record = record_of(
        item(
            "ExceptionData",
            exceptions=[
                {
                    "typeName": "System.Exception",
                    "message": "outer",
                    "parsedStack": [
                        {"level": 0, "method": "Shop.Pay", "fileName": "Pay.cs", "line": 7},
                        {"level": 1, "method": "Shop.Main"},
                    ],
                },
                {"typeName": "System.IO.IOException", "message": "inner", "stack": ""},
            ],
        )
    )
    assert record.severity_number == 17
    assert json.loads(record.attributes)["exception.stacktrace"] == (
        "System.Exception: outer\n   at Shop.Pay in Pay.cs:line 7\n   at Shop.Main\n"
        "Caused by: System.IO.IOException: inner"
    )


def test_an_event_is_a_record_named_after_it() -> None:
    record = record_of(item("EventData", name="OrderPlaced", properties={"order": "42"}))
    assert record.body == "OrderPlaced"
    assert json.loads(record.attributes) == {"order": "42", "event.name": "OrderPlaced"}


def test_a_request_is_a_server_span() -> None:
    span = span_of(
        item(
            "RequestData",
            id=SPAN,
            name="POST /pay",
            duration="1.02:03:04.0056789",
            responseCode="500",
            success=False,
            url="https://shop/pay",
        )
    )
    assert (span.trace_id, span.span_id, span.parent_span_id) == (TRACE, SPAN, PARENT)
    assert (span.name, span.kind, span.status) == ("POST /pay", "server", "error")
    assert span.start_unix_nano == RECEIVED + 1_422_170_000
    assert span.duration_nano == (26 * 3600 + 3 * 60 + 4) * 10**9 + 5_678_900
    assert json.loads(span.attributes) == {
        "responseCode": "500",
        "url": "https://shop/pay",
        "http.response.status_code": 500,
    }


@pytest.mark.parametrize(
    ("type_name", "kind"),
    [
        ("HTTP", "client"),
        ("SQL", "client"),
        ("InProc", "internal"),
        ("Queue Message | x", "producer"),
    ],
)
def test_a_dependency_is_a_span_of_its_kind(type_name: str, kind: str) -> None:
    span = span_of(
        item("RemoteDependencyData", id=SPAN, name="x", duration="00:00:01", type=type_name)
    )
    assert (span.kind, span.duration_nano, span.status) == (kind, 10**9, "unset")


def test_metrics_are_taken_and_not_kept() -> None:
    items = [item("MetricData", metrics=[]), item("MessageData", message="x")]
    result = decoded(*items)
    assert (len(result.records), result.spans, result.rejects) == (1, [], [])
    assert items_in(json.dumps(items).encode()) == 2


def test_one_bad_item_never_costs_its_neighbours() -> None:
    lines = [
        json.dumps(item("MessageData", message="one")),
        '{"name":"x"}',
        json.dumps(item("RequestData", name="no id")),
        json.dumps(item("MessageData", message="four")),
    ]
    result = decode(Arrival("\n".join(lines).encode(), RECEIVED, "production"))
    assert [record.body for record in result.records] == ["one", "four"]
    assert [reject.index for reject in result.rejects] == [1, 2]


def test_an_empty_body_is_refused() -> None:
    with pytest.raises(DecodeError):
        decode(Arrival(b"", RECEIVED, "production"))


def test_origins_are_given_when_asked_for() -> None:
    body = json.dumps([item("MessageData", message="x"), item("RequestData", id=SPAN)]).encode()
    result = decode(Arrival(body, RECEIVED, "production", wants_origins=True))
    assert result.origins[0]["service_name"] == "tag ai.cloud.role"
    assert result.span_origins[0]["trace_id"] == "tag ai.operation.id"


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_are_records_rejects_or_one_error(body: bytes) -> None:
    with contextlib.suppress(DecodeError):
        assert_storable(decode(Arrival(body, RECEIVED, "production")))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
_FIELDS = st.sampled_from(
    ("message", "exceptions", "id", "name", "duration", "severityLevel", "properties", "ver")
)


@given(
    st.sampled_from(("MessageData", "ExceptionData", "EventData", "RequestData", "Other")),
    st.dictionaries(_FIELDS, _JSON),
    st.dictionaries(st.sampled_from(("ai.cloud.role", "ai.operation.id", "a")), _JSON),
)
def test_any_item_is_kept_storable(
    base_type: str, base: dict[str, object], tags: dict[str, object]
) -> None:
    made = item(base_type, **base)
    made["tags"] = tags
    assert_storable(decoded(made))

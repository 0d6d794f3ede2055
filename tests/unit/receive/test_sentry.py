import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logstream.errors import DecodeError
from logstream.model import Decoded, LogRecord
from logstream.ports import Arrival
from logstream.receive.sentry import decode
from tests.unit.receive.storable import assert_storable

RECEIVED = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z
TRACE, SPAN, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", "1111111111111111"
HEAD = b'{"event_id":"9ef4bb092fc74a1fbb3b318e1160adfa"}\n'


def envelope(*items: tuple[str, object], has_length: bool = True) -> bytes:
    body = HEAD
    for kind, content in items:
        payload = content if isinstance(content, bytes) else json.dumps(content).encode()
        headers = {"type": kind, **({"length": len(payload)} if has_length else {})}
        body += json.dumps(headers).encode() + b"\n" + payload + b"\n"
    return body


def decoded(body: bytes, path: str = "/api/1/envelope/") -> Decoded:
    return decode(Arrival(body, RECEIVED, "production", path=path))


def event(**fields: object) -> LogRecord:
    result = decoded(envelope(("event", fields)))
    assert result.rejects == []
    (record,) = result.records
    return record


def attributes(record: LogRecord) -> dict[str, object]:
    loaded: dict[str, object] = json.loads(record.attributes)
    return loaded


FRAMES = [
    {"filename": "app.py", "abs_path": "/srv/app.py", "function": "main", "lineno": 3},
    {
        "filename": "pay.py",
        "abs_path": "/srv/pay.py",
        "function": "pay",
        "lineno": 7,
        "context_line": "    1/0",
    },
]


def test_an_event_with_an_exception_is_read_whole() -> None:
    record = event(
        level="error",
        timestamp="2026-01-01T00:00:01.112254Z",
        platform="python",
        logger="shop",
        environment="staging",
        release="checkout@1.4.2",
        server_name="vm",
        tags={"service": "checkout", "region": "eu"},
        contexts={"trace": {"trace_id": TRACE, "span_id": SPAN}},
        logentry={
            "message": "checkout failed for %s",
            "formatted": "checkout failed for ünï-☃",
            "params": ["ünï-☃"],
        },
        exception={
            "values": [
                {"type": "KeyError", "value": "'x'", "stacktrace": None},
                {
                    "type": "ZeroDivisionError",
                    "value": "division by zero",
                    "stacktrace": {"frames": FRAMES},
                },
            ]
        },
    )
    assert record.timestamp_unix_nano == RECEIVED + 1_112_254_000
    assert record.body == "checkout failed for ünï-☃"
    assert (record.service_name, record.environment) == ("checkout", "staging")
    assert record.severity_number == 17
    assert (record.trace_id, record.span_id) == (TRACE, SPAN)
    found = attributes(record)
    assert found["exception.type"] == "ZeroDivisionError"
    assert found["exception.message"] == "division by zero"
    assert found["exception.stacktrace"] == (
        "KeyError: 'x'\n\n"
        "The above exception was the direct cause of the following exception:\n\n"
        "Traceback (most recent call last):\n"
        '  File "/srv/app.py", line 3, in main\n'
        '  File "/srv/pay.py", line 7, in pay\n'
        "    1/0\n"
        "ZeroDivisionError: division by zero"
    )
    assert found["service.version"] == "checkout@1.4.2"
    assert found["host.name"] == "vm"
    assert found["logger"] == "shop"
    assert found["tags"] == {"service": "checkout", "region": "eu"}
    assert isinstance(found["logentry"], dict)


@pytest.mark.parametrize(
    ("platform", "trace"),
    [
        ("node", "TypeError: no\n    at pay (/srv/pay.js:7:2)\n    at /srv/app.js:3"),
        ("java", "TypeError: no\n\tat Pay.pay(Pay.java:7)\n\tat main(Unknown Source:3)"),
    ],
)
def test_a_trace_is_printed_as_its_language_does(platform: str, trace: str) -> None:
    file = {"node": "/srv/pay.js", "java": "Pay.java"}[platform]
    newest = {"function": "pay", "filename": file, "lineno": 7, "colno": 2, "module": "Pay"}
    oldest = {"filename": "/srv/app.js", "lineno": 3}
    if platform == "java":
        oldest = {"function": "main", "lineno": 3}
    if platform == "node":
        newest["abs_path"] = file
    record = event(
        platform=platform,
        exception=[
            {"type": "TypeError", "value": "no", "stacktrace": {"frames": [oldest, newest]}}
        ],
    )
    assert attributes(record)["exception.stacktrace"] == trace
    assert record.body == "TypeError: no"


def test_the_project_names_the_service_that_nothing_else_names() -> None:
    assert event(message="x").service_name == "sentry-project-1"
    assert event(message="x", release="checkout@1.4").service_name == "checkout"
    assert event(message="x", contexts={"app": {"app_name": "Shop"}}).service_name == "Shop"


@pytest.mark.parametrize(
    "tags", [[["service", "cart"]], {"service.name": "cart"}, {"service_name": "cart"}]
)
def test_a_tag_names_the_service(tags: object) -> None:
    assert event(message="x", tags=tags).service_name == "cart"


@pytest.mark.parametrize(
    ("level", "number"), [("fatal", 21), ("warning", 13), ("info", 9), (None, 17)]
)
def test_levels_are_read_and_error_is_the_default(level: object, number: int) -> None:
    assert event(message="x", level=level).severity_number == number


def test_logs_of_one_item_are_records_each() -> None:
    logs = {
        "items": [
            {
                "timestamp": 1767225601.1103966,
                "level": "warn",
                "body": "slow query took 1530 ms",
                "trace_id": TRACE,
                "attributes": {
                    "sentry.environment": {"value": "staging", "type": "string"},
                    "sentry.release": {"value": "1.4", "type": "string"},
                    "sentry.severity_number": {"value": 14, "type": "integer"},
                    "sentry.trace.parent_span_id": {"value": SPAN, "type": "string"},
                    "service.name": {"value": "checkout", "type": "string"},
                    "server.address": {"value": "vm", "type": "string"},
                    "ms": {"value": 1530, "type": "integer"},
                },
            },
            7,
            {"timestamp": 1767225602, "level": "info", "body": "paid"},
        ]
    }
    result = decoded(envelope(("log", logs)))
    first, second = result.records
    assert first.timestamp_unix_nano == RECEIVED + 1_110_396_600
    assert (first.body, first.severity_number) == ("slow query took 1530 ms", 14)
    assert (first.trace_id, first.span_id) == (TRACE, SPAN)
    assert (first.service_name, first.environment) == ("checkout", "staging")
    found = attributes(first)
    assert (found["ms"], found["service.version"], found["host.name"]) == (1530, "1.4", "vm")
    assert (second.body, second.service_name) == ("paid", "sentry-project-1")
    assert [reject.index for reject in result.rejects] == [1]


def test_a_transaction_is_its_spans() -> None:
    transaction = {
        "type": "transaction",
        "transaction": "POST /pay",
        "start_timestamp": "2026-01-01T00:00:01.25Z",
        "timestamp": 1767225601.5,
        "environment": "staging",
        "tags": {"service": "checkout"},
        "contexts": {
            "trace": {
                "trace_id": TRACE,
                "span_id": PARENT,
                "parent_span_id": None,
                "op": "http.server",
                "status": "internal_error",
                "data": {"thread.name": "MainThread"},
            }
        },
        "spans": [
            {
                "span_id": SPAN,
                "parent_span_id": PARENT,
                "op": "db.query",
                "description": "SELECT 1",
                "start_timestamp": 1767225601.3,
                "timestamp": 1767225601.4,
                "status": "ok",
                "data": {"db.system": "postgresql"},
            },
            {"op": "broken"},
        ],
    }
    result = decoded(envelope(("transaction", transaction)))
    root, child = result.spans
    assert (root.name, root.kind, root.status) == ("POST /pay", "server", "error")
    assert root.status_message == "internal_error"
    assert (root.start_unix_nano, root.duration_nano) == (RECEIVED + 1_250_000_000, 250_000_000)
    assert (root.service_name, root.environment) == ("checkout", "staging")
    assert root.parent_span_id is None
    assert json.loads(root.attributes)["thread.name"] == "MainThread"
    assert (child.trace_id, child.span_id, child.parent_span_id) == (TRACE, SPAN, PARENT)
    assert (child.name, child.kind, child.status) == ("SELECT 1", "client", "ok")
    assert child.duration_nano == 100_000_000
    assert json.loads(child.attributes) == {"db.system": "postgresql", "sentry.op": "db.query"}
    assert len(result.rejects) == 1


@pytest.mark.parametrize("kind", ["session", "sessions", "client_report", "attachment", "profile"])
def test_other_items_are_passed_over(kind: str) -> None:
    body = envelope((kind, b'\x00\n{"a":1}\n'), ("event", {"message": "x"}))
    result = decoded(body)
    assert [record.body for record in result.records] == ["x"]
    assert result.rejects == []


def test_an_item_without_a_length_is_one_line() -> None:
    body = envelope(("event", {"message": "a"}), ("event", {"message": "b"}), has_length=False)
    assert [record.body for record in decoded(body).records] == ["a", "b"]


def test_one_bad_item_never_costs_its_neighbours() -> None:
    body = envelope(("event", b"{oops"), ("event", {"message": "b"}), ("log", b"[")) + b"no item\n"
    result = decoded(body)
    assert [record.body for record in result.records] == ["b"]
    assert [reject.index for reject in result.rejects] == [0, 2, 3]


def test_an_event_alone_is_read_under_store() -> None:
    result = decoded(b'{"message":"x","level":"info"}', "/api/7/store/")
    assert result.records[0].service_name == "sentry-project-7"
    with pytest.raises(DecodeError):
        decoded(b"oops", "/api/7/store/")


def test_a_body_without_headers_is_refused() -> None:
    with pytest.raises(DecodeError):
        decoded(b"hello\n{}")


def test_origins_are_given_when_asked_for() -> None:
    body = envelope(("event", {"message": "x", "tags": {"service": "pay"}}))
    result = decode(
        Arrival(body, RECEIVED, "production", path="/api/1/envelope/", wants_origins=True)
    )
    assert result.origins[0]["service_name"] == "tag service"


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_are_records_rejects_or_one_error(body: bytes) -> None:
    for prefix, path in (
        (b"", "/api/1/store"),
        (b"", "/api/1/envelope"),
        (HEAD, "/api/1/envelope"),
    ):
        with contextlib.suppress(DecodeError):
            assert_storable(decoded(prefix + body, path))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.text() | st.sampled_from(("values", "frames", "stacktrace", "trace", "trace_id")),
            inner,
        )
    ),
    max_leaves=6,
)
_FIELDS = st.sampled_from(
    (
        "message",
        "exception",
        "contexts",
        "tags",
        "level",
        "timestamp",
        "spans",
        "attributes",
        "body",
    )
)


@given(
    st.sampled_from(("event", "log", "transaction", "other")),
    st.dictionaries(_FIELDS, _JSON),
)
def test_any_item_is_kept_storable(kind: str, content: dict[str, object]) -> None:
    assert_storable(decoded(envelope((kind, content))))

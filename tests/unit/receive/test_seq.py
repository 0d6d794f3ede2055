import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logstream.errors import DecodeError
from logstream.model import Decoded, LogRecord, Span
from logstream.ports import Arrival
from logstream.receive.seq import decode
from tests.unit.receive.storable import assert_storable

RECEIVED = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PYTHON_TRACE = (
    "Traceback (most recent call last):\n"
    '  File "/srv/pay.py", line 7, in pay\n'
    "    try: 1/0\n"
    "         ~^~\n"
    "ZeroDivisionError: division by zero"
)


def decoded(body: bytes) -> Decoded:
    return decode(Arrival(body, RECEIVED, "production", path="/api/events/raw"))


def clef(**event: object) -> LogRecord:
    named = {name.replace("at_", "@", 1): value for name, value in event.items()}
    result = decoded(json.dumps(named).encode())
    assert result.rejects == []
    (record,) = result.records
    return record


def raw(**event: object) -> LogRecord:
    result = decoded(json.dumps({"Events": [event]}).encode())
    assert result.rejects == []
    (record,) = result.records
    return record


def attributes(record: LogRecord | Span) -> dict[str, object]:
    loaded: dict[str, object] = json.loads(record.attributes)
    return loaded


def test_a_compact_event_is_read_whole() -> None:
    record = clef(
        at_t="2026-01-01T00:00:01.2345678Z",
        at_mt="Order {order} took {ms:000} ms",
        at_l="Warning",
        at_i="a1b2c3d4",
        at_tr=TRACE.upper(),
        at_sp=SPAN,
        order=42,
        ms=7,
        Application="checkout",
        Environment="staging",
    )
    assert record.timestamp_unix_nano == RECEIVED + 1_234_567_800
    assert record.body == "Order 42 took 007 ms"
    assert (record.severity_number, record.severity_text) == (13, "Warning")
    assert (record.trace_id, record.span_id) == (TRACE, SPAN)
    assert (record.service_name, record.environment) == ("checkout", "staging")
    assert attributes(record) == {
        "@i": "a1b2c3d4",
        "order": 42,
        "ms": 7,
        "Application": "checkout",
        "Environment": "staging",
        "message_template.text": "Order {order} took {ms:000} ms",
    }


@pytest.mark.parametrize(
    ("template", "body"),
    [
        ("{Name} {@Name} {$Name}", "Ada Ada Ada"),
        ("{Total:0.00} {Total:F1}", "3.20 3.2"),
        ("[{Count,4}] [{Count,-4}]", "[   7] [7   ]"),
        ("{{not a hole}} {Missing} {", "{not a hole} {Missing} {"),
        ("{Order}", '{"id":1}'),
        ("{Count:x8}", "7"),
        ("{Big}", "123456789012345678901234567890"),
    ],
)
def test_templates_are_filled_with_the_properties(template: str, body: str) -> None:
    event = (
        b'{"@mt":%s,"Name":"Ada","Total":3.2,"Count":7,"Order":{"id":1},'
        b'"Big":123456789012345678901234567890}' % json.dumps(template).encode()
    )
    (record,) = decoded(event).records
    assert record.body == body


def test_renderings_of_the_sender_go_before_our_own() -> None:
    record = clef(at_mt="{Item} cost {Amount:c}", at_r=["£3.20"], Item="apple", Amount=3.2)
    assert record.body == "apple cost £3.20"


def test_a_rendered_message_wins_and_its_template_is_kept() -> None:
    record = clef(at_m="Order 42", at_mt="Order {order}", order=42)
    assert record.body == "Order 42"
    assert attributes(record)["message_template.text"] == "Order {order}"


def test_a_raw_event_is_read_whole() -> None:
    record = raw(
        Timestamp="2026-01-01 00:00:01.075403+00:00",
        Level="ERROR",
        MessageTemplate="checkout failed for user {user}",
        Properties={"MachineName": "vm", "user": "ünï-☃", "LoggerName": "seq"},
        Exception=PYTHON_TRACE,
    )
    assert record.timestamp_unix_nano == RECEIVED + 1_075_403_000
    assert record.severity_number == 17
    assert record.body == "checkout failed for user ünï-☃"
    assert record.service_name == "unknown_service"
    assert attributes(record) == {
        "MachineName": "vm",
        "user": "ünï-☃",
        "LoggerName": "seq",
        "message_template.text": "checkout failed for user {user}",
        "exception.stacktrace": PYTHON_TRACE,
        "exception.type": "ZeroDivisionError",
        "exception.message": "division by zero",
    }


@pytest.mark.parametrize(
    ("trace", "kind", "message"),
    [
        (
            "System.InvalidOperationException: No\n   at A.B()",
            "System.InvalidOperationException",
            "No",
        ),
        ("TypeError: x is not a function\n    at f (a.js:1:2)", "TypeError", "x is not a function"),
        ("java.lang.Error\n\tat a.B.c(D.java:1)", "java.lang.Error", None),
        ("it broke", None, None),
    ],
)
def test_an_exceptions_type_and_message_are_told_from_its_text(
    trace: str, kind: str | None, message: str | None
) -> None:
    found = attributes(clef(at_m="failed", at_x=trace))
    assert found["exception.stacktrace"] == trace
    assert found.get("exception.type") == kind
    assert found.get("exception.message") == message


def test_the_resource_names_the_service() -> None:
    record = clef(at_m="x", at_ra={"service": {"name": "checkout", "version": "2"}, "host": "h"})
    assert record.service_name == "checkout"
    assert attributes(record) == {"service.name": "checkout", "service.version": "2", "host": "h"}


def test_an_event_with_a_start_is_a_span() -> None:
    event = {
        "@t": "2026-01-01T00:00:01.5Z",
        "@st": "2026-01-01T00:00:01.25Z",
        "@mt": "GET {path}",
        "@tr": TRACE,
        "@sp": SPAN,
        "@ps": "1111111111111111",
        "@sk": "Server",
        "@l": "Error",
        "@x": "System.Exception: no",
        "@ra": {"service.name": "checkout"},
        "path": "/pay",
    }
    result = decoded(json.dumps(event).encode())
    assert result.records == []
    (span,) = result.spans
    assert (span.name, span.kind, span.status) == ("GET /pay", "server", "error")
    assert span.start_unix_nano == RECEIVED + 1_250_000_000
    assert span.duration_nano == 250_000_000
    assert span.parent_span_id == "1111111111111111"
    assert span.service_name == "checkout"
    assert json.loads(span.events)[0]["attributes"]["exception.type"] == "System.Exception"
    assert attributes(span)["path"] == "/pay"


def test_a_span_of_ages_fits_into_64_bits() -> None:
    event = {"@t": "9999-01-01T00:00:00Z", "@st": "0001-01-01T00:00:00Z", "@tr": TRACE, "@sp": SPAN}
    assert_storable(decoded(json.dumps(event).encode()))


def test_an_escaped_at_sign_is_a_property() -> None:
    assert attributes(clef(at_m="x", **{"@@name": "y"})) == {"@name": "y"}


def test_an_unknown_level_is_info_with_its_word() -> None:
    record = clef(at_m="x", at_l="Chatty")
    assert (record.severity_number, record.severity_text) == (9, "Chatty")


def test_a_time_that_cannot_be_read_stays_beside() -> None:
    record = clef(at_m="x", at_t="soon")
    assert record.timestamp_unix_nano == RECEIVED
    assert attributes(record) == {"@t": "soon"}


def test_one_bad_line_never_costs_its_neighbours() -> None:
    result = decoded(b'{"@m":"one"}\n{"@m":\n"two"\n{"@m":"three"}')
    assert [record.body for record in result.records] == ["one", "three"]
    assert [reject.index for reject in result.rejects] == [1, 2]


def test_an_empty_list_of_events_is_fine_and_an_empty_body_is_not() -> None:
    assert decoded(b'{"Events":[]}') == Decoded([])
    with pytest.raises(DecodeError):
        decoded(b" ")


def test_origins_are_given_when_asked_for() -> None:
    body = b'{"@t":"2026-01-01T00:00:01Z","@mt":"a","@l":"Error","service.name":"pay"}'
    (origins,) = decode(Arrival(body, RECEIVED, "production", wants_origins=True)).origins
    assert origins["timestamp"] == "@t"
    assert origins["severity_number"] == "@l"
    assert origins["service_name"] == "property service.name"


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_are_records_rejects_or_one_error(body: bytes) -> None:
    with contextlib.suppress(DecodeError):
        assert_storable(decoded(body))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
_FIELDS = ("@t", "@m", "@mt", "@l", "@x", "@r", "@tr", "@sp", "@st", "@ps", "@sk", "@ra")
_NAMES = st.sampled_from((*_FIELDS, "@@a", "a", "Timestamp", "MessageTemplate", "Properties"))


@given(st.dictionaries(_NAMES, _JSON | st.just("2026-01-01T00:00:01Z") | st.just("{a:0.0} {a,5}")))
def test_any_event_is_kept_storable(event: dict[str, object]) -> None:
    for body in (event, {"Events": [event]}):
        result = decoded(json.dumps(body).encode())
        assert_storable(result)
        assert result.rejects == []

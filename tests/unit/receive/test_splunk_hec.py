import contextlib
import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logstream.errors import DecodeError
from logstream.model import Decoded, LogRecord
from logstream.ports import Arrival
from logstream.receive.splunk_hec import NoChannel, NoData, decode
from tests.unit.receive.storable import assert_storable

RECEIVED = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z


def decoded(body: bytes, path: str = "/services/collector/event", **parameters: str) -> Decoded:
    return decode(Arrival(body, RECEIVED, "production", path=path, parameters=parameters))


def only(envelope: Mapping[str, object]) -> LogRecord:
    result = decoded(json.dumps(envelope).encode())
    assert result.rejects == []
    (record,) = result.records
    return record


def attributes(record: LogRecord) -> dict[str, object]:
    loaded: dict[str, object] = json.loads(record.attributes)
    return loaded


def test_an_event_object_is_read_with_its_envelope() -> None:
    record = only(
        {
            "time": 1767225601.25,
            "host": "web-1",
            "source": "checkout",
            "sourcetype": "httpevent",
            "index": "main",
            "event": {"level": "ERROR", "message": "order 7 failed"},
            "fields": {"region": "eu", "trace_id": "4BF92F3577B34DA6A3CE929D0E0E4736"},
        }
    )
    assert record.timestamp_unix_nano == RECEIVED + 1_250_000_000
    assert record.observed_unix_nano == RECEIVED
    assert record.service_name == "checkout"
    assert record.severity_number == 17
    assert record.body == "order 7 failed"
    assert record.trace_id == "4bf92f3577b34da6a3ce929d0e0e4736"
    found = attributes(record)
    assert found["host.name"] == "web-1"
    assert found["source"] == "checkout"
    assert found["sourcetype"] == "httpevent"
    assert found["index"] == "main"
    assert found["region"] == "eu"


@pytest.mark.parametrize(
    ("time", "nanos"),
    [
        ("1767225601.123456789", 1_123_456_789),
        ("1767225601.0429275", 1_042_927_500),
        ('"1767225601.472"', 1_472_000_000),
        ("1767225601", 1_000_000_000),
        ("1767225601472", 1_472_000_000),
        ('"2026-01-01T00:00:01Z"', 1_000_000_000),
        ("null", 0),
    ],
)
def test_a_time_is_read_to_its_last_digit(time: str, nanos: int) -> None:
    (record,) = decoded(b'{"time":%s,"event":"x"}' % time.encode()).records
    assert record.timestamp_unix_nano == RECEIVED + nanos


def test_a_time_that_cannot_be_read_stays_an_attribute() -> None:
    record = only({"time": "soon", "event": "x"})
    assert record.timestamp_unix_nano == RECEIVED
    assert attributes(record)["time"] == "soon"


@pytest.mark.parametrize("separator", [b"", b" ", b"\n", b"\r\n\r\n"])
def test_events_stand_back_to_back_with_or_without_space(separator: bytes) -> None:
    body = separator.join([b'{"event":"one"}', b'{"event":"two"}', b'{"event":"three"}'])
    assert [record.body for record in decoded(body).records] == ["one", "two", "three"]


def test_an_array_of_events_is_read_too() -> None:
    assert len(decoded(b'[{"event":"one"},{"event":{"message":"two"}}]').records) == 2


def test_a_message_that_is_an_object_gives_its_text_and_members() -> None:
    record = only({"event": {"message": {"text": "paid", "order": 42}, "severity": "warn"}})
    assert record.body == "paid"
    assert record.severity_number == 13
    assert attributes(record)["order"] == 42


def test_what_winston_puts_in_meta_is_read_like_any_member() -> None:
    record = only(
        {"event": {"message": {"msg": "failed", "meta": {"order": 42}}, "severity": "error"}}
    )
    assert (record.body, record.severity_number) == ("failed", 17)
    assert attributes(record)["order"] == 42


def test_a_message_object_without_text_is_its_own_text() -> None:
    record = only({"event": {"message": {"order": 42}, "severity": "warn"}})
    assert json.loads(record.body) == {"order": 42}


@pytest.mark.parametrize("event", [42, True, [1, 2], 1e300])
def test_an_event_of_another_type_is_kept_as_its_text(event: object) -> None:
    assert json.loads(only({"event": event}).body) == event


@pytest.mark.parametrize(
    ("envelope", "service"),
    [
        ({"event": "x", "source": "checkout"}, "checkout"),
        ({"event": "x", "source": "/var/log/app.log"}, "unknown_service"),
        ({"event": "x", "source": "http:mytoken", "sourcetype": "_json"}, "unknown_service"),
        ({"event": "x", "source": "C:\\logs\\a.log"}, "unknown_service"),
        ({"event": "x", "source": "pay", "fields": {"service.name": "cart"}}, "cart"),
        ({"event": "x"}, "unknown_service"),
    ],
)
def test_the_service_is_a_field_or_a_source_that_is_no_place(
    envelope: dict[str, object], service: str
) -> None:
    assert only(envelope).service_name == service


def test_unknown_members_of_an_envelope_are_kept() -> None:
    record = only({"event": "x", "host": 7, "extra": {"a": 1}, "fields": "odd"})
    assert record.body == "x"
    found = attributes(record)
    assert (found["host"], found["extra"], found["fields"]) == (7, {"a": 1}, "odd")


def test_one_bad_event_never_costs_its_neighbours() -> None:
    result = decoded(b'{"event":"one"}\n{"host":"h"}\n{"event":"  "}\n{"event":\n{"event":"five"}')
    assert [record.body for record in result.records] == ["one", "five"]
    assert [(reject.index, reject.reason) for reject in result.rejects] == [
        (1, "event_missing"),
        (2, "event_blank"),
        (3, "bad_record"),
    ]
    assert result.rejects[0].error.startswith("event 1: ")


def test_an_event_nested_too_deep_is_refused_alone() -> None:
    deep = b'{"event":' + b'{"a":' * 200 + b"1" + b"}" * 200 + b"}"
    result = decoded(deep + b'{"event":"fine"}')
    assert [record.body for record in result.records] == ["fine"]
    assert "100 levels" in result.rejects[0].error


def test_raw_lines_take_what_the_query_says() -> None:
    result = decoded(
        b"one\r\n\r\ntwo\n",
        "/services/collector/raw",
        host="web-1",
        source="checkout",
        sourcetype="app",
        index="main",
        time="1767225601",
    )
    assert [record.body for record in result.records] == ["one", "two"]
    record = result.records[0]
    assert record.timestamp_unix_nano == RECEIVED + 1_000_000_000
    assert record.service_name == "checkout"
    assert attributes(record) == {
        "host.name": "web-1",
        "source": "checkout",
        "sourcetype": "app",
        "index": "main",
    }


def test_a_stack_trace_among_raw_lines_stays_with_its_line() -> None:
    result = decoded(
        b'checkout failed\nTraceback (most recent call last):\n  File "a.py", line 1\n'
        b"ValueError: no\nnext line\njava.lang.Error: x\n\tat a.B(C.java:1)\nCaused by: y\n",
        "/services/collector/raw/1.0",
    )
    assert [record.body.split("\n")[0] for record in result.records] == [
        "checkout failed",
        "next line",
        "java.lang.Error: x",
    ]
    assert result.records[0].body.endswith("ValueError: no")
    assert result.records[2].body.endswith("Caused by: y")


@pytest.mark.parametrize("path", ["/services/collector", "/services/collector/raw"])
def test_an_empty_body_is_no_data(path: str) -> None:
    with pytest.raises(NoData):
        decoded(b" \n", path)


def test_a_question_about_acknowledgements_needs_a_channel() -> None:
    assert decoded(b'{"acks":[0]}', "/services/collector/ack", channel="c").records == []
    with pytest.raises(NoChannel):
        decoded(b'{"acks":[0]}', "/services/collector/ack")


def test_origins_are_given_when_asked_for() -> None:
    arrival = Arrival(
        b'{"time":1767225601,"source":"pay","event":"x"}{"event":{"message":"y"}}',
        RECEIVED,
        "production",
        path="/services/collector",
        wants_origins=True,
    )
    result = decode(arrival)
    assert len(result.origins) == len(result.records) == 2


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_are_records_rejects_or_one_error(body: bytes) -> None:
    for path in ("/services/collector/event", "/services/collector/raw"):
        with contextlib.suppress(DecodeError):
            assert_storable(decoded(body, path))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_json_in_an_event_or_its_fields_is_kept_storable(value: object) -> None:
    body = json.dumps(
        [{"event": value, "fields": value, "time": value, "host": value}, {"event": "last"}]
    ).encode()
    result = decoded(body)
    assert_storable(result)
    assert result.records[-1].body == "last"

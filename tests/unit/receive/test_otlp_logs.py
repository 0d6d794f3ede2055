"""OTLP logs in both encodings: the mapping, what is refused, what hostile bodies do."""

import base64
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

from logstream.errors import DecodeError, UnsupportedEncoding
from logstream.model import Decoded, LogRecord
from logstream.ports import Arrival
from logstream.receive import otlp_logs, otlp_metrics, otlp_schema
from tests.otlp_requests import (
    CONTENT_TYPES,
    NANO,
    SPAN,
    TRACE,
    Encoding,
    encoded,
    logs,
)

RECEIVED = NANO + 10_000_000_000
BOTH = pytest.mark.parametrize("encoding", ["protobuf", "json"])


def arrival(body: bytes, encoding: Encoding, **more: Any) -> Arrival:
    return Arrival(body, RECEIVED, "production", content_type=CONTENT_TYPES[encoding], **more)


def decoded(request: Any, encoding: Encoding) -> Decoded:
    return otlp_logs.decode(arrival(encoded(request, encoding), encoding))


def only(request: Any, encoding: Encoding) -> LogRecord:
    result = decoded(request, encoding)
    assert not result.rejects
    (record,) = result.records
    return record


def from_json(record: str, **more: Any) -> Decoded:
    body = f'{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{record}]}}]}}]}}'
    return otlp_logs.decode(arrival(body.encode(), "json", **more))


def attributes_of(record: LogRecord) -> dict[str, Any]:
    members: dict[str, Any] = json.loads(record.attributes)
    return members


@BOTH
def test_a_record_is_mapped_field_by_field(encoding: Encoding) -> None:
    record = only(
        logs(
            {
                "time_unix_nano": NANO,
                "observed_time_unix_nano": NANO + 5,
                "severity_number": 13,
                "severity_text": "WARNING",
                "body": "slow query took 1530 ms",
                "attributes": {"latency": 1530, "db.system": "postgresql"},
                "trace_id": TRACE,
                "span_id": SPAN,
                "flags": 1,
            },
            scope={"name": "shop.db", "version": "4.5", "attributes": {"pool": "main"}},
        ),
        encoding,
    )
    assert record == LogRecord(
        timestamp_unix_nano=NANO,
        observed_unix_nano=RECEIVED,
        environment="lab",
        service_name="checkout",
        severity_number=13,
        severity_text="WARNING",
        body="slow query took 1530 ms",
        trace_id=TRACE,
        span_id=SPAN,
        duration_ms=1530.0,
        attributes=record.attributes,
    )
    assert attributes_of(record) == {
        "latency": 1530,
        "db.system": "postgresql",
        "otel.flags": 1,
        "host.name": "web-1",
        "otel.scope.name": "shop.db",
        "otel.scope.version": "4.5",
        "otel.scope.attributes": {"pool": "main"},
    }


@BOTH
@pytest.mark.parametrize(
    ("given_times", "expected"),
    [
        ({"time_unix_nano": NANO}, NANO),
        ({"observed_time_unix_nano": NANO}, NANO),
        ({"time_unix_nano": NANO, "observed_time_unix_nano": NANO - 9}, NANO),
        ({}, RECEIVED),
    ],
)
def test_the_time_is_the_records_else_when_it_was_observed_else_of_receipt(
    given_times: dict[str, int], expected: int, encoding: Encoding
) -> None:
    assert only(logs(given_times), encoding).timestamp_unix_nano == expected


@BOTH
def test_a_record_observed_late_keeps_both_times(encoding: Encoding) -> None:
    late = NANO + 60_000_000_000
    record = only(logs({"time_unix_nano": NANO, "observed_time_unix_nano": late}), encoding)
    assert attributes_of(record)["otel.observed_time_unix_nano"] == late


@BOTH
@pytest.mark.parametrize(
    ("number", "text", "expected"),
    [
        (9, "INFO", (9, None)),
        (18, "ERROR2", (18, "ERROR2")),
        (0, "Warning", (13, "Warning")),
        (0, "error", (17, None)),
        (0, "", (9, None)),
        (0, "loud", (9, "loud")),
        (17, "loud", (17, "loud")),
    ],
)
def test_the_severity_is_the_number_else_what_the_text_means_else_info(
    number: int, text: str, expected: tuple[int, str | None], encoding: Encoding
) -> None:
    record = only(logs({"severity_number": number, "severity_text": text}), encoding)
    assert (record.severity_number, record.severity_text) == expected


@BOTH
@pytest.mark.parametrize(
    ("resource", "own", "expected"),
    [
        ({}, {}, ("unknown_service", "production")),
        ({"service.name": " "}, {}, ("unknown_service", "production")),
        ({"service.name": "a", "deployment.environment": "qa"}, {}, ("a", "qa")),
        ({}, {"service.name": "b", "environment": "dev"}, ("b", "dev")),
        ({"service.name": "a"}, {"service.name": "b"}, ("a", "production")),
    ],
)
def test_service_and_environment_are_the_resources_else_the_records(
    resource: dict[str, object],
    own: dict[str, object],
    expected: tuple[str, str],
    encoding: Encoding,
) -> None:
    record = only(logs({"attributes": own}, resource=resource), encoding)
    assert (record.service_name, record.environment) == expected


@BOTH
def test_a_resource_attribute_the_record_has_with_another_value_is_kept_beside_it(
    encoding: Encoding,
) -> None:
    request = logs(
        {"attributes": {"host.name": "pod-7", "region": "west"}},
        resource={"host.name": "web-1", "region": "west"},
    )
    assert attributes_of(only(request, encoding)) == {
        "host.name": "pod-7",
        "region": "west",
        "resource.host.name": "web-1",
    }


@BOTH
@pytest.mark.parametrize(
    ("body", "text", "attributes"),
    [
        ("Zahlung ünï-☃ \U0001f600\r\n\tat x", "Zahlung ünï-☃ \U0001f600\r\n\tat x", {}),
        (42, "42", {}),
        (True, "true", {}),
        (["a", {"b": 1}], '["a",{"b":1}]', {}),
        ({"code": 7}, '{"code":7}', {}),
        ({"message": "paid", "order": 42}, "paid", {"order": 42}),
        ({"msg": "paid", "kept": 1}, "paid", {"kept": 0, "body.kept": 1}),
        (b"raw line", "raw line", {}),
        (b"\xff\x00", "/wA=", {}),
        (None, "", {}),
    ],
)
def test_a_body_is_text_as_it_is_its_message_or_json(
    body: object, text: str, attributes: dict[str, object], encoding: Encoding
) -> None:
    own = {"kept": 0} if "kept" in attributes else {}
    record = only(logs({"body": body, "attributes": own}, resource={}), encoding)
    assert record.body == text
    assert attributes_of(record) == attributes


@BOTH
def test_an_exception_without_a_body_is_told_by_its_message(encoding: Encoding) -> None:
    stack = "ZeroDivisionError: division by zero\n  at three"
    record = only(
        logs(
            {
                "event_name": "checkout.failed",
                "attributes": {
                    "exception.type": "ZeroDivisionError",
                    "exception.message": "division by zero",
                    "exception.stacktrace": stack,
                },
            }
        ),
        encoding,
    )
    assert record.body == "division by zero"
    assert attributes_of(record)["exception.stacktrace"] == stack
    assert attributes_of(record)["otel.event.name"] == "checkout.failed"


@BOTH
def test_an_event_without_body_or_exception_is_told_by_its_name(encoding: Encoding) -> None:
    assert only(logs({"event_name": "session.start"}), encoding).body == "session.start"


@BOTH
def test_an_exception_sent_as_an_object_gets_opentelemetrys_names(encoding: Encoding) -> None:
    error = {"type": "SyntaxError", "message": "position 1", "stack": "at x", "code": 5}
    record = only(logs({"body": "failed", "attributes": {"err": error}}, resource={}), encoding)
    assert attributes_of(record) == {
        "err": {"code": 5},
        "exception.type": "SyntaxError",
        "exception.message": "position 1",
        "exception.stacktrace": "at x",
    }


@BOTH
def test_every_kind_of_value_is_kept_exactly(encoding: Encoding) -> None:
    record = only(
        logs(
            {
                "attributes": {
                    "text": 'quote " and \\ and \u2028',
                    "truth": False,
                    "largest": 2**63 - 1,
                    "smallest": -(2**63),
                    "ratio": 0.1,
                    "nan": math.nan,
                    "minus": -math.inf,
                    "blob": b"\x00\xff",
                    "list": [1, [2, "x"]],
                    "map": {"a": {"b": 1}},
                    "empty": None,
                    "none": [],
                    "nothing": {},
                }
            },
            resource={},
        ),
        encoding,
    )
    assert attributes_of(record) == {
        "text": 'quote " and \\ and \u2028',
        "truth": False,
        "largest": 9223372036854775807,
        "smallest": -9223372036854775808,
        "ratio": 0.1,
        "nan": "NaN",
        "minus": "-Infinity",
        "blob": base64.b64encode(b"\x00\xff").decode(),
        "list": [1, [2, "x"]],
        "map": {"a": {"b": 1}},
        "empty": None,
        "none": [],
        "nothing": {},
    }


@BOTH
def test_a_trace_id_of_zeros_is_none_and_a_malformed_one_an_attribute(encoding: Encoding) -> None:
    result = decoded(
        logs({"trace_id": "00" * 16, "span_id": "00" * 8}, {"trace_id": "abcdef", "span_id": SPAN}),
        encoding,
    )
    zero, short = result.records
    assert (zero.trace_id, zero.span_id) == (None, None)
    assert "trace_id" not in attributes_of(zero)
    assert (short.trace_id, short.span_id) == (None, SPAN)
    assert attributes_of(short)["trace_id"] == "abcdef"


@BOTH
def test_ids_a_logger_put_among_the_attributes_are_found(encoding: Encoding) -> None:
    record = only(logs({"attributes": {"trace_id": TRACE, "spanId": SPAN.upper()}}), encoding)
    assert (record.trace_id, record.span_id) == (TRACE, SPAN)


@BOTH
def test_counts_of_what_was_dropped_are_kept_when_not_zero(encoding: Encoding) -> None:
    record = only(logs({"dropped_attributes_count": 3}, resource={}), encoding)
    assert attributes_of(record) == {"otel.dropped_attributes_count": 3}


@BOTH
def test_nul_becomes_the_replacement_character(encoding: Encoding) -> None:
    record = only(logs({"body": "a\x00b", "attributes": {"k\x00": "v\x00"}}, resource={}), encoding)
    assert record.body == "a\ufffdb"
    assert attributes_of(record) == {"k\ufffd": "v\ufffd"}


def deep_record(encoding: Encoding) -> bytes:
    """A request whose second of three records has a value of 120 levels; by hand, since
    OpenTelemetry's own messages give up at a hundred."""
    if encoding == "protobuf":
        deep = otlp_schema.AnyValue(string_value="deep").SerializeToString()
        for _ in range(120):
            inner = otlp_schema.Values(values=[deep]).SerializeToString()
            deep = otlp_schema.AnyValue(array_value=inner).SerializeToString()
        value = otlp_schema.AnyValue.FromString(deep)
        member = otlp_schema.KeyValue(key="nested", value=value).SerializeToString()
        fine = encoded(logs({"body": "fine"}), "protobuf")
        request = otlp_schema.Request.FromString(fine)
        records = request.groups[0].scopes[0].records
        records.append(otlp_schema.LogRecord(attributes=[member]).SerializeToString())
        records.append(records[0])
        body: bytes = request.SerializeToString()
        return body
    text = '{"stringValue":"deep"}'
    for _ in range(120):
        text = f'{{"arrayValue":{{"values":[{text}]}}}}'
    good = '{"body":{"stringValue":"fine"}}'
    bad = f'{{"attributes":[{{"key":"nested","value":{text}}}]}}'
    return (
        f'{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{good},{bad},{good}]}}]}}]}}'
    ).encode()


@BOTH
def test_values_nested_deeper_than_a_hundred_cost_only_their_record(encoding: Encoding) -> None:
    result = otlp_logs.decode(arrival(deep_record(encoding), encoding))
    assert [record.body for record in result.records] == ["fine", "fine"]
    (reject,) = result.rejects
    assert reject.index == 1
    assert reject.error.startswith("log record 1: ")
    assert "deeper than 100 levels" in reject.error


@BOTH
def test_an_empty_request_holds_nothing(encoding: Encoding) -> None:
    assert otlp_logs.decode(arrival(b"", encoding)) == Decoded([])
    assert decoded(logs_service_pb2.ExportLogsServiceRequest(), encoding) == Decoded([])


def test_text_that_is_not_utf8_loses_its_bad_bytes_and_nothing_else() -> None:
    body = encoded(logs({"body": "caf~~e"}, {"body": "next"}), "protobuf")
    result = otlp_logs.decode(arrival(body.replace(b"~~", b"\xc3\x28"), "protobuf"))
    assert [record.body for record in result.records] == ["caf\ufffd(e", "next"]


def test_a_broken_record_in_protobuf_costs_no_neighbour_and_can_be_sent_again() -> None:
    body = encoded(logs({"body": "one"}, {"body": "two"}, {"body": "six"}), "protobuf")
    broken = body.replace(b"\x0a\x03two", b"\x0a\x09two")
    result = otlp_logs.decode(arrival(broken, "protobuf"))
    assert [record.body for record in result.records] == ["one", "six"]
    (reject,) = result.rejects
    assert reject.index == 1
    assert "send it whole" in reject.error
    repaired = reject.raw.replace(b"\x0a\x09two", b"\x0a\x03two")
    (record,) = otlp_logs.decode(Arrival(repaired, RECEIVED, "production")).records
    assert (record.body, record.service_name) == ("two", "checkout")


def test_a_broken_record_in_json_costs_no_neighbour_and_can_be_sent_again() -> None:
    result = from_json('{"body":{"stringValue":"one"}},7,{"timeUnixNano":"soon"}')
    assert [record.body for record in result.records] == ["one"]
    assert [reject.error for reject in result.rejects] == [
        "log record 1: it is '7'; send an object",
        "log record 2: timeUnixNano 'soon' is not a whole number; send one",
    ]
    repaired = result.rejects[1].raw.replace(b'"soon"', b'"12"')
    (record,) = otlp_logs.decode(Arrival(repaired, RECEIVED, "production")).records
    assert record.timestamp_unix_nano == 12


def test_a_broken_resource_costs_only_its_own_records() -> None:
    good = encoded(logs({"body": "good"}), "protobuf")
    bad = encoded(logs({"body": "bad"}), "protobuf").replace(
        b"service.name", b"service.\xff\xff\xff\xff"
    )
    broken = bad.replace(b"\x0a\x0cservice", b"\x0a\x7fservice")
    result = otlp_logs.decode(arrival(broken + good, "protobuf"))
    assert [record.body for record in result.records] == ["good"]
    assert "its resource or scope cannot be read" in result.rejects[0].error


def test_json_is_read_in_every_spelling_senders_use() -> None:
    record = from_json(
        json.dumps(
            {
                "time_unix_nano": NANO,
                "severity_number": "SEVERITY_NUMBER_ERROR2",
                "body": {"string_value": "declined"},
                "trace_id": base64.b64encode(bytes.fromhex(TRACE)).decode(),
                "span_id": SPAN.upper(),
                "attributes": [
                    {"key": "a", "value": {"int_value": "9007199254740993"}},
                    {"key": "b", "value": {"doubleValue": "1.5"}},
                    {"key": "c", "value": {"kvlist_value": {"values": []}}},
                    {"key": "d", "value": {"intValue": 12}},
                    {"key": "e", "value": "bare"},
                ],
                "somethingNew": {"ignored": True},
            }
        )
    ).records[0]
    assert record.timestamp_unix_nano == NANO
    assert record.severity_number == 18
    assert record.body == "declined"
    assert (record.trace_id, record.span_id) == (TRACE, SPAN)
    assert record.attributes == b'{"a":9007199254740993,"b":1.5,"c":{},"d":12,"e":"bare"}'


def test_json_attributes_as_a_plain_object_are_read() -> None:
    record = from_json(
        '{"body":"paid","attributes":{"order":42,"who":{"stringValue":"x"}}}'
    ).records[0]
    assert (record.body, record.attributes) == ("paid", b'{"order":42,"who":"x"}')


def test_numbers_beyond_sixty_four_bits_and_beyond_float_survive() -> None:
    record = from_json(
        '{"attributes":[{"key":"a","value":{"intValue":"123456789012345678901234567890"}},'
        '{"key":"b","value":{"doubleValue":1e400}},{"key":"c","value":{"doubleValue":"1e400"}}]}'
    ).records[0]
    assert record.attributes == b'{"a":123456789012345678901234567890,"b":1e400,"c":"1e400"}'


def test_one_json_request_a_line_is_read_as_the_collector_writes_files() -> None:
    line = encoded(logs({"body": "one"}), "json")
    result = otlp_logs.decode(arrival(line + b"\n" + line + b"\n", "json"))
    assert len(result.records) == 2


def test_json_with_a_byte_order_mark_raw_control_characters_and_nan_is_read() -> None:
    body = encoded(logs({"body": "a~b", "attributes": {"x": math.nan}}, resource={}), "json")
    loose = b"\xef\xbb\xbf" + body.replace(b"~", b"\x01\t").replace(b'"NaN"', b"NaN")
    (record,) = otlp_logs.decode(arrival(loose, "json")).records
    assert (record.body, record.attributes) == ("a\x01\tb", b'{"x":"NaN"}')


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b'{"resourceLogs":[', "json"),
        (b'[{"body":"x"}]', "json"),
        (b'{"resourceLogs":7}', "json"),
        (b'{"resourceLogs":[{"scopeLogs":"x"}]}', "json"),
        (b"{" * 100_000, "json"),
        (b"\x0a\xff\xff\xff\xff", "protobuf"),
        (b'{"resourceLogs":[]}', "protobuf"),
    ],
)
def test_a_body_that_is_no_request_is_refused_whole(body: bytes, encoding: Encoding) -> None:
    with pytest.raises(DecodeError, match="the body is not an OTLP request in"):
        otlp_logs.decode(arrival(body, encoding))


def test_an_unknown_content_type_is_refused_and_a_missing_one_is_seen_from_the_body() -> None:
    with pytest.raises(UnsupportedEncoding, match="'text/plain' is not OTLP"):
        otlp_logs.decode(Arrival(b"{}", RECEIVED, "production", content_type="text/plain"))
    for encoding in CONTENT_TYPES:
        body = encoded(logs({"body": "paid"}), encoding)
        assert otlp_logs.decode(Arrival(body, RECEIVED, "production")).records[0].body == "paid"


@BOTH
def test_origins_say_where_each_field_came_from(encoding: Encoding) -> None:
    request = logs(
        {"observed_time_unix_nano": NANO, "severity_text": "WARN", "attributes": {"latency": 5}},
        resource={"service.name": "checkout"},
    )
    (origins,) = otlp_logs.decode(
        arrival(encoded(request, encoding), encoding, wants_origins=True)
    ).origins
    assert origins == {
        "timestamp_unix_nano": "observedTimeUnixNano",
        "observed_unix_nano": "time of receipt",
        "severity_number": "severityText",
        "severity_text": "severityText",
        "service_name": "resource attribute service.name",
        "environment": "LOGSTREAM_DEFAULT_ENVIRONMENT",
        "body": "eventName",
        "duration_ms": "attribute latency",
        "attributes": "attributes of the record, its resource and scope",
    }
    assert decoded(request, encoding).origins == []


@BOTH
def test_the_points_of_metrics_are_counted(encoding: Encoding) -> None:
    request = metrics_service_pb2.ExportMetricsServiceRequest()
    scope = request.resource_metrics.add().scope_metrics.add()
    for kind, points in (("gauge", 1), ("sum", 2), ("histogram", 3), ("summary", 4)):
        metric = scope.metrics.add(name="requests")
        for _ in range(points):
            getattr(metric, kind).data_points.add(time_unix_nano=NANO)
    counted = arrival(encoded(request, encoding), encoding)
    assert otlp_metrics.decode(counted) == Decoded([])
    assert otlp_metrics.point_count(counted) == 10


def test_our_field_numbers_are_those_of_opentelemetrys_own_messages() -> None:
    record = logs_service_pb2.ExportLogsServiceRequest.DESCRIPTOR.file.dependencies[0]
    span = trace_service_pb2.ExportTraceServiceRequest.DESCRIPTOR.file.dependencies[0]
    metric = metrics_service_pb2.ExportMetricsServiceRequest.DESCRIPTOR.file.dependencies[0]
    common = record.dependencies[0].message_types_by_name
    official = {
        "LogRecord": record.message_types_by_name["LogRecord"],
        "Span": span.message_types_by_name["Span"],
        "Event": span.message_types_by_name["Span"].nested_types_by_name["Event"],
        "Link": span.message_types_by_name["Span"].nested_types_by_name["Link"],
        "Status": span.message_types_by_name["Status"],
        "Metric": metric.message_types_by_name["Metric"],
        "AnyValue": common["AnyValue"],
        "KeyValue": common["KeyValue"],
        "Scope": common["InstrumentationScope"],
    }
    for name, descriptor in official.items():
        theirs = {field.name: field.number for field in descriptor.fields}
        for field, (number, _) in otlp_schema.MESSAGES[name].items():
            assert theirs[field] == number, f"{name}.{field}"


@given(st.binary(max_size=300), st.sampled_from(["protobuf", "json"]))
def test_any_bytes_give_records_or_a_decode_error(body: bytes, encoding: Encoding) -> None:
    try:
        result = otlp_logs.decode(arrival(body, encoding))
    except DecodeError:
        return
    for record in result.records:
        assert_storable(record)


WHOLE = logs(
    {
        "time_unix_nano": NANO,
        "severity_number": 9,
        "body": {"message": "paid", "list": [1, 2.5, True, b"x"]},
        "attributes": {"a": "b", "n": {"m": [None]}},
        "trace_id": TRACE,
        "span_id": SPAN,
    },
    {"body": "neighbour"},
)


@given(st.data(), st.sampled_from(["protobuf", "json"]))
def test_a_changed_request_never_fails_otherwise(data: st.DataObject, encoding: Encoding) -> None:
    body = bytearray(encoded(WHOLE, encoding))
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(body)))
    try:
        result = otlp_logs.decode(arrival(bytes(body[:cut]), encoding, wants_origins=True))
    except DecodeError:
        return
    assert len(result.origins) == len(result.records)
    for record in result.records:
        assert_storable(record)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
NAMES = ("timeUnixNano", "severityNumber", "severityText", "body", "attributes", "traceId")
NAMES += ("spanId", "flags", "eventName", "droppedAttributesCount", "observedTimeUnixNano")


@given(st.dictionaries(st.sampled_from(NAMES), JSON_VALUES))
def test_any_json_in_a_records_fields_is_kept_or_refused_in_words(fields: dict[str, Any]) -> None:
    result = from_json(json.dumps(fields))
    assert len(result.records) + len(result.rejects) == 1
    for record in result.records:
        assert_storable(record)


def assert_storable(record: LogRecord) -> None:
    assert 1 <= record.severity_number <= 24
    assert isinstance(json.loads(record.attributes), dict)
    assert b"\\u0000" not in record.attributes
    texts = (record.body, record.service_name, record.severity_text, record.trace_id)
    for text in (*texts, record.span_id, record.environment):
        if text is not None:
            assert "\x00" not in text
            text.encode()

"""OTLP bodies, well-formed or not: spellings of JSON, what a broken part costs."""

import base64
import json
import math

import pytest
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

from logstream.errors import DecodeError, UnsupportedEncoding
from logstream.model import Decoded
from logstream.ports import Arrival
from logstream.receive import otlp_logs, otlp_metrics, otlp_schema
from tests.otlp_requests import (
    CONTENT_TYPES,
    NANO,
    RECEIVED,
    SPAN,
    TRACE,
    Encoding,
    arrival,
    encoded,
    logs,
)

BOTH = pytest.mark.parametrize("encoding", ["protobuf", "json"])


def from_json(record: str) -> Decoded:
    """What is read of one record's JSON in a request around it."""
    body = f'{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{record}]}}]}}]}}'
    return otlp_logs.decode(arrival(body.encode(), "json"))


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
    empty = encoded(logs_service_pb2.ExportLogsServiceRequest(), encoding)
    assert otlp_logs.decode(arrival(empty, encoding)) == Decoded([])


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
        (b'{"message":"hello"}', "json"),
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


def test_a_null_member_of_a_json_value_is_as_good_as_none() -> None:
    result = from_json('{"body":{"stringValue":null,"intValue":"5"}},{"body":{"intValue":null}}')
    assert [record.body for record in result.records] == ["5", ""]

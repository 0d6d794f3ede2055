"""OTLP log records in both encodings: what their fields become."""

import base64
import json
import math
from typing import Any

import pytest

from logstream.model import Decoded, LogRecord
from logstream.receive import otlp_logs
from tests.otlp_requests import (
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


def decoded(request: Any, encoding: Encoding) -> Decoded:
    return otlp_logs.decode(arrival(encoded(request, encoding), encoding))


def only(request: Any, encoding: Encoding) -> LogRecord:
    result = decoded(request, encoding)
    assert not result.rejects
    (record,) = result.records
    return record


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
        "body": "nothing said",
        "duration_ms": "attribute latency",
        "attributes": "attributes of the record, its resource and scope",
    }
    assert decoded(request, encoding).origins == []

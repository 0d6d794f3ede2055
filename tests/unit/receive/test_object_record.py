"""Objects and texts of other people's loggers, as their programs write them."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given as given_examples
from hypothesis import settings
from hypothesis import strategies as st

from logstream.model import LogRecord, iso_time
from logstream.receive.json_text import clean_json
from logstream.receive.native_values import Defaults, Refused
from logstream.receive.object_record import Given, record_of_object, record_of_text

RECEIVED = 1_769_904_000_000_000_000  # 2026-02-01T00:00:00Z
DEFAULTS = Defaults(RECEIVED, "production", "UTC")
MOMENT = "2026-01-31T14:05:00.123Z"
MOMENT_MS = 1_769_868_300_123
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"


def read(text: str | dict[str, Any], given: Given | None = None) -> LogRecord:
    raw = text if isinstance(text, str) else json.dumps(text)
    return record_of_object(clean_json(raw.encode()), DEFAULTS, given or Given())


def facts(record: LogRecord) -> dict[str, Any]:
    """What differs from a record that says nothing."""
    found = {
        "time": iso_time(record.timestamp_unix_nano),
        "level": (record.severity_number, record.severity_text),
        "service": record.service_name,
        "environment": record.environment,
        "body": record.body,
        "trace": record.trace_id,
        "span": record.span_id,
        "ms": record.duration_ms,
        "rest": json.loads(record.attributes),
    }
    nothing = {
        "time": iso_time(RECEIVED),
        "level": (9, None),
        "service": "unknown_service",
        "environment": "production",
        "rest": {},
    }
    return {key: value for key, value in found.items() if value not in (None, nothing.get(key))}


LOGGERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "pino": (
        {
            "level": 50,
            "time": MOMENT_MS,
            "pid": 12,
            "hostname": "web1",
            "name": "checkout",
            "err": {
                "type": "TypeError",
                "message": "x is undefined",
                "stack": "TypeError: x\n at f",
            },
            "msg": "charge failed",
        },
        {
            "time": MOMENT,
            "level": (17, None),
            "service": "checkout",
            "body": "charge failed",
            "rest": {
                "pid": 12,
                "hostname": "web1",
                "exception.type": "TypeError",
                "exception.message": "x is undefined",
                "exception.stacktrace": "TypeError: x\n at f",
            },
        },
    ),
    "bunyan": (
        {
            "name": "checkout",
            "hostname": "web1",
            "pid": 12,
            "level": 40,
            "err": {
                "message": "late",
                "name": "Error",
                "stack": "Error: late\n at f",
                "code": "E1",
            },
            "msg": "slow",
            "time": MOMENT,
            "v": 0,
        },
        {
            "time": MOMENT,
            "level": (13, None),
            "service": "checkout",
            "body": "slow",
            "rest": {
                "hostname": "web1",
                "pid": 12,
                "v": 0,
                "err": {"code": "E1"},
                "exception.type": "Error",
                "exception.message": "late",
                "exception.stacktrace": "Error: late\n at f",
            },
        },
    ),
    "winston": (
        {
            "level": "error",
            "message": "boom",
            "stack": "Error: boom\n    at three (t.mjs:4)",
            "timestamp": MOMENT,
            "traceId": "abc123",
            "service": "cart",
        },
        {
            "time": MOMENT,
            "level": (17, None),
            "service": "cart",
            "body": "boom",
            "trace": "abc123",
            "rest": {"exception.stacktrace": "Error: boom\n    at three (t.mjs:4)"},
        },
    ),
    "zap": (
        {
            "level": "warn",
            "ts": 1769868300.123,
            "caller": "cart/main.go:7",
            "msg": "retry",
            "error": "connection refused",
            "stacktrace": "main.main\n\t/srv/main.go:7",
        },
        {
            "time": MOMENT,
            "level": (13, None),
            "body": "retry",
            "rest": {
                "caller": "cart/main.go:7",
                "error": "connection refused",
                "exception.stacktrace": "main.main\n\t/srv/main.go:7",
            },
        },
    ),
    "serilog clef": (
        {
            "@t": "2026-01-31T14:05:00.1234567Z",
            "@m": "Order 7 failed",
            "@mt": "Order {Id} failed",
            "@l": "Warning",
            "@x": "System.Exception: no\n   at Shop.Pay()",
            "@tr": TRACE,
            "@sp": SPAN,
            "Id": 7,
            "Application": "shop",
        },
        {
            "time": "2026-01-31T14:05:00.123456700Z",
            "level": (13, "Warning"),
            "service": "shop",
            "body": "Order 7 failed",
            "trace": TRACE,
            "span": SPAN,
            "rest": {
                "@mt": "Order {Id} failed",
                "Id": 7,
                "exception.stacktrace": "System.Exception: no\n   at Shop.Pay()",
            },
        },
    ),
    "ecs nested": (
        {
            "@timestamp": MOMENT,
            "log": {"level": "ERROR", "logger": "shop.pay"},
            "message": "declined",
            "ecs": {"version": "8.11"},
            "service": {"name": "pay", "version": "1.2", "environment": "staging"},
            "trace": {"id": TRACE},
            "span": {"id": SPAN},
            "error": {"type": "PayError", "message": "no", "stack_trace": "PayError: no\n at pay"},
        },
        {
            "time": MOMENT,
            "level": (17, None),
            "service": "pay",
            "environment": "staging",
            "body": "declined",
            "trace": TRACE,
            "span": SPAN,
            "rest": {
                "log": {"logger": "shop.pay"},
                "ecs": {"version": "8.11"},
                "service": {"version": "1.2"},
                "exception.type": "PayError",
                "exception.message": "no",
                "exception.stacktrace": "PayError: no\n at pay",
            },
        },
    ),
    "ecs dotted": (
        {
            "@timestamp": MOMENT,
            "log.level": "info",
            "message": "paid",
            "service.name": "pay",
            "service.environment": "staging",
            "trace.id": TRACE,
            "error.stack_trace": "E\n at pay",
        },
        {
            "time": MOMENT,
            "service": "pay",
            "environment": "staging",
            "body": "paid",
            "trace": TRACE,
            "rest": {"exception.stacktrace": "E\n at pay"},
        },
    ),
    "log4j 2": (
        {
            "instant": {"epochSecond": 1769868300, "nanoOfSecond": 123456789},
            "thread": "main",
            "level": "FATAL",
            "loggerName": "shop.Pay",
            "message": "down",
            "thrown": {
                "name": "java.io.IOException",
                "message": "gone",
                "extendedStackTrace": "java.io.IOException: gone\n\tat shop.Pay.run",
            },
        },
        {
            "time": "2026-01-31T14:05:00.123456789Z",
            "level": (21, None),
            "body": "down",
            "rest": {
                "thread": "main",
                "loggerName": "shop.Pay",
                "exception.type": "java.io.IOException",
                "exception.message": "gone",
                "exception.stacktrace": "java.io.IOException: gone\n\tat shop.Pay.run",
            },
        },
    ),
    "logstash-logback-encoder": (
        {
            "@timestamp": "2026-01-31T15:05:00.123+01:00",
            "@version": "1",
            "message": "paid",
            "logger_name": "shop.Pay",
            "level": "WARN",
            "level_value": 30000,
            "stack_trace": "E: no\n\tat shop.Pay.run",
        },
        {
            "time": MOMENT,
            "level": (13, None),
            "body": "paid",
            "rest": {
                "@version": "1",
                "logger_name": "shop.Pay",
                "level_value": 30000,
                "exception.stacktrace": "E: no\n\tat shop.Pay.run",
            },
        },
    ),
    "python-logstash-async": (
        {
            "@timestamp": MOMENT,
            "host": "web1",
            "level": "ERROR",
            "message": "checkout failed",
            "program": "pay.py",
            "extra": {
                "line": 8,
                "error_type": "ValueError",
                "stack_trace": "Traceback…\nValueError",
            },
        },
        {
            "time": MOMENT,
            "level": (17, None),
            "service": "pay.py",
            "body": "checkout failed",
            "rest": {
                "host": "web1",
                "extra": {"line": 8},
                "exception.type": "ValueError",
                "exception.stacktrace": "Traceback…\nValueError",
            },
        },
    ),
    "structlog": (
        {
            "event": "order paid",
            "level": "info",
            "timestamp": MOMENT,
            "order": 7,
            "exception": "Traceback…\nValueError: no",
        },
        {
            "time": MOMENT,
            "body": "order paid",
            "rest": {"order": 7, "exception.stacktrace": "Traceback…\nValueError: no"},
        },
    ),
    "python-json-logger": (
        {
            "asctime": "2026-01-31 14:05:00,123",
            "levelname": "WARNING",
            "name": "shop.pay",
            "message": "late",
            "exc_info": "Traceback…\nValueError: no",
        },
        {
            "time": MOMENT,
            "level": (13, "WARNING"),
            "body": "late",
            "rest": {"name": "shop.pay", "exception.stacktrace": "Traceback…\nValueError: no"},
        },
    ),
    "loguru": (
        {
            "text": "2026-01-31 14:05:00.123 | ERROR | no\n",
            "record": {
                "level": {"icon": "x", "name": "ERROR", "no": 40},
                "message": "no",
                "time": {"repr": "2026-01-31 14:05:00.123+00:00", "timestamp": 1769868300.123},
            },
        },
        {
            "time": MOMENT,
            "level": (17, None),
            "body": "no",
            "rest": {
                "text": "2026-01-31 14:05:00.123 | ERROR | no\n",
                "record": {"level": {"icon": "x", "name": "ERROR", "no": 40}},
            },
        },
    ),
    "slog": (
        {
            "time": "2026-01-31T14:05:00.123456789Z",
            "level": "ERROR+2",
            "source": {"function": "main.pay", "file": "main.go", "line": 7},
            "msg": "declined",
        },
        {
            "time": "2026-01-31T14:05:00.123456789Z",
            "level": (19, "ERROR+2"),
            "body": "declined",
            "rest": {"source": {"function": "main.pay", "file": "main.go", "line": 7}},
        },
    ),
    "zerolog": (
        {"level": "debug", "time": 1769868300, "message": "cache miss", "key": "a"},
        {
            "time": "2026-01-31T14:05:00.000Z",
            "level": (5, None),
            "body": "cache miss",
            "rest": {"key": "a"},
        },
    ),
    "google cloud": (
        {
            "severity": "NOTICE",
            "message": "started",
            "timestampSeconds": 1769868300,
            "timestampNanos": 123000000,
            "logging.googleapis.com/trace": f"projects/shop/traces/{TRACE}",
            "logging.googleapis.com/spanId": SPAN,
        },
        {
            "time": MOMENT,
            "level": (9, "NOTICE"),
            "body": "started",
            "trace": TRACE,
            "span": SPAN,
            "rest": {"logging.googleapis.com/trace": f"projects/shop/traces/{TRACE}"},
        },
    ),
    "google cloud export": (
        {
            "timestamp": MOMENT,
            "severity": "ERROR",
            "jsonPayload": {"message": "no", "order": 7},
            "resource": {"type": "cloud_run_revision", "labels": {"service_name": "pay"}},
            "trace": f"projects/shop/traces/{TRACE}",
        },
        {
            "time": MOMENT,
            "level": (17, None),
            "service": "pay",
            "body": "no",
            "trace": TRACE,
            "rest": {
                "jsonPayload": {"order": 7},
                "resource": {"type": "cloud_run_revision", "labels": {"service_name": "pay"}},
                "trace": f"projects/shop/traces/{TRACE}",
            },
        },
    ),
    "aws lambda": (
        {
            "timestamp": MOMENT,
            "level": "ERROR",
            "errorType": "ValueError",
            "errorMessage": "no stock",
            "stackTrace": ['  File "/var/task/a.py", line 7\n', "ValueError"],
            "requestId": "r-1",
        },
        {
            "time": MOMENT,
            "level": (17, None),
            "body": "no stock",
            "rest": {
                "requestId": "r-1",
                "exception.type": "ValueError",
                "exception.message": "no stock",
                "exception.stacktrace": '  File "/var/task/a.py", line 7\n\nValueError',
            },
        },
    ),
    "aws powertools": (
        {
            "level": "INFO",
            "message": "paid",
            "timestamp": "2026-01-31 14:05:00,123+0000",
            "service": "pay",
            "xray_trace_id": "1-5759e988-bd862e3fe1be46a994272793",
        },
        {
            "time": MOMENT,
            "service": "pay",
            "body": "paid",
            "trace": "5759e988bd862e3fe1be46a994272793",
            "rest": {"xray_trace_id": "1-5759e988-bd862e3fe1be46a994272793"},
        },
    ),
    "fluent bit": (
        {
            "date": 1769868300.123456,
            "log": '{"level":"error","msg":"no stock","order":7}\n',
            "stream": "stderr",
            "kubernetes": {
                "pod_name": "pay-7",
                "labels": {"app.kubernetes.io/name": "pay"},
                "container_name": "main",
            },
        },
        {
            "time": "2026-01-31T14:05:00.123456Z",
            "level": (17, None),
            "service": "pay",
            "body": "no stock",
            "rest": {
                "order": 7,
                "stream": "stderr",
                "kubernetes": {
                    "pod_name": "pay-7",
                    "labels": {"app.kubernetes.io/name": "pay"},
                    "container_name": "main",
                },
            },
        },
    ),
    "docker": (
        {
            "log": "2026-01-31 14:04:59 WARN [pay] slow\n",
            "stream": "stdout",
            "time": "2026-01-31T14:05:00.123456789Z",
        },
        {
            "time": "2026-01-31T14:05:00.123456789Z",
            "level": (13, None),
            "body": "2026-01-31 14:04:59 WARN [pay] slow",
            "rest": {"stream": "stdout"},
        },
    ),
    "aws firelens": (
        {
            "container_name": "/pay",
            "source": "stdout",
            "log": "level=warn msg=slow ms=7",
            "ecs_cluster": "shop",
        },
        {
            "level": (13, None),
            "service": "pay",
            "body": "slow",
            "rest": {"ms": "7", "source": "stdout", "ecs_cluster": "shop"},
        },
    ),
    "journald": (
        {
            "MESSAGE": "Started",
            "PRIORITY": "4",
            "SYSLOG_IDENTIFIER": "systemd",
            "__REALTIME_TIMESTAMP": "1769868300123456",
            "_HOSTNAME": "web1",
        },
        {
            "time": "2026-01-31T14:05:00.123456Z",
            "level": (13, None),
            "service": "systemd",
            "body": "Started",
            "rest": {"_HOSTNAME": "web1"},
        },
    ),
    "journald bytes": ({"MESSAGE": [104, 105, 255]}, {"body": "hi\ufffd"}),
    "mongodb": (
        {"t": {"$date": MOMENT}, "s": "W", "c": "NETWORK", "id": 22, "ctx": "conn1", "msg": "slow"},
        {
            "time": MOMENT,
            "level": (13, "W"),
            "body": "slow",
            "rest": {"c": "NETWORK", "id": 22, "ctx": "conn1"},
        },
    ),
    "monolog": (
        {"message": "late", "level": 300, "level_name": "WARNING", "channel": "app"},
        {"level": (13, "WARNING"), "body": "late", "rest": {"level": 300, "channel": "app"}},
    ),
    "our own": (
        {
            "source": "pay",
            "message": "paid",
            "severity": "error",
            "metadata": {"traceId": "T1", "latency": 8},
            "createdAt": MOMENT,
        },
        {
            "time": MOMENT,
            "level": (17, None),
            "service": "pay",
            "body": "paid",
            "trace": "T1",
            "ms": 8.0,
            "rest": {"traceId": "T1", "latency": 8},
        },
    ),
}


@pytest.mark.parametrize(("sent", "expected"), LOGGERS.values(), ids=LOGGERS)
def test_a_loggers_object_is_read_by_its_own_names(
    sent: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert facts(read(sent)) == expected


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"msg": 7}, {"body": "7"}),
        ({"message": {"a": 1}}, {"body": '{"a": 1}'}),
        ({"user": 7}, {"body": '{"user": 7}', "rest": {"user": 7}}),
        ({"msg": "x", "level": "loud"}, {"body": "x", "level": (9, "loud")}),
        ({"msg": "x", "level": 35}, {"body": "x", "level": (9, "35")}),
        ({"msg": "x", "level": 300}, {"body": "x", "level": (9, "300")}),
        ({"msg": "x", "priority": "high"}, {"body": "x", "rest": {"priority": "high"}}),
        ({"msg": "x", "status": "200"}, {"body": "x", "rest": {"status": "200"}}),
        ({"msg": "x", "status": "warning"}, {"body": "x", "level": (13, "warning")}),
        ({"msg": "x", "levelno": 40}, {"body": "x", "level": (17, None)}),
        ({"msg": "ERROR: gone", "level": "info"}, {"body": "ERROR: gone"}),
        ({"msg": "ERROR: gone"}, {"body": "ERROR: gone", "level": (17, None)}),
        ({"msg": "x", "time": "soon"}, {"body": "x", "rest": {"time": "soon"}}),
        ({"msg": "x", "time": 12}, {"body": "x", "rest": {"time": 12}}),
        (
            {"msg": "x", "time": True, "ts": MOMENT_MS},
            {"body": "x", "time": MOMENT, "rest": {"time": True}},
        ),
        ({"msg": "x", "service": "s" * 201}, {"body": "x", "rest": {"service": "s" * 201}}),
        ({"msg": "x", "service": " "}, {"body": "x", "rest": {"service": " "}}),
        ({"msg": "x", "trace_id": "t" * 129}, {"body": "x", "rest": {"trace_id": "t" * 129}}),
        ({"msg": "x", "otelTraceID": "0"}, {"body": "x", "rest": {"otelTraceID": "0"}}),
        ({"msg": "x", "latency": "12.5"}, {"body": "x", "ms": 12.5, "rest": {"latency": "12.5"}}),
        ({"msg": "x", "exc_info": "None"}, {"body": "x", "rest": {"exc_info": "None"}}),
        ({"msg": "x", "stack": 7}, {"body": "x", "rest": {"stack": 7}}),
        (
            {"severityText": "ERROR", "severityNumber": 18, "body": "x"},
            {"body": "x", "level": (18, None)},
        ),
        (
            {"SeverityNumber": 0, "SeverityText": "WARN", "Body": "x"},
            {"body": "x", "level": (13, None), "rest": {"SeverityNumber": 0}},
        ),
        (
            {"level": 30, "err": {"message": "gone", "stack": "E\n at f"}},
            {
                "body": "gone",
                "rest": {"exception.message": "gone", "exception.stacktrace": "E\n at f"},
            },
        ),
    ],
)
def test_nothing_that_can_be_kept_is_refused(
    sent: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert facts(read(sent)) == expected


def test_numbers_keep_every_digit() -> None:
    record = read(
        '{"msg":"x","ts":1769868300.123456789,"big":123456789012345678901234567890,"p":1.10,'
        '"huge":1e400,"latency":1e999}'
    )
    assert record.timestamp_unix_nano == 1_769_868_300_123_456_789
    assert record.attributes == (
        b'{"big":123456789012345678901234567890,"p":1.10,"huge":1e400,"latency":1e999}'
    )


ENVELOPE = Given(
    timestamp_unix_nano=7,
    severity="warning",
    service_name="cart",
    environment="qa",
    trace_id=TRACE.upper(),
    span_id=SPAN,
    attributes={"job": "web", "host": "outer", "order": 7},
    origins={"service_name": 'label "app"'},
)


def test_what_the_envelope_says_goes_first_and_nothing_is_lost() -> None:
    origins: dict[str, str] = {}
    sent = b'{"msg":"x","level":"error","time":9999999999,"service":"s","host":"h","order":7}'
    record = record_of_object(sent, DEFAULTS, ENVELOPE, origins)
    assert record.timestamp_unix_nano == 7
    assert facts(record) | {"time": ""} == {
        "time": "",
        "level": (13, "warning"),
        "service": "cart",
        "environment": "qa",
        "body": "x",
        "trace": TRACE,
        "span": SPAN,
        "rest": {
            "level": "error",
            "time": 9999999999,
            "service": "s",
            "host": "h",
            "order": 7,
            "job": "web",
            "field_host": "outer",
        },
    }
    assert origins["service_name"] == 'label "app"'
    assert origins["body"] == "msg"


def test_fallbacks_count_when_the_object_says_nothing() -> None:
    fallback = Given(fallback_service="file", fallback_severity="error")
    assert facts(read({"msg": "x"}, fallback)) == {
        "body": "x",
        "service": "file",
        "level": (17, None),
    }
    assert facts(read({"msg": "x", "app": "cart", "level": "debug"}, fallback)) == {
        "body": "x",
        "service": "cart",
        "level": (5, None),
    }


def test_origins_name_the_senders_fields_or_the_default() -> None:
    origins: dict[str, str] = {}
    record_of_object(b'{"log":{"level":"warn"},"msg":"x"}', DEFAULTS, origins=origins)
    assert origins["severity_number"] == "log.level"
    assert origins["body"] == "msg"
    assert origins["timestamp"] == "time of receipt"
    assert origins["environment"] == "LOGSTREAM_DEFAULT_ENVIRONMENT"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("order 7 paid ", {"body": "order 7 paid "}),
        ("an error while reading", {"body": "an error while reading"}),
        ("[ERROR] gone", {"body": "[ERROR] gone", "level": (17, None)}),
        ("\x1b[31mERROR\x1b[0m: gone", {"body": "\x1b[31mERROR\x1b[0m: gone", "level": (17, None)}),
        (
            "2026-01-31 14:05:00,123 WARNING [a.b] late",
            {"body": "2026-01-31 14:05:00,123 WARNING [a.b] late", "level": (13, "WARNING")},
        ),
        (
            '{"level":"warn","msg":"late","n":1}',
            {"body": "late", "level": (13, None), "rest": {"n": 1}},
        ),
        ('{"n":1}', {"body": '{"n":1}'}),
        ('{"n":', {"body": '{"n":'}),
        ("[1,2]", {"body": "[1,2]"}),
        (
            'time=2026-01-31T14:05:00.123Z level=error msg="no stock" order=7',
            {"time": MOMENT, "body": "no stock", "level": (17, None), "rest": {"order": "7"}},
        ),
        ("a=1 b=2", {"body": "a=1 b=2"}),
        ("nul\x00 half\ud800", {"body": "nul\ufffd half\ufffd"}),
        ("", {"body": ""}),
    ],
)
def test_a_text_is_kept_or_read_as_its_loggers_line(text: str, expected: dict[str, Any]) -> None:
    assert facts(record_of_text(text, DEFAULTS)) == expected


def test_a_given_level_ends_the_search_for_one() -> None:
    assert record_of_text("ERROR: gone", DEFAULTS, Given(severity="info")).severity_number == 9


@pytest.mark.parametrize("raw", [b"[]", b"7", b'"x"', b"null"])
def test_what_is_no_object_is_refused(raw: bytes) -> None:
    with pytest.raises(Refused, match="send an object"):
        record_of_object(raw, DEFAULTS)


def test_nesting_beyond_the_limit_is_refused() -> None:
    with pytest.raises(Refused, match="nested deeper than 100"):
        record_of_object(b'{"a":' * 101 + b"1" + b"}" * 101, DEFAULTS)
    text = '{"msg":' * 101 + "1" + "}" * 101
    assert record_of_text(text, DEFAULTS).body == text


known_names = sorted(
    {name for sent, _ in LOGGERS.values() for name in sent}
    | {"severity_number", "timestamp", "trace_id", "span_id", "latency", "status", "levelno"}
    | {"exception", "error", "fields", "metadata", "created", "stack_info", "body", "env"}
)
any_text = st.text(st.characters(exclude_categories=()), max_size=12)
any_value = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | any_text
    | st.sampled_from(["error", "30", "loud", MOMENT, TRACE, '{"msg":"x","level":"warn"}']),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(known_names) | any_text, inner, max_size=4)
    ),
    max_leaves=6,
)
any_object = st.dictionaries(st.sampled_from(known_names) | any_text, any_value, max_size=8)


def assert_storable(record: LogRecord) -> None:
    texts = [record.body, record.service_name, record.environment, record.severity_text or ""]
    texts += [record.trace_id or "", record.span_id or "", record.attributes.decode()]
    for text in texts:
        assert "\x00" not in text
        text.encode()
    assert clean_json(record.attributes) == record.attributes
    assert isinstance(msgspec.json.decode(record.attributes), dict)
    assert 1 <= record.severity_number <= 24
    assert record.service_name
    assert record.environment


@settings(max_examples=400, deadline=None)
@given_examples(any_object)
def test_any_object_gives_a_record_that_can_be_stored(sent: dict[str, Any]) -> None:
    assert_storable(read(sent))


@settings(max_examples=200, deadline=None)
@given_examples(any_text | any_object.map(json.dumps))
def test_any_text_gives_a_record_that_can_be_stored(text: str) -> None:
    assert_storable(record_of_text(text, DEFAULTS, Given(attributes={"msg": 1, "level": "x"})))

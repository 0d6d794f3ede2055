"""Unmodified client libraries: everything they send is stored as what it was."""

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.integration.clients.conftest import Sent

SECONDS = 20
FIXED = datetime(2026, 11, 23, 2, tzinfo=UTC)


@dataclass(frozen=True)
class Client:
    """One client and what it can say: its service, how exact its times are, stack traces."""

    language: str
    name: str
    service: str = "payments"
    decimals: int = 3
    has_stack: bool = True
    # Sends the text before formatting: "order %s".
    formats: bool = True
    is_dated_now: bool = True


LOGS = [
    Client("python", "otlp_proto", decimals=6),
    Client("python", "otlp_proto_gzip", decimals=6),
    Client("python", "otlp_json", decimals=6),
    Client("python", "azure_monitor", decimals=6),
    Client("python", "python_logging_loki", decimals=6),
    Client("python", "loki_logger_handler", decimals=6),
    Client("python", "elasticsearch", decimals=6, is_dated_now=False),
    Client("python", "opensearch", decimals=6, is_dated_now=False),
    Client("python", "splunk_hec_handler", decimals=6, has_stack=False, formats=False),
    Client("python", "splunk_handler", decimals=6),
    Client("python", "seqlog", decimals=6),
    Client("python", "pygelf_http", decimals=6),
    Client("python", "pygelf_udp", decimals=6),
    Client("python", "pygelf_tcp", decimals=6),
    Client("python", "logtail", service="unknown_service", decimals=6),
    Client("python", "axiom"),
    Client("python", "logstash_async"),
    Client("python", "sentry", decimals=6),
    Client("python", "datadog"),
    Client("python", "fluent_logger"),
    Client("python", "http_handler_post", decimals=6),
    Client("python", "http_handler_get", decimals=6),
    Client("python", "syslog_udp"),
    Client("python", "syslog_tcp"),
    Client("node", "otlp_logs_json"),
    Client("node", "otlp_logs_proto"),
    Client("node", "winston_http", service="unknown_service"),
    Client("node", "winston_http_batch", service="unknown_service"),
    Client("node", "winston_loki"),
    Client("node", "winston_loki_json"),
    Client("node", "pino_loki"),
    Client("node", "pino_elasticsearch"),
    Client("node", "pino_opentelemetry"),
    Client("node", "elasticsearch_js", is_dated_now=False),
    Client("node", "winston_elasticsearch", service="logs"),
    Client("node", "winston_splunk"),
    Client("node", "winston_seq", service="unknown_service"),
    Client("node", "logtail_js", service="unknown_service"),
    Client("node", "axiom_js"),
    Client("node", "gelf_pro"),
    Client("node", "fluent_js"),
]
TRACES = [
    Client("python", "otlp_traces"),
    Client("python", "zipkin_traces"),
    Client("node", "otlp_traces_json"),
    Client("node", "otlp_traces_proto"),
    Client("node", "zipkin_js"),
]


def lines_of(product: str, client: str) -> dict[str, dict[str, Any]]:
    """The client's lines by severity, awaited."""
    mark = re.compile(rf"via {re.escape(client)}(?!\w)")
    until = time.monotonic() + SECONDS
    while True:
        recent = httpx.get(f"{product}/logs/recent", params={"limit": 1000, "range": "7d"}).json()
        mine = [
            line
            for line in recent
            if mark.search(line["message"]) and " listens" not in line["message"]
        ]
        if len(mine) >= 3 or time.monotonic() > until:
            assert len(mine) == 3, f"{len(mine)} of 3 lines came: {mine}"
            return {line["severity"]: line for line in mine}
        time.sleep(0.1)


@pytest.mark.parametrize("client", LOGS, ids=lambda client: f"{client.language}-{client.name}")
def test_a_client_library_is_stored_as_sent(product: str, sent: Sent, client: Client) -> None:
    sent(client.language, client.name)
    lines = lines_of(product, client.name)

    assert set(lines) == {"info", "warn", "error"}
    assert "order %s" if not client.formats else "order 42" in lines["info"]["message"]
    error = lines["error"]
    if client.formats:
        assert "checkout failed for user ünï-☃" in error["message"]
    if client.has_stack:
        stack = f"{error['message']}\n{error['metadata'].get('exception.stacktrace', '')}"
        assert re.search(r"ZeroDivisionError|Error: boom", stack), error
    for line in lines.values():
        assert line["source"] == client.service
        moment = datetime.fromisoformat(line["createdAt"])
        if client.is_dated_now:
            assert abs(datetime.now(UTC) - moment) < timedelta(minutes=5)
        else:
            assert abs(FIXED - moment) < timedelta(seconds=1)
    decimals = max(len(line["createdAt"].rstrip("Z").split(".")[1]) for line in lines.values())
    assert decimals >= client.decimals


@pytest.mark.parametrize("client", TRACES, ids=lambda client: f"{client.language}-{client.name}")
def test_a_tracing_library_is_stored_as_sent(product: str, sent: Sent, client: Client) -> None:
    trace_id = sent(client.language, client.name).split()[-1]
    until = time.monotonic() + SECONDS
    while True:
        answer = httpx.get(f"{product}/traces/{trace_id}")
        spans = answer.json().get("spans", [])
        if len(spans) >= 2 or time.monotonic() > until:
            break
        time.sleep(0.1)

    assert len(spans) == 2, answer.text
    parent, child = sorted(spans, key=lambda span: span["parentSpanId"] is not None)
    assert child["parentSpanId"] == parent["spanId"]
    assert parent["parentSpanId"] is None
    assert {span["service"] for span in spans} == {client.service}
    assert child["name"].lower() == "select orders"

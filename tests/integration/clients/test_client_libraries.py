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
    has_level: bool = True
    # One sends an exception twice: as an event and as a log.
    count: int = 3
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
    Client("python", "splunk_handler", decimals=6, has_level=False),
    Client("python", "seqlog", decimals=6),
    Client("python", "pygelf_http", decimals=6),
    Client("python", "pygelf_udp", decimals=6),
    Client("python", "pygelf_tcp", decimals=6),
    Client("python", "logtail", service="unknown_service", decimals=6),
    Client("python", "axiom", has_stack=False),
    Client("python", "logstash_async"),
    Client("python", "sentry", service="sentry-project-1", decimals=6, count=4),
    Client("python", "datadog"),
    Client("python", "fluent_logger", service="app.payments"),
    Client("python", "http_handler_post", service="unknown_service", decimals=6, has_stack=False),
    Client("python", "http_handler_get", service="unknown_service", decimals=6, has_stack=False),
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
    Client("node", "fluent_js", service="app.payments"),
]
TRACES = [
    Client("python", "otlp_traces"),
    Client("python", "zipkin_traces"),
    Client("node", "otlp_traces_json"),
    Client("node", "otlp_traces_proto"),
    Client("node", "zipkin_js"),
]


# A word of each of the three messages, and its severity.
KINDS = {"Payment": "info", "slow": "warn", "checkout": "error"}


def lines_of(product: str, client: str, count: int = 3) -> dict[str, dict[str, Any]]:
    """The client's lines by what they should be, awaited; of copies the newest."""
    mark = re.compile(rf"via {re.escape(client)}(?!\w)")
    until = time.monotonic() + SECONDS
    while True:
        recent = httpx.get(f"{product}/logs/recent", params={"limit": 1000}).json()
        mine = [
            line
            for line in reversed(recent)
            if mark.search(line["message"]) and " listens" not in line["message"]
        ]
        if len(mine) >= count or time.monotonic() > until:
            assert len(mine) == count, f"{len(mine)} of {count} lines came: {mine}"
            return {
                kind: line
                for line in mine
                for word, kind in KINDS.items()
                if word in line["message"]
            }
        time.sleep(0.1)


@pytest.mark.parametrize("client", LOGS, ids=lambda client: f"{client.language}-{client.name}")
def test_a_client_library_is_stored_as_sent(product: str, sent: Sent, client: Client) -> None:
    sent(client.language, client.name)
    lines = lines_of(product, client.name, client.count)

    severities = {kind: line["severity"] for kind, line in lines.items()}
    assert severities == {kind: kind if client.has_level else "info" for kind in KINDS.values()}
    error = lines["error"]
    if client.formats:
        assert "order 42" in lines["info"]["message"]
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

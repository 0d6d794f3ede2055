"""Spans and lines as an OpenTelemetry SDK sends them, for traces that tests look at."""

import hashlib
import random
import time
from itertools import count
from typing import Any

import httpx

MS = 1_000_000
KINDS = {"internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}
_numbers = count(1)


def id_of(name: str, digits: int = 16) -> str:
    """An id that belongs to a name."""
    return hashlib.sha256(name.encode()).hexdigest()[:digits]


class Sender:
    """Sends one trace's spans and lines; times are milliseconds after its begin."""

    def __init__(self, service: str, name: str, *, begin: int | None = None) -> None:
        self.service = service
        self.trace_id = id_of(f"{name} {next(_numbers)}", 32)
        self.begin = begin if begin is not None else time.time_ns() - 5_000 * MS
        self.spans: list[tuple[str, dict[str, Any]]] = []
        self.lines: list[dict[str, Any]] = []

    def span(
        self,
        key: str,
        parent: str | None,
        service: str,
        name: str,
        start: float,
        duration: float,
        *,
        kind: str = "internal",
        error: str | None = None,
        attributes: dict[str, str] | None = None,
        exception: str | None = None,
        links: list[tuple[str, str]] | None = None,
    ) -> None:
        """`key` and `parent` are names that become ids; `exception` a message."""
        first = self.begin + int(start * MS)
        last = first + int(duration * MS)
        sent: dict[str, Any] = {
            "traceId": self.trace_id,
            "spanId": id_of(key),
            "name": name,
            "kind": KINDS[kind],
            "startTimeUnixNano": str(first),
            "endTimeUnixNano": str(last),
            "attributes": _attributes(attributes or {}),
        }
        if parent is not None:
            sent["parentSpanId"] = id_of(parent)
        if error is not None:
            sent["status"] = {"code": 2, "message": error}
        if exception is not None:
            raised = {
                "exception.type": "TimeoutError",
                "exception.message": exception,
                "exception.stacktrace": "Traceback (most recent call last):\n  in pay\n  in send",
            }
            sent["events"] = [
                {
                    "name": "exception",
                    "timeUnixNano": str(last - MS),
                    "attributes": _attributes(raised),
                }
            ]
        if links:
            sent["links"] = [{"traceId": trace, "spanId": span} for trace, span in links]
        self.spans.append((service, sent))

    def line(self, key: str | None, service: str, at: float, message: str, severity: str) -> None:
        """A log line, in the span `key` or in none."""
        moment = self.begin + int(at * MS)
        seconds, nanos = divmod(moment, 1_000_000_000)
        created = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{nanos:09d}Z"
        metadata = {"traceId": self.trace_id} | ({"spanId": id_of(key)} if key else {})
        self.lines.append(
            {
                "source": service,
                "message": message,
                "severity": severity,
                "createdAt": created,
                "metadata": metadata,
            }
        )

    def send(self) -> str:
        """Sends what has been told since the last time; the trace's id."""
        for start in range(0, len(self.spans), 1_000):
            part = self.spans[start : start + 1_000]
            resources = []
            for service in dict.fromkeys(service for service, _ in part):
                spans = [span for one, span in part if one == service]
                resource = {"attributes": _attributes({"service.name": service})}
                resources.append({"resource": resource, "scopeSpans": [{"spans": spans}]})
            reply = httpx.post(f"{self.service}/v1/traces", json={"resourceSpans": resources})
            assert reply.status_code == 200, reply.text
        if self.lines:
            reply = httpx.post(f"{self.service}/logs/ingest", json=self.lines)
            assert reply.status_code == 201, reply.text
        self.spans, self.lines = [], []
        return self.trace_id


def _attributes(values: dict[str, str]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in values.items()]


def checkout(service: str, name: str = "checkout", *, begin: int | None = None) -> Sender:
    """A shop's order: ten spans of six services, one failing payment, four lines."""
    sent = Sender(service, name, begin=begin)
    route = {"http.route": "/checkout", "http.request.method": "POST", "region": "eu"}
    add = sent.span
    add("root", None, "frontend", "POST /checkout", 0, 842, kind="server", attributes=route)
    add("cart", "root", "frontend", "GET /cart", 12, 96, kind="client")
    add("cart-in", "cart", "cart", "GET /cart", 16, 84, kind="server")
    add("redis", "cart-in", "cart", "HGETALL cart", 30, 41, kind="client")
    add("stock", "root", "frontend", "GET /stock", 120, 210, kind="client")
    add("stock-in", "stock", "inventory", "GET /stock", 126, 190, kind="server")
    query = {"db.system": "postgresql", "db.query.text": "SELECT * FROM stock WHERE sku = $1"}
    add("sql", "stock-in", "inventory", "SELECT stock", 140, 160, kind="client", attributes=query)
    add("pay", "root", "frontend", "POST /pay", 340, 470, kind="client", error="503 from payment")
    add(
        "pay-in",
        "pay",
        "payment",
        "POST /pay",
        346,
        455,
        kind="server",
        error="provider timed out",
        exception="no answer of the provider within 400 ms",
        attributes={"payment.provider": "acme", "amount": "42.10"},
    )
    add("mail", "root", "mailer", "order.created", 815, 20, kind="producer")
    sent.line("root", "frontend", 3, "order 1042 received from customer 77", "info")
    sent.line("sql", "inventory", 290, "slow query: 160 ms", "warn")
    sent.line("pay-in", "payment", 790, "payment of order 1042 failed: provider timed out", "error")
    sent.line(None, "audit", 820, "order 1042 refused", "info")
    return sent


def many_spans(service: str, size: int, name: str = "many", *, seed: int = 7) -> Sender:
    """A trace of `size` spans in 12 services, up to eight levels deep."""
    sent = Sender(service, name)
    chosen = random.Random(seed)
    spans: list[tuple[str, float, float, int]] = [("n0", 0.0, 20_000.0, 0)]
    sent.span("n0", None, "frontend", "POST /import", 0, 20_000, kind="server")
    for n in range(1, size):
        parent, start, duration, depth = spans[
            chosen.randrange(max(0, len(spans) - 400), len(spans))
        ]
        begin = start + duration * chosen.random() * 0.7
        took = max(0.01, (start + duration - begin) * chosen.random())
        team = f"service-{(n * 7) % 12}"
        error = "it failed" if n % 211 == 0 else None
        sent.span(f"n{n}", parent, team, f"step {n % 40}", begin, took, error=error)
        if depth < 8:
            spans.append((f"n{n}", begin, took, depth + 1))
    return sent

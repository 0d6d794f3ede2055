"""The shop's spans as its OpenTelemetry SDKs would send them: OTLP in JSON, one span a resource.

A database sends no spans of its own: its callers' client spans tell of it, and its log lines.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from logstream.simulate.journeys import Operation
from logstream.simulate.services import LANGUAGES, Pod

WITHOUT_SPANS = frozenset(("orders-db", "cluster"))
# As OTLP numbers them.
INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = 1, 2, 3, 4, 5
_ERROR = 2
_SENDING_MS = 1.2
_SCOPE = {"name": "shop"}
_STATEMENTS = {
    "insert": "INSERT orders",
    "outbox": "INSERT outbox",
    "select": "SELECT orders",
    "batch": "UPDATE orders",
}

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Exchange:
    """One span of a pod: what it was doing, for whom, and how it went."""

    pod: Pod
    trace_id: str
    span_id: str
    parent_id: str
    name: str
    kind: int
    start_unix_nano: int
    end_unix_nano: int
    attributes: Mapping[str, Any]
    is_error: bool = False
    events: Sequence[Mapping[str, Any]] = ()
    # (trace id, span id) of the message that this answers.
    link: tuple[str, str] | None = None


Tell = Callable[[Exchange], None]
# Ids of a span and of its parent, "" for none; and when it was, in ms since the request began.
Ids = tuple[str, str]
Times = tuple[float, float]


class SpansOfTrace:
    """Tells the spans of one request. `sent_by` is the message that the request answers."""

    def __init__(
        self,
        trace_id: str,
        start_unix_nano: int,
        sent_by: tuple[str, str] | None,
        tell: Tell,
    ) -> None:
        self._trace_id = trace_id
        self._start_unix_nano = start_unix_nano
        self._sent_by = sent_by
        self._tell = tell

    def served(
        self,
        pod: Pod,
        ids: Ids,
        times: Times,
        operation: Operation,
        *,
        is_error: bool,
        attributes: Mapping[str, Any],
        events: Sequence[Mapping[str, Any]],
    ) -> None:
        """What a service did for its caller."""
        self._span(
            pod,
            ids,
            times,
            name=served_name(operation),
            kind=served_kind(operation),
            is_error=is_error,
            attributes=attributes,
            events=events,
            link=None if ids[1] else self._sent_by,
        )

    def called(self, pod: Pod, ids: Ids, times: Times, operation: Operation, status: int) -> None:
        """A call as its caller sees it; `status` is an HTTP one."""
        self._span(
            pod,
            ids,
            times,
            name=called_name(operation),
            kind=CLIENT,
            is_error=status >= 400,
            attributes=called_attributes(operation, status),
        )

    def sent(self, pod: Pod, ids: Ids, times: Times, operation: Operation) -> None:
        """A message that sets an operation off, sent at the end of these times."""
        start_ms, end_ms = times
        self._span(
            pod,
            ids,
            (max(start_ms, end_ms - _SENDING_MS), end_ms),
            name="orders send",
            kind=PRODUCER,
            attributes=dict(operation.attributes),
        )

    def _span(self, pod: Pod, ids: Ids, times: Times, **said: Any) -> None:
        if pod.service in WITHOUT_SPANS:
            return
        start, end = (self._start_unix_nano + int(ms * 1_000_000) for ms in times)
        self._tell(
            Exchange(
                pod=pod,
                trace_id=self._trace_id,
                span_id=ids[0],
                parent_id=ids[1],
                start_unix_nano=start,
                end_unix_nano=end,
                **said,
            )
        )


def served_kind(operation: Operation) -> int:
    """The kind of span in which a service does an operation."""
    if any(name == "messaging.system" for name, _ in operation.attributes):
        return CONSUMER
    return INTERNAL if operation.service == "batch-jobs" else SERVER


def served_name(operation: Operation) -> str:
    """The name of that span: low in cardinality, as OpenTelemetry asks for."""
    if operation.http:
        return f"{operation.method} {operation.route}"
    verb = " process" if served_kind(operation) == CONSUMER else ""
    return operation.name.partition(" ")[2] + verb


def called_name(operation: Operation) -> str:
    """The name of a caller's client span."""
    if operation.service == "orders-db":
        return _STATEMENTS[operation.name.partition(" ")[2]]
    return operation.method or served_name(operation)


def called_attributes(operation: Operation, status: int) -> dict[str, Any]:
    """What a caller's client span says about the service that it called."""
    attributes: dict[str, Any] = {"server.address": operation.service}
    attributes.update(operation.attributes)
    if operation.service in WITHOUT_SPANS:
        attributes["peer.service"] = operation.service
    if operation.http:
        attributes["http.request.method"] = operation.method
        attributes["http.response.status_code"] = status
    return attributes


def exception_event(unix_nano: int, kind: str, trace: str) -> dict[str, Any]:
    """An exception as a span event; the stack trace holds its message in one of its lines."""
    told = next((line for line in trace.split("\n") if kind in line), kind)
    message = told[told.index(kind) + len(kind) :].removeprefix(": ")
    return {
        "name": "exception",
        "timeUnixNano": str(unix_nano),
        "attributes": _attributes(
            {
                "exception.type": kind,
                "exception.message": message,
                "exception.stacktrace": trace,
            }
        ),
    }


def resource_spans(exchange: Exchange, environment: str) -> bytes:
    """The span with its resource, as one member of `resourceSpans`."""
    pod = exchange.pod
    resource = {
        "service.name": pod.service,
        "deployment.environment.name": environment,
        "telemetry.sdk.language": LANGUAGES[pod.service],
        **pod.attributes,
    }
    span: dict[str, Any] = {
        "traceId": exchange.trace_id,
        "spanId": exchange.span_id,
        "name": exchange.name,
        "kind": exchange.kind,
        "startTimeUnixNano": str(exchange.start_unix_nano),
        "endTimeUnixNano": str(exchange.end_unix_nano),
        "attributes": _attributes(exchange.attributes),
    }
    if exchange.parent_id:
        span["parentSpanId"] = exchange.parent_id
    if exchange.is_error:
        span["status"] = {"code": _ERROR}
    if exchange.events:
        span["events"] = exchange.events
    if exchange.link is not None:
        span["links"] = [{"traceId": exchange.link[0], "spanId": exchange.link[1]}]
    return _encode(
        {
            "resource": {"attributes": _attributes(resource)},
            "scopeSpans": [{"scope": _SCOPE, "spans": [span]}],
        }
    )


def _attributes(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in values.items()]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    return {"stringValue": str(value)}

"""Lifelike log records and spans for tests."""

from datetime import UTC, datetime

from logstream.model import NANOS_PER_SECOND, LogRecord, Span, to_unix_nano

NOON = to_unix_nano(datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC))


def a_record(
    body: str = "Payment authorised for order 1841",
    *,
    seconds_ago: float = 0,
    nanos: int = 0,
    service: str = "payment-gateway",
    severity: int = 9,
    environment: str = "production",
    trace_id: str | None = None,
    duration_ms: float | None = None,
    attributes: bytes = b"{}",
) -> LogRecord:
    """A record some seconds before NOON (2026-03-01 12:00:30 UTC)."""
    return LogRecord(
        timestamp_unix_nano=NOON - int(seconds_ago * NANOS_PER_SECOND) + nanos,
        observed_unix_nano=NOON,
        environment=environment,
        service_name=service,
        severity_number=severity,
        body=body,
        trace_id=trace_id,
        duration_ms=duration_ms,
        attributes=attributes,
    )


def a_span(
    span_id: str = "00f067aa0ba902b7",
    *,
    parent: str | None = None,
    name: str = "charge card",
    start_ms: float = 0,
    duration_ms: float = 20,
    service: str = "payment-gateway",
    kind: str = "internal",
    environment: str = "production",
    trace_id: str = "4bf92f3577b34da6a3ce929d0e0e4736",
    nanos: int = 0,
    attributes: bytes = b"{}",
) -> Span:
    """A span that starts some milliseconds (and nanoseconds) after NOON."""
    return Span(
        trace_id=trace_id,
        span_id=span_id,
        parent_span_id=parent,
        environment=environment,
        service_name=service,
        name=name,
        kind=kind,
        start_unix_nano=NOON + int(start_ms * 1_000_000) + nanos,
        duration_nano=int(duration_ms * 1_000_000),
        observed_unix_nano=NOON,
        attributes=attributes,
    )

"""Lifelike log records for tests."""

from datetime import UTC, datetime

from logstream.model import NANOS_PER_SECOND, LogRecord, to_unix_nano

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

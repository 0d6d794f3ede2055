"""Attempts to land a group whose outcome nobody heard, and looking for their rows."""

import msgspec
import psycopg

from logstream.model import LogRecord, Span, to_datetime


class Attempt(msgspec.Struct, frozen=True):
    """What to look for to know whether an attempt was committed.

    Its first line, or its first span when it has no line.
    """

    first_id: int
    record: LogRecord | None = None
    span: Span | None = None


async def is_found(connection: psycopg.AsyncConnection, attempt: Attempt) -> bool:
    """Whether what was attempted is stored."""
    if attempt.record is not None:
        # An id alone proves nothing: the database may have been restored.
        cursor = await connection.execute(
            "SELECT 1 FROM logs WHERE id = %s AND body = %s AND observed_timestamp = %s",
            [
                attempt.first_id,
                attempt.record.body,
                to_datetime(attempt.record.observed_unix_nano),
            ],
        )
    elif attempt.span is not None:
        # An index leads to it. The same span sent again was received at another microsecond.
        cursor = await connection.execute(
            "SELECT 1 FROM spans WHERE trace_id = %s AND span_id = %s AND name = %s"
            " AND start = %s AND observed_timestamp = %s",
            [
                attempt.span.trace_id,
                attempt.span.span_id,
                attempt.span.name,
                to_datetime(attempt.span.start_unix_nano),
                to_datetime(attempt.span.observed_unix_nano),
            ],
        )
    else:
        return False
    return await cursor.fetchone() is not None

"""Traces with a span that few of them have, found among the spans of the whole time at once.

A name is found by the index that sealed segments have of it; anything else takes reading all.
"""

import psycopg
import sqlalchemy as sa
from sqlalchemy import exc

from logstream.model import to_datetime
from logstream.query.trace_conditions import TraceConditions
from logstream.tables import spans

# More are not rare.
_MOST = 5_000
_TIMEOUT = sa.text("SELECT set_config('statement_timeout', :milliseconds, true)")

# Trace id and environment.
Key = tuple[str, str]


def rare_traces(
    connection: sa.Connection, conditions: TraceConditions, seconds: float
) -> set[Key] | None:
    """Every trace with a span as `required`; None when they are many, or in time unknown."""
    if conditions.required is None or seconds <= 0:
        return None
    statement = sa.select(spans.c.trace_id, spans.c.environment).where(conditions.required)
    if conditions.since_unix_nano is not None:
        # No span of a trace starts before it.
        since = to_datetime(conditions.since_unix_nano)
        statement = statement.where(spans.c.start >= since)
    # So that the rest of the question has its own time limit again, and goes on after this one's.
    savepoint = connection.begin_nested()
    try:
        connection.execute(_TIMEOUT, {"milliseconds": str(max(1, int(seconds * 1_000)))})
        rows = connection.execute(statement.distinct().limit(_MOST + 1)).all()
    except exc.OperationalError as error:
        if isinstance(error.orig, psycopg.errors.QueryCanceled):
            return None
        raise
    finally:
        savepoint.rollback()
    return {(row.trace_id, row.environment) for row in rows} if len(rows) <= _MOST else None

"""A question as SQL that people can read, run and change in tools of their own."""

from typing import Any, cast

import sqlalchemy as sa
from psycopg.sql import Literal
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.sql import operators, visitors

from logstream.filter import LogFilter
from logstream.model import to_datetime
from logstream.query.conditions import (
    Condition,
    label_conditions,
    row_conditions,
    time_conditions,
)
from logstream.tables import logs

# Without a driver, that is without its casts, which would only be in a reader's way.
_DIALECT = PGDialect(paramstyle="pyformat")  # type: ignore[no-untyped-call]
_COLUMNS = (
    "timestamp, timestamp_nanos, environment, service_name, severity_number, body,\n"
    "       trace_id, span_id, duration_ms, attributes, id"
)
_ORDER = "timestamp DESC, timestamp_nanos DESC, id DESC"


def as_sql(log_filter: LogFilter, *, now_unix_nano: int) -> str:
    """One SELECT on `logs`, its values in it, for exactly the lines meant at this moment."""
    start, end = log_filter.window_unix_nano(now_unix_nano)
    meant = [
        *time_conditions(logs.c.timestamp, start, end),
        *time_conditions(logs.c.observed_timestamp, None, log_filter.at_unix_nano),
        *label_conditions(log_filter, logs),
        *row_conditions(log_filter),
    ]
    asked = to_datetime(now_unix_nano).isoformat(timespec="seconds")
    words = " ".join(log_filter.words().split())
    lines = [f"-- {words} (asked at {asked})", f"SELECT {_COLUMNS}", "FROM logs"]
    lines += [
        f"{'WHERE' if place == 0 else '  AND'} {_written(condition)}"
        for place, condition in enumerate(meant)
    ]
    return "\n".join([*lines, f"ORDER BY {_ORDER};"])


def _written(condition: Condition) -> str:
    # In brackets where AND would otherwise bind tighter.
    compiled = (
        _bare(condition)
        .self_group(against=operators.and_)
        .compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    )
    values = cast("dict[str, Any]", compiled.params)
    return str(compiled) % {name: Literal(value).as_string() for name, value in values.items()}


def _bare(condition: Condition) -> Condition:
    """The condition with its columns' names alone, for there is one table only."""

    def replaced(element: Any, **_: Any) -> Any:
        if isinstance(element, sa.Column) and element.table is logs:
            return sa.column(element.name, element.type)
        return None

    return visitors.replacement_traverse(condition, {}, replaced)

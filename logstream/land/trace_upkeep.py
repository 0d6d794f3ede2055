"""Forgetting what is known of traces and operations, once their spans are kept no longer."""

from typing import Any, LiteralString

import psycopg
from psycopg import sql

from logstream.land.segments import LOGS, SPANS, SegmentedTable
from logstream.land.upkeep import DELETE_ROWS
from logstream.retention_rules import RetentionRules

COUNTS = (
    "operation_counts", "operation_counts_hourly", "call_counts", "call_counts_hourly",
)  # fmt: skip

_RULES = """
unnest(%(environments)s::text[], %(days)s::int[]) AS rule (environment, days)
"""
_DAYS = "coalesce(rule.days, %(default)s)"
# The first condition is the one that the index answers; a clock may have been ahead, too. What
# landing is writing to is no trace to forget.
_FORGET_TRACES = """
WITH gone AS MATERIALIZED (
    SELECT trace_id, environment FROM trace_summaries AS kept LEFT JOIN {rules} USING (environment)
    WHERE (start < now() - make_interval(days => %(shortest)s) OR start > now() + interval '1 day')
        AND {days} > 0 AND touched_at < now() - make_interval(days => {days})
    LIMIT %(most)s FOR UPDATE OF kept SKIP LOCKED
)
DELETE FROM trace_summaries AS kept USING gone
WHERE kept.trace_id = gone.trace_id AND kept.environment = gone.environment
"""
_FORGET_COUNTS = """
DELETE FROM {table} WHERE ctid = ANY(ARRAY(
    SELECT {table}.ctid FROM {table} LEFT JOIN {rules} USING (environment)
    WHERE bucket < least(date_trunc('hour', %(oldest)s::timestamptz, 'UTC'),
            now() - make_interval(days => %(shortest)s))
        AND {days} > 0 AND bucket < now() - make_interval(days => {days})
    LIMIT %(most)s))
"""
_FIRST_OF_CLOSED = """
SELECT min({first}) FROM {catalogue} WHERE state IN ('closed', 'sealed')
"""
_OPEN = "SELECT name FROM {catalogue} WHERE state = 'open'"
_FIRST_OF_OPEN = """
SELECT min({time}) FROM {leaf} WHERE {time} < now() - make_interval(days => %s)
"""


def forget_traces(connection: psycopg.Connection, rules: RetentionRules) -> int:
    """Delete summaries of traces that nothing was added to for as long as spans are kept."""
    values = _values(rules)
    if values is None:
        return 0
    return connection.execute(_of(_FORGET_TRACES), values).rowcount


def forget_counts(connection: psycopg.Connection, rules: RetentionRules) -> int:
    """Delete counts of times from which no span or line is kept; how many rows.

    By what is stored, not by the clock alone: what happened long ago may have been received today.
    """
    values = _values(rules)
    if values is None:
        return 0
    shortest = values["shortest"]
    firsts = (
        *_firsts(connection, SPANS, "first_start", "start", shortest),
        *_firsts(connection, LOGS, "first_timestamp", "timestamp", shortest),
    )
    oldest = min((first for first in firsts if first is not None), default="infinity")
    return sum(
        connection.execute(_of(_FORGET_COUNTS, table), {**values, "oldest": oldest}).rowcount
        for table in COUNTS
    )


def _firsts(
    connection: psycopg.Connection,
    table: SegmentedTable,
    first: LiteralString,
    time: LiteralString,
    shortest_days: object,
) -> list[Any]:
    """The earliest time of the closed segments, and of each open one that reaches back so far."""
    names = {"catalogue": sql.Identifier(table.catalogue), "first": sql.Identifier(first)}
    found = connection.execute(sql.SQL(_FIRST_OF_CLOSED).format(**names)).fetchall()
    for (name,) in connection.execute(sql.SQL(_OPEN).format(**names)).fetchall():
        statement = sql.SQL(_FIRST_OF_OPEN).format(
            time=sql.Identifier(time), leaf=sql.Identifier(name)
        )
        found += connection.execute(statement, [shortest_days]).fetchall()
    return [row[0] for row in found]


def _values(rules: RetentionRules) -> dict[str, object] | None:
    """Parameters of the statements; None when everything is kept for ever."""
    default_days, by_environment = rules.span_days()
    kept_days = [days for days in (default_days, *by_environment.values()) if days]
    if not kept_days:
        return None
    return {
        "environments": list(by_environment),
        "days": list(by_environment.values()),
        "default": default_days,
        "shortest": min(kept_days),
        "most": DELETE_ROWS,
    }


def _of(statement: LiteralString, table: str = "") -> sql.Composed:
    return sql.SQL(statement).format(
        table=sql.Identifier(table), rules=sql.SQL(_RULES), days=sql.SQL(_DAYS)
    )

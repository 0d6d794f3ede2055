"""Facts about the store for the System page: sizes and segments."""

from typing import Any

import sqlalchemy as sa

from logstream.query import segment_facts


def system(connection: sa.Connection) -> dict[str, Any]:
    """See LogReader.system."""
    version, database_bytes, logs_bytes, lines, span_count, spans_bytes = connection.execute(
        sa.text(
            "SELECT current_setting('server_version'), pg_database_size(current_database()),"
            " (SELECT coalesce(sum(coalesce(byte_count,"
            " pg_total_relation_size(to_regclass(quote_ident(name))))), 0)::bigint"
            " FROM segments WHERE state <> 'dropped'),"
            " (SELECT coalesce(sum(count), 0)::bigint FROM log_counts_daily)"
            " + (SELECT coalesce(sum(count), 0)::bigint FROM log_counts WHERE NOT is_folded),"
            # Of open segments an estimate, as old as the last ANALYZE; counting would read all.
            " (SELECT coalesce(sum(coalesce(row_count, greatest(reltuples, 0))), 0)::bigint"
            " FROM span_segments JOIN pg_class ON oid = to_regclass(quote_ident(name))),"
            " (SELECT coalesce(sum(coalesce(byte_count,"
            " pg_total_relation_size(to_regclass(quote_ident(name))))), 0)::bigint"
            " FROM span_segments WHERE state <> 'dropped')"
        )
    ).one()
    found = segment_facts.newest(connection)
    return {
        "version": version,
        "databaseBytes": database_bytes,
        "logsBytes": logs_bytes,
        "lines": lines,
        "spansEstimate": span_count,
        "spansBytes": spans_bytes,
        "segments": found,
        "segmentCare": segment_facts.care(connection),
    }

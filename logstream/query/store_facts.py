"""Facts about the store for the System page: sizes, segments, what was refused."""

from typing import Any

import sqlalchemy as sa

from logstream.model import iso_time, to_unix_nano
from logstream.query import segment_facts
from logstream.tables import rejects

MAX_REJECTS_SHOWN = 100


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
            # An estimate, as old as the last ANALYZE; counting them would read all.
            " (SELECT greatest(reltuples, 0)::bigint FROM pg_class"
            " WHERE oid = to_regclass('spans')),"
            " pg_total_relation_size(to_regclass('spans'))"
        )
    ).one()
    found = segment_facts.newest(connection)
    refused = connection.execute(
        sa.select(rejects).order_by(rejects.c.id.desc()).limit(MAX_REJECTS_SHOWN)
    )
    return {
        "version": version,
        "databaseBytes": database_bytes,
        "logsBytes": logs_bytes,
        "lines": lines,
        "spansEstimate": span_count,
        "spansBytes": spans_bytes,
        "segments": found,
        "segmentCare": segment_facts.care(connection),
        "rejects": [
            {
                "at": iso_time(to_unix_nano(row.rejected_at)),
                "environment": row.environment,
                "error": row.error,
                "raw": row.raw.decode("utf-8", "replace"),
            }
            for row in refused
        ],
    }

"""Facts about the store for the System page: sizes, segments, what was refused."""

from typing import Any

import sqlalchemy as sa

from logstream.model import iso_time, to_unix_nano
from logstream.tables import rejects, segments

MAX_REJECTS_SHOWN = 100
# Partitions are counted by PostgreSQL's own estimate where it has one.
_SEGMENT_SIZES = sa.text(
    """
    SELECT s.name, s.state, s.first_id, s.end_id, s.created_at,
           pg_total_relation_size(c.oid) AS bytes,
           greatest(c.reltuples, 0)::bigint AS rows
    FROM segments s JOIN pg_class c ON c.oid = to_regclass(quote_ident(s.name))
    ORDER BY s.first_id DESC
    """
)


def system(connection: sa.Connection) -> dict[str, Any]:
    """See LogReader.system."""
    version, database_bytes, lines = connection.execute(
        sa.text(
            "SELECT current_setting('server_version'), pg_database_size(current_database()),"
            " (SELECT coalesce(sum(count), 0)::bigint FROM log_counts_daily)"
            " + (SELECT coalesce(sum(count), 0)::bigint FROM log_counts WHERE NOT is_folded)"
        )
    ).one()
    found = [
        {
            "name": row.name,
            "state": row.state,
            "firstId": row.first_id,
            "lastId": row.end_id - 1,
            "rows": row.rows,
            "bytes": row.bytes,
            "createdAt": iso_time(to_unix_nano(row.created_at)),
        }
        for row in connection.execute(_SEGMENT_SIZES)
    ]
    refused = connection.execute(
        sa.select(rejects).order_by(rejects.c.id.desc()).limit(MAX_REJECTS_SHOWN)
    )
    return {
        "version": version,
        "databaseBytes": database_bytes,
        "logsBytes": sum(segment["bytes"] for segment in found),
        "lines": lines,
        "segments": found,
        "segmentCount": connection.scalar(sa.select(sa.func.count()).select_from(segments)),
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

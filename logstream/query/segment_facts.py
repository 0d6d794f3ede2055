"""Facts about segments: each of the newest ones, and how far sealing and retention are."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from logstream.model import iso_time, to_unix_nano

MAX_SEGMENTS_SHOWN = 40
# A sealed segment was measured once; of the others PostgreSQL's own estimate is taken.
_NEWEST = sa.text(
    """
    SELECT s.name, s.state, s.first_id, s.end_id, s.created_at, s.closed_at, s.sealed_at,
           s.first_timestamp, s.last_timestamp, s.has_trigram, s.has_attribute_index,
           coalesce(s.byte_count, pg_total_relation_size(c.oid)) AS bytes,
           coalesce(s.row_count, nullif(greatest(c.reltuples, 0), 0)::bigint) AS rows
    FROM (
        SELECT * FROM segments WHERE state <> 'dropped' ORDER BY first_id DESC LIMIT :most
    ) s JOIN pg_class c ON c.oid = to_regclass(quote_ident(s.name))
    ORDER BY s.first_id DESC
    """
)
_CARE = sa.text(
    """
    SELECT count(*) FILTER (WHERE state = 'open') AS open,
           count(*) FILTER (WHERE state = 'closed') AS closed,
           count(*) FILTER (WHERE state = 'sealed') AS sealed,
           count(*) FILTER (WHERE state = 'dropped') AS dropped,
           coalesce(sum(row_count) FILTER (WHERE state = 'closed'), 0)::bigint AS waiting_lines,
           coalesce(extract(epoch FROM now() - min(waiting_since)), 0)::double precision
               AS waiting_seconds,
           (SELECT seal_seconds FROM segments WHERE seal_seconds IS NOT NULL AND row_count > 0
            ORDER BY sealed_at DESC LIMIT 1) AS seal_seconds,
           (SELECT coalesce(sum(line_count), 0)::bigint FROM segment_contents
            WHERE removed_at IS NOT NULL) AS removed_lines
    FROM segments LEFT JOIN LATERAL (
        -- What retention wrote anew waits to be sealed again.
        SELECT greatest(closed_at, max(c.removed_at)) AS waiting_since
        FROM segment_contents c WHERE c.first_id = segments.first_id
    ) w ON segments.state = 'closed'
    """
)


def newest(connection: sa.Connection) -> list[dict[str, Any]]:
    """The newest segments that are still there, newest first."""
    return [
        {
            "name": row.name,
            "state": row.state,
            "firstId": row.first_id,
            "lastId": row.end_id - 1,
            "rows": row.rows,
            "bytes": row.bytes,
            "createdAt": _iso(row.created_at),
            "closedAt": _iso(row.closed_at),
            "sealedAt": _iso(row.sealed_at),
            "firstTimestamp": _iso(row.first_timestamp),
            "lastTimestamp": _iso(row.last_timestamp),
            "hasTrigram": row.has_trigram,
            "hasAttributeIndex": row.has_attribute_index,
        }
        for row in connection.execute(_NEWEST, {"most": MAX_SEGMENTS_SHOWN})
    ]


def care(connection: sa.Connection) -> dict[str, Any]:
    """How many segments are in which state, what waits to be sealed, what retention removed.

    `sealSeconds` are the steps of the newest sealing: {"token filter": 3.1, ...}.
    """
    row = connection.execute(_CARE).one()
    return {
        "states": {
            "open": row.open,
            "closed": row.closed,
            "sealed": row.sealed,
            "dropped": row.dropped,
        },
        "waitingLines": row.waiting_lines,
        "waitingSeconds": row.waiting_seconds,
        "sealSeconds": row.seal_seconds or {},
        "removedLines": row.removed_lines,
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else iso_time(to_unix_nano(moment))

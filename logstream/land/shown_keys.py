"""API keys as people may see them; the part that makes a key is not read."""

from typing import Any

import psycopg
from psycopg.rows import dict_row

MOST_KEYS = 200


def shown_keys(database_url: str) -> list[dict[str, Any]]:
    """The keys that still let somebody in, last used first; none when they cannot be asked."""
    try:
        with psycopg.connect(
            database_url, connect_timeout=2, autocommit=True, row_factory=dict_row
        ) as connection:
            return connection.execute(
                "SELECT prefix, name, role, environment, rate_per_second AS rate,"
                ' expires_at AS "expiresAt", last_used_at AS "lastUsedAt",'
                " line_count AS lines, byte_count AS bytes, rejected_count AS rejected"
                " FROM api_keys WHERE revoked_at IS NULL"
                " AND (expires_at IS NULL OR expires_at > now())"
                " ORDER BY last_used_at DESC NULLS LAST, created_at DESC LIMIT %s",
                [MOST_KEYS],
            ).fetchall()
    except psycopg.Error:
        return []

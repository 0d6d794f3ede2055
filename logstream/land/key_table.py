"""The table of API keys: made and revoked by the command, read and counted by the service."""

from collections.abc import Mapping
from typing import NamedTuple

import psycopg
from psycopg.rows import class_row

from logstream.api_keys import StoredKey

_COLUMNS = (
    "prefix, name, role, environment, salt, hash, rate_per_second, created_at, expires_at,"
    " revoked_at, last_used_at, line_count, byte_count, rejected_count"
)
_INSERT = """
INSERT INTO api_keys (prefix, name, role, environment, salt, hash, rate_per_second, expires_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""
_ADD_TRAFFIC = """
UPDATE api_keys SET
    last_used_at = greatest(last_used_at, now()),
    line_count = line_count + %s,
    byte_count = byte_count + %s,
    rejected_count = rejected_count + %s
WHERE prefix = %s
"""


class Traffic(NamedTuple):
    """What came with one key since the last time it was written down."""

    lines: int = 0
    size_bytes: int = 0
    rejected: int = 0

    def plus(self, lines: int, size_bytes: int, rejected: int) -> "Traffic":
        """Both together."""
        return Traffic(self.lines + lines, self.size_bytes + size_bytes, self.rejected + rejected)


def add(connection: psycopg.Connection, key: StoredKey) -> None:
    """Store a fresh key."""
    connection.execute(
        _INSERT,
        [
            key.prefix,
            key.name,
            key.role,
            key.environment,
            key.salt,
            key.hash,
            key.rate_per_second,
            key.expires_at,
        ],
    )


def every_key(connection: psycopg.Connection) -> list[StoredKey]:
    """All keys, oldest first, revoked and expired ones included."""
    with connection.cursor(row_factory=class_row(StoredKey)) as cursor:
        return cursor.execute(
            f"SELECT {_COLUMNS} FROM api_keys ORDER BY created_at, prefix"  # noqa: S608 - constants
        ).fetchall()


def revoke(connection: psycopg.Connection, prefix: str) -> int:
    """End a key for good; how many that were not ended yet."""
    return connection.execute(
        "UPDATE api_keys SET revoked_at = now() WHERE prefix = %s AND revoked_at IS NULL", [prefix]
    ).rowcount


def holds_keys(connection: psycopg.Connection) -> bool:
    """Whether any key can be used; False too when the table is not made yet."""
    row = connection.execute("SELECT to_regclass('api_keys') IS NOT NULL").fetchone()
    if row is None or not row[0]:
        return False
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM api_keys WHERE revoked_at IS NULL"
        " AND (expires_at IS NULL OR expires_at > now()))"
    ).fetchone()
    return row is not None and bool(row[0])


def add_traffic(connection: psycopg.Connection, traffic: Mapping[str, Traffic]) -> None:
    """Add what came with each key to its totals, as other processes do."""
    with connection.cursor() as cursor:
        # In one order everywhere, so that two processes cannot wait for each other.
        cursor.executemany(_ADD_TRAFFIC, [(*traffic[prefix], prefix) for prefix in sorted(traffic)])

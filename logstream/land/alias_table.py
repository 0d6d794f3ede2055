"""The table of aliases: edited through the service, read wherever questions are understood."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.rows import class_row

from logstream.alias import Alias
from logstream.errors import FilterError, StoreUnavailable

MOST_ALIASES = 1_000
_COLUMNS = "word, kind, value, environment, created_at, created_by"
_PUT = """
INSERT INTO aliases (word, kind, value, environment, created_by)
SELECT %(word)s, %(kind)s, %(value)s, %(environment)s, %(created_by)s
WHERE (SELECT count(*) FROM aliases) < %(most)s
   OR EXISTS (SELECT FROM aliases WHERE word = %(word)s
              AND coalesce(environment, '') = coalesce(%(environment)s, ''))
ON CONFLICT (word, (coalesce(environment, ''))) DO UPDATE SET
    kind = excluded.kind, value = excluded.value,
    created_at = now(), created_by = excluded.created_by
"""


class AliasTable:
    """The aliases of one database; every method blocks and may raise StoreUnavailable."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url

    def every(self) -> list[Alias]:
        """All aliases by word, the one for everywhere before those of one environment.

        Empty while the schema is older than they are.
        """
        with self._connected() as connection:
            try:
                with connection.cursor(row_factory=class_row(Alias)) as cursor:
                    return cursor.execute(
                        f"SELECT {_COLUMNS} FROM aliases"  # noqa: S608 - constants
                        " ORDER BY word, environment NULLS FIRST"
                    ).fetchall()
            except psycopg.errors.UndefinedTable:
                return []

    def put(self, alias: Alias) -> None:
        """Store an alias in place of the one for the same word and environment.

        Raises FilterError when there are too many.
        """
        with self._connected() as connection:
            stored = connection.execute(
                _PUT,
                {
                    "word": alias.word,
                    "kind": alias.kind,
                    "value": alias.value,
                    "environment": alias.environment,
                    "created_by": alias.created_by,
                    "most": MOST_ALIASES,
                },
            ).rowcount
        if not stored:
            raise FilterError(
                "word",
                f"there are {MOST_ALIASES:,} aliases already",
                "remove some that nobody needs",
            )

    def remove(self, word: str, environment: str | None) -> bool:
        """Whether there was such an alias."""
        with self._connected() as connection:
            return bool(
                connection.execute(
                    "DELETE FROM aliases WHERE word = %s AND coalesce(environment, '') = %s",
                    [word, environment or ""],
                ).rowcount
            )

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection]:
        try:
            with psycopg.connect(self._url, connect_timeout=5, autocommit=True) as connection:
                yield connection
        except psycopg.OperationalError as error:
            raise StoreUnavailable("the database does not answer", "try again soon") from error

"""The table of saved views: written for people who save, rename and delete."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.rows import dict_row

from logstream.errors import Forbidden, StoreUnavailable
from logstream.saved_view import SavedView, ViewDraft, new_id

# A list for people has an end, and a program that saves in a loop must not fill the table.
MOST_VIEWS = 2_000
_COLUMNS = "view_id AS id, name, owner, is_team, state, created_at, updated_at"
_INSERT = f"""
INSERT INTO saved_views (view_id, name, owner, is_team, state)
SELECT %(id)s, %(name)s, %(owner)s, %(is_team)s, %(state)s
WHERE (SELECT count(*) FROM saved_views) < {MOST_VIEWS}
RETURNING {_COLUMNS}
"""  # noqa: S608 - constants
_UPDATE = f"""
UPDATE saved_views SET name = %(name)s, owner = %(owner)s, is_team = %(is_team)s,
    state = %(state)s, updated_at = now()
WHERE view_id = %(id)s
RETURNING {_COLUMNS}
"""  # noqa: S608 - constants


class ViewTable:
    """Writes one database's saved views; blocks, and raises StoreUnavailable when it is away."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url

    def add(self, draft: ViewDraft) -> SavedView:
        """Keep a new view under an id of its own; raises Forbidden when there are too many."""
        with self._connected() as connection:
            row = connection.execute(_INSERT, _values(new_id(), draft)).fetchone()
        if row is None:
            raise Forbidden(f"{MOST_VIEWS} views are saved already", "delete some first")
        return SavedView(**row)

    def change(self, view_id: str, draft: ViewDraft) -> SavedView | None:
        """Make a view what the draft says; None when there is none (any more)."""
        with self._connected() as connection:
            row = connection.execute(_UPDATE, _values(view_id, draft)).fetchone()
        return None if row is None else SavedView(**row)

    def remove(self, view_id: str) -> bool:
        """Delete a view; False when there was none."""
        with self._connected() as connection:
            deleted = connection.execute("DELETE FROM saved_views WHERE view_id = %s", [view_id])
        return deleted.rowcount > 0

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection[dict[str, Any]]]:
        try:
            with psycopg.connect(
                self._database_url,
                connect_timeout=5,
                autocommit=True,
                row_factory=dict_row,
                options="-c timezone=UTC -c statement_timeout=5000",
            ) as connection:
                yield connection
        except psycopg.OperationalError as error:
            raise StoreUnavailable("the database does not answer", "try again soon") from error
        except psycopg.errors.UndefinedTable as error:
            raise StoreUnavailable(
                "the database has not this version's schema yet", "try again soon"
            ) from error


def _values(view_id: str, draft: ViewDraft) -> dict[str, Any]:
    return {
        "id": view_id,
        "name": draft.name,
        "owner": draft.owner,
        "is_team": draft.is_team,
        "state": json.dumps(dict(draft.state)),
    }

"""The table of notes about services: owner and links, edited through the service."""

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import psycopg

from logstream.errors import FilterError, StoreUnavailable
from logstream.service_note import NoteLink, ServiceNote

MOST_NOTES = 10_000
_PUT = """
INSERT INTO service_notes (service_name, owner, links)
SELECT %(service)s, %(owner)s, %(links)s
WHERE (SELECT count(*) FROM service_notes) < %(most)s
   OR EXISTS (SELECT FROM service_notes WHERE service_name = %(service)s)
ON CONFLICT (service_name) DO UPDATE SET
    owner = excluded.owner, links = excluded.links, updated_at = now()
RETURNING updated_at
"""


class ServiceNotes:
    """The notes of one database; every method blocks and may raise StoreUnavailable."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url

    def of(self, service: str) -> ServiceNote:
        """What is noted of a service; an empty note when nothing is.

        Empty too while the schema is older than notes are.
        """
        with self._connected() as connection:
            try:
                row = connection.execute(
                    "SELECT owner, links::text, updated_at FROM service_notes"
                    " WHERE service_name = %s",
                    [service],
                ).fetchone()
            except psycopg.errors.UndefinedTable:
                row = None
        if row is None:
            return ServiceNote(service)
        owner, links, updated_at = row
        return ServiceNote(
            service, owner, msgspec.json.decode(links, type=list[NoteLink]), updated_at
        )

    def put(self, note: ServiceNote) -> ServiceNote:
        """Store a note in place of the one before; an empty one removes it.

        Raises FilterError when there are too many.
        """
        with self._connected() as connection:
            if note.is_empty:
                connection.execute(
                    "DELETE FROM service_notes WHERE service_name = %s", [note.service]
                )
                return ServiceNote(note.service)
            row = connection.execute(
                _PUT,
                {
                    "service": note.service,
                    "owner": note.owner,
                    "links": msgspec.json.encode(note.links).decode(),
                    "most": MOST_NOTES,
                },
            ).fetchone()
        if row is None:
            raise FilterError(
                "service",
                f"there are notes of {MOST_NOTES:,} services already",
                "empty some that nobody needs",
            )
        return msgspec.structs.replace(note, updated_at=row[0])

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection]:
        try:
            with psycopg.connect(self._url, connect_timeout=5, autocommit=True) as connection:
                yield connection
        except psycopg.OperationalError as error:
            raise StoreUnavailable("the database does not answer", "try again soon") from error

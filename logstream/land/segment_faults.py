"""A fault of one segment must not keep the others from being cared for."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors as pg_errors

log = logging.getLogger(__name__)


@contextmanager
def told_and_passed_over(connection: psycopg.Connection, work: str) -> Iterator[None]:
    """Turns an error of this piece of work into a warning; not the end of all work."""
    try:
        yield
    except (pg_errors.QueryCanceled, pg_errors.ReadOnlySqlTransaction):
        raise
    except psycopg.DatabaseError as error:
        if connection.closed:
            raise
        log.warning("%s failed and is tried again: %s", work, str(error).splitlines()[0])

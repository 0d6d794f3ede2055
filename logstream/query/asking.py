"""A connection for one question, its errors as ours, its time measured."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import sqlalchemy as sa
from sqlalchemy import exc

from logstream import metrics
from logstream.errors import FilterError, QueryTimeout, StoreUnavailable


@contextmanager
def asking(engine: sa.Engine, question: str) -> Iterator[sa.Connection]:
    """A connection as long as the block; raises as LogReader says."""
    started = time.perf_counter()
    try:
        with engine.connect() as connection:
            yield connection
    except exc.DBAPIError as error:
        if isinstance(error.orig, psycopg.errors.QueryCanceled):
            raise QueryTimeout(
                f"the question '{question}' took longer than the time limit",
                "narrow the time range or the filter; a word beside a /regex/ is found faster",
            ) from error
        if isinstance(error.orig, psycopg.errors.InvalidRegularExpression):
            raise FilterError(
                "q",
                f"q: a regular expression is too much for the database: {error.orig}",
                "make it shorter, or use several terms",
            ) from error
        if isinstance(error, exc.OperationalError | exc.InterfaceError):
            raise StoreUnavailable("the database does not answer", "try again soon") from error
        if isinstance(error.orig, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
            raise StoreUnavailable(
                "the database has not this version's schema yet", "try again soon"
            ) from error
        raise
    except exc.TimeoutError as error:
        raise StoreUnavailable("all database connections are busy", "try again") from error
    finally:
        metrics.QUERY_SECONDS.labels(question).observe(time.perf_counter() - started)

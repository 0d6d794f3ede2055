"""Exports: a question's whole result as bytes, from one snapshot, in bounded memory."""

from collections.abc import Iterator
from contextlib import ExitStack, suppress

import psycopg
import sqlalchemy as sa

from logstream.errors import StoreUnavailable
from logstream.filter import LogFilter
from logstream.query import trends
from logstream.query.asking import asking
from logstream.query.catalogue import Catalogue
from logstream.query.export.copying import PREPARE, Block, driver_connection, rows_of
from logstream.query.export.every_line import every_line
from logstream.query.export.forms import Form

# The number of lines is a courtesy: where it needs the rows, nobody waits longer for it.
COUNT_MILLISECONDS = 1_000


class Export:
    """One export under way. Iterate it to its end, or `close` it; `cancel` from any thread.

    `total` is how many lines it is expected to have; None when counting would take too long.
    """

    def __init__(
        self,
        engine: sa.Engine,
        catalogue: Catalogue,
        log_filter: LogFilter,
        form: Form,
        *,
        now_unix_nano: int,
        is_newest_first: bool = True,
        limit: int | None = None,
    ) -> None:
        self._log_filter = log_filter
        self._form = form
        self._now_unix_nano = now_unix_nano
        self._is_newest_first = is_newest_first
        self._limit = limit
        self._is_finished = False
        self._catalogue = catalogue
        self._stack = ExitStack()
        self._connection = self._stack.enter_context(asking(engine, "export"))
        self._raw = driver_connection(self._connection)
        try:
            self.total = self._count()
        except BaseException as error:
            self._stack.__exit__(type(error), error, error.__traceback__)
            raise

    def __iter__(self) -> Iterator[bytes]:
        """The file in pieces of some 100 KB to some MB.

        Raises StoreUnavailable when the database goes away or the export is cancelled: then
        what came before is no whole file and must not pass for one.
        """
        try:
            yield from self._form.encoded(self._blocks())
        except psycopg.OperationalError as error:
            raise StoreUnavailable("the database ended the export", "export again") from error
        except psycopg.Error as error:
            raise StoreUnavailable(f"the export failed: {error.diag.message_primary}") from error
        except sa.exc.DBAPIError as error:
            raise StoreUnavailable("the database ended the export", "export again") from error
        self._is_finished = True

    def cancel(self) -> None:
        """End the question in the database, whatever it is doing; the iteration then raises."""
        with suppress(psycopg.Error):
            self._raw.cancel_safe(timeout=5)

    def close(self) -> None:
        """Give the connection back; one with an answer under way is of no more use."""
        if not self._is_finished:
            self.cancel()
            self._connection.invalidate()
        self._stack.close()

    def _count(self) -> int | None:
        is_slow = self._log_filter.needs_rows
        if is_slow:
            self._connection.execute(_COUNT_TIMEOUT)
        try:
            counts = trends.severity_breakdown(
                self._connection,
                self._catalogue.segments(self._connection),
                self._log_filter,
                now_unix_nano=self._now_unix_nano,
            )
        except sa.exc.OperationalError as error:
            if not is_slow or not isinstance(error.orig, psycopg.errors.QueryCanceled):
                raise
            return None
        finally:
            # What was set for counting ends with it.
            with suppress(sa.exc.DBAPIError):
                self._connection.rollback()
        total = sum(count for _, count in counts)
        return total if self._limit is None else min(total, self._limit)

    def _blocks(self) -> Iterator[Block]:
        left = self._limit
        self._connection.execute(PREPARE)
        for conditions in every_line(
            self._connection,
            self._catalogue.segments(self._connection),
            self._log_filter,
            now_unix_nano=self._now_unix_nano,
            is_newest_first=self._is_newest_first,
        ):
            for block in rows_of(
                self._connection,
                self._form.columns,
                conditions,
                is_newest_first=self._is_newest_first,
                limit=left,
                form=self._form.copy_form,
            ):
                if left is not None:
                    left -= len(block)
                yield block
            if left == 0:
                return


class Exporter:
    """Begins exports of one database; see Export."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._catalogue = Catalogue()

    def export(
        self,
        log_filter: LogFilter,
        form: Form,
        *,
        now_unix_nano: int,
        is_newest_first: bool = True,
        limit: int | None = None,
    ) -> Export:
        """An export that has a connection and knows about how long it will be.

        Raises StoreUnavailable, QueryTimeout.
        """
        return Export(
            self._engine,
            self._catalogue,
            log_filter,
            form,
            now_unix_nano=now_unix_nano,
            is_newest_first=is_newest_first,
            limit=limit,
        )

    def close(self) -> None:
        """Give back all connections."""
        self._engine.dispose()


_COUNT_TIMEOUT = sa.text(f"SET LOCAL statement_timeout = {COUNT_MILLISECONDS}")

"""The worker's slow work on segments: closing, sealing, retention, on a thread of its own."""

import logging
import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import psycopg
from psycopg import errors as pg_errors

from logstream.land import close_segments, receipts, retention, seal
from logstream.settings import Settings

log = logging.getLogger(__name__)

ROUND_SECONDS = 5.0
SECONDS_AFTER_FAULT = 5.0
RETENTION_SECONDS = 300.0
# A minute in which landing took no new block of ids had at most one block of lines.
QUIET_SECONDS = 60.0
NICENESS = 10
_TOLD_BY_UPKEEP = (pg_errors.ReadOnlySqlTransaction, pg_errors.AdminShutdown)


class SegmentCare:
    """Cares for the segments of one database while its `with` block runs."""

    def __init__(self, url: str, settings: Settings) -> None:
        self._url = url
        self._settings = settings
        self._rules = settings.retention
        self._stop = threading.Event()
        self._connection: psycopg.Connection | None = None
        self._thread = threading.Thread(target=self._run, name="segment-care", daemon=True)
        self._retention_at = 0.0
        self._last_block: tuple[object, float] = (None, 0.0)

    def __enter__(self) -> "SegmentCare":
        self._thread.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Stop at once: a running statement is cancelled; the next leader goes on from there."""
        self._stop.set()
        while self._thread.is_alive():
            connection = self._connection
            if connection is not None and not connection.closed:
                # Between two statements there is nothing to cancel: try again.
                with suppress(psycopg.Error):
                    connection.cancel_safe(timeout=1)
            self._thread.join(0.1)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with psycopg.connect(
                    self._url,
                    autocommit=True,
                    connect_timeout=5,
                    application_name="logstream-seal",
                    options=seal.SESSION,
                ) as connection:
                    self._connection = connection
                    _be_nice(connection)
                    while not self._stop.is_set():
                        if not self._work(connection):
                            self._stop.wait(ROUND_SECONDS)
            except seal.Stopped:
                return
            except psycopg.Error as error:
                # The upkeep beside us tells about a database that is lost or read-only.
                is_told = error.sqlstate is None or isinstance(error, _TOLD_BY_UPKEEP)
                if not is_told and not self._stop.is_set():
                    log.exception("caring for segments failed; trying again soon")
            self._stop.wait(SECONDS_AFTER_FAULT)

    def _work(self, connection: psycopg.Connection) -> bool:
        """One piece of work; False when nothing is left to do for now."""
        close_segments.close_due(connection, self._settings.seal_after_seconds)
        if time.monotonic() >= self._retention_at:
            retention.enforce(connection, self._rules, self._pause)
            self._retention_at = time.monotonic() + RETENTION_SECONDS
        if seal.seal_next(connection, self._pause):
            return True
        if receipts.describe_next(connection):
            return True
        if self._settings.trigram == "idle" and self._is_quiet(connection):
            return seal.add_next_trigram(connection)
        return False

    def _pause(self) -> None:
        if self._stop.is_set():
            raise seal.Stopped

    def _is_quiet(self, connection: psycopg.Connection) -> bool:
        row = connection.execute("SELECT last_value FROM log_id_blocks").fetchone()
        block, since = self._last_block
        if row != block:
            self._last_block = (row, time.monotonic())
            return False
        return time.monotonic() - since >= QUIET_SECONDS


def _be_nice(connection: psycopg.Connection) -> None:
    """Low priority for our server process too, where it is on this machine and ours to set."""
    pid = connection.info.backend_pid
    if connection.info.host.startswith("/"):
        with suppress(OSError):
            if Path(f"/proc/{pid}/comm").read_text().strip() == "postgres":
                os.setpriority(os.PRIO_PROCESS, pid, NICENESS)

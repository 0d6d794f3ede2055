"""Care: slow work on the database, on a thread of its own beside the worker's short rounds."""

import logging
import os
import threading
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg import errors as pg_errors

from logstream.land import seal

log = logging.getLogger(__name__)

ROUND_SECONDS = 5.0
SECONDS_AFTER_FAULT = 5.0
NICENESS = 10
_TOLD_BY_UPKEEP = (pg_errors.ReadOnlySqlTransaction, pg_errors.AdminShutdown)


class Care(ABC):
    """Works on one database while its `with` block runs; see `work`."""

    def __init__(self, url: str, name: str, session: str = "") -> None:
        """`name` is what work fails under; the connection is opened with `session` options."""
        self._url = url
        self._name = name
        self._session = session
        self._stop = threading.Event()
        self._connection: psycopg.Connection | None = None
        self._thread = threading.Thread(target=self._run, name=f"care for {name}", daemon=True)

    @abstractmethod
    def work(self, connection: psycopg.Connection) -> bool:
        """One piece of work, in autocommit; False when nothing is left to do for now."""

    def pause(self) -> None:
        """To be called between two steps of long work: raises `seal.Stopped` when it must end."""
        if self._stop.is_set():
            raise seal.Stopped

    def __enter__(self) -> Self:
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
                    application_name=f"logstream-{self._name}",
                    options=self._session,
                ) as connection:
                    self._connection = connection
                    _be_nice(connection)
                    while not self._stop.is_set():
                        if not self.work(connection):
                            self._stop.wait(ROUND_SECONDS)
            except seal.Stopped:
                return
            except psycopg.Error as error:
                # The upkeep beside us tells about a database that is lost or read-only.
                is_told = error.sqlstate is None or isinstance(error, _TOLD_BY_UPKEEP)
                if not is_told and not self._stop.is_set():
                    log.exception("care for %s failed; trying again soon", self._name)
            self._stop.wait(SECONDS_AFTER_FAULT)


def _be_nice(connection: psycopg.Connection) -> None:
    """Low priority for our server process too, where it is on this machine and ours to set."""
    pid = connection.info.backend_pid
    if connection.info.host.startswith("/"):
        with suppress(OSError):
            if Path(f"/proc/{pid}/comm").read_text().strip() == "postgres":
                os.setpriority(os.PRIO_PROCESS, pid, NICENESS)

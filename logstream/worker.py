"""The worker process: upkeep of the database, by one leader at a time.

Any number may run; the one that holds the advisory lock works, the others wait for it.
Rounds of upkeep are short; what takes its time runs beside them as long as the lead is held:
sealing and retention (`segment_care.py`), patterns (`pattern_care.py`), traces
(`trace_care.py`).
"""

import logging
import os
import signal
import threading
from contextlib import suppress

import psycopg
from psycopg import errors as pg_errors

from logstream import wiring
from logstream.errors import LogStreamError, StoreUnavailable
from logstream.land import fold_durations, trace_upkeep, upkeep
from logstream.pattern_care import PatternCare
from logstream.segment_care import SegmentCare
from logstream.settings import Settings
from logstream.trace_care import TraceCare

log = logging.getLogger(__name__)

LEADER_LOCK = 0x576F_726B
ROUND_SECONDS = 5.0
ROUNDS_PER_FORGETTING = 60
SECONDS_AFTER_FAULT = 5.0
NICENESS = 10


def run(settings: Settings) -> int:
    """Work until SIGINT or SIGTERM; a database that is lost, or not there yet, is waited for.

    Raises SettingsError when it answers at start and waiting is no use.
    """
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    os.nice(NICENESS)
    url = wiring.database_url(settings)
    is_reachable = True
    with suppress(StoreUnavailable):
        wiring.migrate(url)
    while not stop.is_set():
        try:
            # It may be another database by now, or one that is there for the first time.
            wiring.migrate(url)
            with psycopg.connect(
                url, autocommit=True, connect_timeout=5, application_name="logstream-worker"
            ) as connection:
                if not is_reachable:
                    log.info("database reachable again")
                is_reachable = True
                _lead(connection, url, settings, stop)
        except (psycopg.OperationalError, LogStreamError) as error:
            if is_reachable:
                log.warning("waiting for the database: %s", str(error).splitlines()[0])
            is_reachable = False
            stop.wait(1.0)
        except pg_errors.ReadOnlySqlTransaction:
            log.warning("the database is read-only; trying again in %g s", SECONDS_AFTER_FAULT)
            stop.wait(SECONDS_AFTER_FAULT)
        except psycopg.Error:
            # One fault of upkeep must not end all of it: landing goes on, and so do we.
            log.exception("upkeep failed; trying again in %g s", SECONDS_AFTER_FAULT)
            stop.wait(SECONDS_AFTER_FAULT)
    return 0


def _lead(
    connection: psycopg.Connection, url: str, settings: Settings, stop: threading.Event
) -> None:
    while not _is_leader(connection):
        if stop.wait(ROUND_SECONDS):
            return
    round_number = 0
    # Ends with the block, so also when the connection is lost that holds the lead.
    with SegmentCare(url, settings), PatternCare(url), TraceCare(url):
        while not stop.is_set():
            round_number += 1
            # Not at once: after days without a database, spools must first find in `batches`
            # what had landed unheard before.
            work(connection, settings, is_forgetting=round_number % ROUNDS_PER_FORGETTING == 0)
            stop.wait(ROUND_SECONDS)


def work(connection: psycopg.Connection, settings: Settings, *, is_forgetting: bool) -> None:
    """One round of upkeep."""
    while upkeep.fold_counts(connection) > upkeep.FOLD_MINUTES:
        pass
    for table in fold_durations.COUNTED:
        while fold_durations.fold(connection, table) > fold_durations.FOLD_MINUTES:
            pass
    upkeep.summarize_segments(connection)
    if is_forgetting:
        while upkeep.forget_batches(connection, settings.batch_memory_days) == upkeep.DELETE_ROWS:
            pass
        while upkeep.forget_rejects(connection, settings.reject_memory_days) == upkeep.DELETE_ROWS:
            pass
        while trace_upkeep.forget_traces(connection, settings.retention) == upkeep.DELETE_ROWS:
            pass
        while trace_upkeep.forget_counts(connection, settings.retention) >= upkeep.DELETE_ROWS:
            pass
        upkeep.trim_rejects(connection)
        for table in fold_durations.COUNTED:
            while fold_durations.forget_minutes(connection, table) == fold_durations.DELETE_ROWS:
                pass


def _is_leader(connection: psycopg.Connection) -> bool:
    # The lock is the session's: a dead worker's is free at once.
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", [LEADER_LOCK]).fetchone()
    return bool(row and row[0])

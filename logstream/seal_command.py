"""The command `logstream seal`: seals what is closed, and adds trigram indexes on request."""

import argparse
from datetime import datetime
from pathlib import Path

import psycopg

from logstream import wiring
from logstream.errors import StoreUnavailable
from logstream.filter import LogFilter
from logstream.land import close_segments, seal, span_segments
from logstream.settings import Settings

_WITHOUT_TRIGRAM = """
SELECT first_id, name FROM segments
WHERE state = 'sealed' AND NOT has_trigram AND row_count > 0
    AND hours && tstzmultirange(tstzrange(%s, %s))
ORDER BY first_id DESC
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument(
        "--trigram",
        action="store_true",
        help="index every part of every message too; may take half as much disk again",
    )
    parser.add_argument(
        "--from", dest="start", default="", help="only lines from then on, ISO 8601"
    )
    parser.add_argument("--to", dest="end", default="", help="only lines before, ISO 8601")
    parser.add_argument(
        "--data-dir", type=Path, help="where the embedded database lives (LOGSTREAM_DATA_DIR)"
    )


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Seals, newest first, until nothing is left; gives the exit code."""
    window = LogFilter.from_url({"from": options.start, "to": options.end})
    try:
        with psycopg.connect(
            wiring.database_url(settings), autocommit=True, options=seal.SESSION, connect_timeout=5
        ) as connection:
            close_segments.close_due(connection, settings.seal_after_seconds)
            span_segments.close_due(connection, settings.seal_after_seconds)
            sealed = 0
            for seal_next in (seal.seal_next, span_segments.seal_next):
                while seal_next(connection, lambda: None):
                    sealed += 1
            print(f"sealed {sealed} segment{'s' if sealed != 1 else ''}")
            if options.trigram:
                return _add_trigrams(connection, window.start, window.end)
    except psycopg.OperationalError as error:
        reason = str(error).splitlines()[0]
        raise StoreUnavailable(f"the database does not answer: {reason}", "try again") from error
    return 0


def _add_trigrams(
    connection: psycopg.Connection, start: datetime | None, end: datetime | None
) -> int:
    for first_id, name in connection.execute(_WITHOUT_TRIGRAM, [start, end]).fetchall():
        with seal.taking_care(connection, first_id) as is_ours:
            if not is_ours:
                print(f"{name} is being worked on; left as it is")
            elif seal.add_trigram(connection, first_id, name):
                print(f"{name} has a trigram index")
            else:
                return 1
    return 0

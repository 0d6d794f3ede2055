"""The command `logstream retention`: what is past its retention, and away with it."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import psycopg
from rich.console import Console
from rich.table import Table
from rich.text import Text

from logstream import wiring
from logstream.errors import StoreUnavailable
from logstream.land import retention, seal, span_retention
from logstream.land.retention import DueSegment
from logstream.model import Severity
from logstream.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--dry-run", action="store_true", help="only say what would go")
    parser.add_argument(
        "--data-dir", type=Path, help="where the embedded database lives (LOGSTREAM_DATA_DIR)"
    )


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Prints what is due and, without --dry-run, removes it; gives the exit code."""
    rules = settings.retention
    if not rules.removes_something:
        print("every line is kept for ever; set LOGSTREAM_RETENTION_DAYS to change that")
        return 0
    try:
        with psycopg.connect(
            wiring.database_url(settings), autocommit=True, options=seal.SESSION, connect_timeout=5
        ) as connection:
            found = retention.due(connection, rules)
            spans = sum(segment.spans for segment in span_retention.due(connection, rules))
            Console().print(_table(found))
            print(f"{spans:,} spans past their retention")
            if options.dry_run or not (found or spans):
                return 0
            removed = retention.enforce(connection, rules, lambda: None)
            removed_spans = span_retention.enforce(connection, rules, lambda: None)
    except psycopg.OperationalError as error:
        reason = str(error).splitlines()[0]
        raise StoreUnavailable(f"the database does not answer: {reason}", "try again") from error
    wanted = sum(segment.lines for segment in found)
    print(f"removed {removed:,} lines and {removed_spans:,} spans")
    if removed < wanted or removed_spans < spans:
        print("a segment is in use or being sealed; the worker removes the rest")
    return 0


def _table(found: Sequence[DueSegment]) -> Table:
    total = sum(segment.lines for segment in found)
    table = Table(title=f"{total:,} lines past their retention", title_justify="left")
    for column in ("segment", "environment", "severity", "lines", "kept for", "how"):
        table.add_column(column, justify="right" if column == "lines" else "left")
    for segment in found:
        how = (
            "segment dropped"
            if segment.is_whole
            else "segment written anew"
            if segment.is_worth_rewriting
            else "lines deleted"
        )
        for kind in segment.kinds:
            table.add_row(
                segment.name,
                Text(kind.environment),
                Severity.of(kind.severity_number).word,
                f"{kind.lines:,}",
                f"{kind.days} days",
                how,
            )
    return table

"""The command `logstream keys`: make an API key, list what there is, revoke one."""

import argparse
import re
import sys
from datetime import UTC, datetime, timedelta

import psycopg
from rich.console import Console
from rich.table import Table
from rich.text import Text

from logstream import wiring
from logstream.api_keys import BEGINNING, ROLES, StoredKey, make_key
from logstream.errors import SettingsError, StoreUnavailable
from logstream.land import key_table
from logstream.settings import Settings

EVERY_ENVIRONMENT = "all"
_LIFE = re.compile(r"([1-9]\d{0,4})([hdw])")
_UNIT = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of the command and their options."""
    words = parser.add_subparsers(dest="word", metavar="create|list|revoke", required=True)
    create = words.add_parser("create", help="make a key; it is shown once")
    create.add_argument("--role", choices=ROLES, required=True, help="what it may do")
    create.add_argument(
        "--environment",
        metavar="NAME",
        help="the only one it may write to or read; 'all' is for read and admin",
    )
    create.add_argument("--name", default="", metavar="TEXT", help="whose it is, for the list")
    create.add_argument("--rate", type=_rate, metavar="N", help="most lines a second")
    create.add_argument(
        "--expires",
        type=_expiry,
        metavar="30d|2027-01-31",
        help="when it ends: after hours (h), days (d) or weeks (w), or at a date's begin in UTC",
    )
    words.add_parser("list", help="every key, when it was last used, what came with it")
    revoke = words.add_parser("revoke", help="end a key for good, within five seconds")
    revoke.add_argument("prefix", metavar="PREFIX", help="its visible part, as listed")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Does what the word says; gives the exit code. The settings name the database."""
    url = wiring.database_url(settings)
    wiring.migrate(url)
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
            if options.word == "create":
                return _create(connection, options)
            if options.word == "list":
                return _list(connection)
            return _revoke(connection, options.prefix)
    except psycopg.OperationalError as error:
        reason = str(error).splitlines()[0]
        raise StoreUnavailable(f"the database does not answer: {reason}", "try again") from error


def _create(connection: psycopg.Connection, options: argparse.Namespace) -> int:
    environment = None if options.environment == EVERY_ENVIRONMENT else options.environment
    if environment is not None and (not environment.strip() or "\x00" in environment):
        raise SettingsError("--environment is empty", "name one, for example production")
    if options.role == "ingest" and environment is None:
        raise SettingsError(
            "a key for ingest writes to one environment, and none is named",
            "add for example --environment production",
        )
    key, stored = make_key(
        options.role,
        environment,
        name=options.name,
        rate_per_second=options.rate,
        expires_at=options.expires,
    )
    key_table.add(connection, stored)
    print(key)
    Console(stderr=True, highlight=False).print(
        f"this is the only time the key is shown; in lists it is {stored.prefix}"
    )
    return 0


def _list(connection: psycopg.Connection) -> int:
    keys = key_table.every_key(connection)
    if not keys:
        print("there is no key; make one with: logstream keys create --environment NAME --role …")
        return 0
    table = Table(box=None, pad_edge=False)
    for column in ("key", "role", "environment", "state", "rate", "last used"):
        table.add_column(column, no_wrap=True)
    for column in ("lines", "refused"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("name", overflow="fold")
    now = datetime.now(UTC)
    for key in keys:
        table.add_row(
            key.prefix,
            key.role,
            Text(key.environment or EVERY_ENVIRONMENT),
            _state(key, now),
            "" if key.rate_per_second is None else f"{key.rate_per_second:g}/s",
            _moment(key.last_used_at) or "never",
            f"{key.line_count:,}",
            f"{key.rejected_count:,}",
            Text(key.name),
        )
    # A pipe has no width: nothing is folded for it.
    Console(width=None if sys.stdout.isatty() else 250).print(table)
    return 0


def _revoke(connection: psycopg.Connection, prefix: str) -> int:
    # Somebody may give the whole key, which is then nobody's to repeat.
    prefix = prefix[: len(BEGINNING) + 8]
    if not key_table.revoke(connection, prefix):
        known = {key.prefix for key in key_table.every_key(connection)}
        why = "is revoked already" if prefix in known else "is no key"
        raise SettingsError(f"'{prefix}' {why}", "see 'logstream keys list'")
    print(f"{prefix} is revoked; running services refuse it within five seconds")
    return 0


def _state(key: StoredKey, now: datetime) -> str:
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at is None:
        return "valid"
    return "expired" if key.expires_at <= now else f"until {_moment(key.expires_at)}"


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0
    if not 0.001 <= rate <= 1e9:
        raise argparse.ArgumentTypeError(f"{text} is not a number of lines a second")
    return rate


def _expiry(text: str) -> datetime:
    now = datetime.now(UTC)
    life = _LIFE.fullmatch(text)
    try:
        if life is not None:
            return now + int(life[1]) * _UNIT[life[2]]
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text} is neither 30d nor 2027-01-31") from None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    if moment <= now:
        raise argparse.ArgumentTypeError(f"{text} is past")
    return moment

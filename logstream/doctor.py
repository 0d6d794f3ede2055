"""`logstream doctor`: looks at every setting and connection and says what to do.

Nothing is changed and no secret is printed.
"""

import asyncio
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import psycopg
from alembic.script import ScriptDirectory
from rich.console import Console
from rich.table import Table
from rich.text import Text

import logstream
from logstream.addresses import answers, check_port, url_host, without_password
from logstream.errors import LogStreamError, ModelUnavailable, SettingsError
from logstream.explain.chat_model import OpenAIChat
from logstream.land.count_check import CountCheck, check_counts
from logstream.land.embedded import holder, running_url
from logstream.land.embedded_host import server_binaries, server_user
from logstream.land.spool import look
from logstream.notify.web_pubsub import WebPubSub
from logstream.ports import ChatMessage
from logstream.settings import Settings, unknown_settings
from logstream.wiring import open_chat_model

OLDEST_SERVER = 140_000
GIBIBYTE = 1024**3
MOSTLY_FULL = 0.8
MODEL_SECONDS = 15.0
START_UP = "start 'logstream up'"


class Verdict(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


COLOURS = {Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.FAIL: "red"}


@dataclass(frozen=True)
class Finding:
    """What one check found; `remedy` is a sentence for everything that is not ok."""

    check: str
    verdict: Verdict
    found: str
    remedy: str = ""


def examine(settings: Settings, *, with_counts: bool = False) -> int:
    """Prints a table of all findings; gives 1 when one of them is a failure, else 0."""
    findings = list(look_at_everything(settings, with_counts=with_counts))
    table = Table(title="LogStream doctor", title_justify="left")
    for column in ("check", "", "found", "what to do"):
        table.add_column(column, overflow="fold")
    for finding in findings:
        verdict = Text(finding.verdict, style=COLOURS[finding.verdict])
        table.add_row(Text(finding.check), verdict, Text(finding.found), Text(finding.remedy))
    Console().print(table)
    return int(any(finding.verdict is Verdict.FAIL for finding in findings))


def look_at_everything(settings: Settings, *, with_counts: bool = False) -> Iterator[Finding]:
    """Every finding, in the order in which a problem is best mended."""
    yield Finding("settings", Verdict.OK, f"understood; address {settings.host}")
    unknown = unknown_settings()
    for warning in unknown:
        yield Finding("variables", Verdict.WARN, warning, "correct its name or remove it")
    if not unknown:
        yield Finding("variables", Verdict.OK, "every LOGSTREAM_ variable is known")
    yield _data_directory(settings.data_dir)
    yield _spool(settings.data_dir, settings.spool_max_bytes)
    if settings.database_url is None:
        yield _binaries(settings.data_dir)
    yield from _database(settings, with_counts=with_counts)
    yield _retention(settings)
    yield _port(settings, "service", settings.port, "--port", "LOGSTREAM_PORT", "/health/live")
    yield _port(
        settings,
        "dashboard",
        settings.dashboard_port,
        "--dashboard-port",
        "LOGSTREAM_DASHBOARD_PORT",
        "/_stcore/health",
    )
    yield _hub(settings)
    yield _model(settings)


def _data_directory(data_dir: Path) -> Finding:
    check = "data directory"
    place = data_dir.expanduser().absolute()
    nearest = next(path for path in (place, *place.parents) if path.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        return Finding(
            check,
            Verdict.FAIL,
            f"{place} cannot be written to",
            "choose another with --data-dir (LOGSTREAM_DATA_DIR)",
        )
    free = shutil.disk_usage(nearest).free
    found = f"{place}, {free / GIBIBYTE:.1f} GB free"
    if free < GIBIBYTE:
        verdict = Verdict.FAIL if free < GIBIBYTE // 4 else Verdict.WARN
        return Finding(check, verdict, found, "make room: a million lines take about 0.5 GB")
    return Finding(check, Verdict.OK, found)


def _spool(data_dir: Path, max_bytes: int) -> Finding:
    check = "spool"
    directory = data_dir.expanduser().absolute() / "spool"
    try:
        report = look(directory, max_bytes)
    except OSError as error:
        return Finding(
            check, Verdict.FAIL, f"{directory}: {error.strerror}", "let this user read it"
        )
    found = "empty"
    if report.lines or report.bytes:
        found = f"{report.lines:,} lines wait, {report.bytes:,} of {max_bytes:,} bytes"
        if report.oldest_unix_seconds is not None:
            oldest = datetime.fromtimestamp(report.oldest_unix_seconds, UTC)
            found += f", the oldest since {oldest:%Y-%m-%d %H:%M} UTC"
    if report.damaged_files:
        found += f"; {report.damaged_files} files with damage (*.damaged) are kept"
    if report.is_nearly_full:
        remedy = "bring the database back, or raise LOGSTREAM_SPOOL_MAX_BYTES"
        return Finding(check, Verdict.FAIL, found, remedy)
    if report.bytes:
        remedy = "nothing is lost: they land while 'logstream serve' runs and the database answers"
        return Finding(check, Verdict.WARN, found, remedy)
    if report.damaged_files:
        return Finding(check, Verdict.WARN, found, f"look at them in {directory}, then remove them")
    return Finding(check, Verdict.OK, found)


def _binaries(data_dir: Path) -> Finding:
    check = "embedded PostgreSQL"
    try:
        user = server_user(data_dir.expanduser().absolute() / "postgres" / "data")
        binaries = server_binaries(user)
    except SettingsError as error:
        return Finding(check, Verdict.FAIL, error.message, error.hint)
    return Finding(check, Verdict.OK, f"runs as user {user.name} from {binaries}")


def _database(settings: Settings, *, with_counts: bool) -> Iterator[Finding]:
    check = "database"
    if settings.database_url is not None:
        url = settings.database_url.get_secret_value()
        remedy = "check host, port, user and password in DATABASE_URL, and that the server runs"
    else:
        running = running_url(settings.data_dir)
        if running is None:
            found = holder(settings.data_dir)
            if found is None:
                yield Finding(
                    check, Verdict.WARN, "the embedded one is not running", f"{START_UP} to use it"
                )
            else:
                yield Finding(
                    check,
                    Verdict.FAIL,
                    f"the embedded one of process {found.pid} ({found}) does not answer",
                    "wait for its start to end, or stop that process and start it again",
                )
            return
        url, remedy = running, f"stop 'logstream up' and {START_UP} again"
    try:
        with psycopg.connect(url, connect_timeout=5, autocommit=True) as connection:
            number = connection.info.server_version
            name = f"PostgreSQL {number // 10_000}.{number % 10_000} at {without_password(url)}"
            if number < OLDEST_SERVER:
                yield Finding(check, Verdict.FAIL, name, "use PostgreSQL 14 or newer")
            else:
                yield Finding(check, Verdict.OK, name)
            schema = _schema(connection)
            yield schema
            if with_counts and schema.verdict is Verdict.OK:
                yield from map(_count_finding, check_counts(connection))
    except psycopg.Error as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        yield Finding(check, Verdict.FAIL, reason[0], remedy)


def _count_finding(check: CountCheck) -> Finding:
    name = f"counts by {check.level}"
    if not check.differing:
        return Finding(name, Verdict.OK, f"{check.counted:,} lines counted, as many as expected")
    return Finding(
        name,
        Verdict.FAIL,
        f"{check.expected:,} lines expected, {check.counted:,} counted, "
        f"{check.differing:,} groups differ: {'; '.join(check.examples)}",
        "please report it with these lines; the rows of 'logs' are right",
    )


def _schema(connection: psycopg.Connection) -> Finding:
    check = "schema"
    migrations = Path(logstream.__file__).parent / "land" / "migrations"
    newest = ScriptDirectory(str(migrations)).get_current_head()
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except psycopg.errors.UndefinedTable:
        row = None
    present = None if row is None else str(row[0])
    if present == newest:
        return Finding(check, Verdict.OK, f"at {present}, this version's")
    return Finding(
        check,
        Verdict.FAIL,
        f"at {present or 'nothing yet'}; this version needs {newest}",
        "run 'logstream migrate'",
    )


def _retention(settings: Settings) -> Finding:
    kept = f"lines are kept {settings.retention.words()}"
    if settings.retention.removes_something or settings.database_url is not None:
        return Finding("retention", Verdict.OK, kept)
    place = settings.data_dir.expanduser().absolute()
    disk = shutil.disk_usage(next(path for path in (place, *place.parents) if path.exists()))
    full = 1 - disk.free / disk.total
    found = f"{kept}; the disk is {full:.0%} full"
    if full < MOSTLY_FULL:
        return Finding("retention", Verdict.OK, found)
    return Finding("retention", Verdict.WARN, found, "set LOGSTREAM_RETENTION_DAYS")


def _port(
    settings: Settings, check: str, port: int, option: str, variable: str, path: str
) -> Finding:
    address = f"http://{url_host(settings.host)}:{port}"
    try:
        check_port(settings.host, port, option, variable)
    except SettingsError as error:
        if answers(address + path):
            return Finding(check, Verdict.OK, f"answers at {address}")
        return Finding(check, Verdict.FAIL, error.message, error.hint)
    return Finding(check, Verdict.WARN, f"not running; port {port} is free", START_UP)


def _hub(settings: Settings) -> Finding:
    check = "hub"
    if settings.webpubsub_connection_string is None:
        return Finding(check, Verdict.OK, "the one built into the service")
    try:
        asyncio.run(_greet(settings.webpubsub_connection_string.get_secret_value(), settings))
    except LogStreamError as error:
        return Finding(check, Verdict.FAIL, error.message, error.hint)
    return Finding(
        check, Verdict.OK, f"Azure Web PubSub accepts messages for {settings.webpubsub_hub}"
    )


async def _greet(connection_string: str, settings: Settings) -> None:
    """A message to a group that has no members: proves address, key and network."""
    hub = WebPubSub(connection_string, settings.webpubsub_hub)
    try:
        await hub.send("doctor", {"hello": "is anybody there?"})
    finally:
        await hub.close()


def _model(settings: Settings) -> Finding:
    check = "language model"
    model = open_chat_model(settings)
    if model is None:
        return Finding(check, Verdict.OK, "none: built-in rules read questions")
    started = time.monotonic()
    try:
        asyncio.run(_ask_hello(model))
    except ModelUnavailable as error:
        return Finding(check, Verdict.FAIL, error.message, error.hint)
    elapsed = time.monotonic() - started
    return Finding(
        check, Verdict.OK, f"{model.name} at {model.address} answers, after {elapsed:.1f} s"
    )


async def _ask_hello(model: OpenAIChat) -> None:
    """A question of a few tokens: proves address, key, name and network."""
    hello = ChatMessage("user", 'Answer with this JSON and nothing else: {"ok": true}')
    schema = {
        "type": "object",
        "properties": {"ok": {"type": "boolean"}},
        "required": ["ok"],
        "additionalProperties": False,
    }
    try:
        await model.complete([hello], schema, seconds=MODEL_SECONDS)
    finally:
        await model.close()

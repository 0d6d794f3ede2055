"""The commands: `logstream COMMAND`, also `python -m logstream COMMAND`.

Each command imports what it needs when it runs, so that `--help` answers at once. An
error of ours is one line on standard error and exit code 2.
"""

import argparse
import importlib
import importlib.metadata
import logging
import os
import runpy
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

from pydantic import SecretStr

from logstream.errors import LogStreamError, SettingsError
from logstream.settings import Settings, load_settings, unknown_settings

APP = Path(__file__).resolve().parent.parent / "app.py"
SECONDS_TO_END_ALONE = 8


@dataclass(frozen=True)
class Command:
    """One word of the command line. `overrides` names the settings its options replace."""

    name: str
    summary: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace, Settings], int]
    overrides: tuple[str, ...] = ()


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs one command and ends the process with its exit code."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Runs one command; gives its exit code: 0 done, 1 failed, 2 wrong use, 130 interrupted."""
    options = _parse(arguments)
    command: Command = options.command
    if options.supervised:
        _end_with_supervisor()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    for noisy in ("httpx", "azure", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        if not options.supervised and command.run is not _doctor:  # its table lists them
            for warning in unknown_settings():
                _complain(warning)
        settings = load_settings(**{name: getattr(options, name) for name in command.overrides})
        return command.run(options, settings)
    except LogStreamError as error:
        _complain(error.one_line())
        return 2
    except KeyboardInterrupt:
        return 130


def _complain(line: str) -> None:
    print(f"logstream: {line}", file=sys.stderr, flush=True)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="logstream", description="Services POST their logs, analysts see them at once."
    )
    version = importlib.metadata.version("logstream") if _is_installed() else "(from source)"
    parser.add_argument("--version", action="version", version=f"logstream {version}")
    # given by `up`: standard input is a pipe that closes when `up` ends, however it ends
    parser.add_argument("--supervised", action="store_true", help=argparse.SUPPRESS)
    words = parser.add_subparsers(metavar="COMMAND", required=True)
    chosen = next((word for word in arguments if not word.startswith("-")), None)
    for command in COMMANDS:
        part = words.add_parser(command.name, help=command.summary, description=command.summary)
        part.set_defaults(command=command)
        if command.name == chosen:  # only then may its module be loaded
            command.add_arguments(part)
    return parser.parse_args(arguments)


def _is_installed() -> bool:
    try:
        importlib.metadata.distribution("logstream")
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _end_with_supervisor() -> None:
    """Stops this process in order when `up` has ended without being able to say so."""

    def wait_for_the_end() -> None:
        while os.read(0, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait(SECONDS_TO_END_ALONE)
        os._exit(1)

    threading.Thread(target=wait_for_the_end, name="supervisor", daemon=True).start()


@contextmanager
def _with_database(settings: Settings, holder: str) -> Iterator[Settings]:
    """Settings with a DATABASE_URL: the given one, a running `up`'s, or that of our own server.

    Our own runs, and is started again should it die, until the block ends.
    """
    from logstream.land.embedded import EmbeddedPostgres, running_url

    url = running_url(settings.data_dir) if settings.database_url is None else None
    if settings.database_url is not None or url is not None:
        yield _with_url(settings, url)
        return
    signal.signal(signal.SIGTERM, _interrupt)  # so that the server is stopped on the way out
    ended = threading.Event()
    with EmbeddedPostgres(settings.data_dir, holder) as server:

        def revive() -> None:
            while not ended.wait(0.2):
                if not server.is_running():
                    _complain("the database stopped; starting it again")
                    try:
                        server.start()
                    except LogStreamError as error:
                        _complain(error.one_line())
                        ended.wait(5)

        guard = threading.Thread(target=revive, name="database", daemon=True)
        guard.start()
        try:
            yield _with_url(settings, server.url)
        finally:
            ended.set()
            guard.join()


def _with_url(settings: Settings, url: str | None) -> Settings:
    if url is None:
        return settings
    os.environ["DATABASE_URL"] = url  # read by further processes we start
    return settings.model_copy(update={"database_url": SecretStr(url)})


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _up_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--demo", action="store_true", help="send the traffic of a pretend shop")
    _port_argument(parser)
    _dashboard_port_argument(parser)
    parser.add_argument("--no-dashboard", action="store_true", help="start no dashboard")
    _workers_argument(parser)
    _data_dir_argument(parser)


def _up(options: argparse.Namespace, settings: Settings) -> int:
    from logstream.up import Up

    return Up(settings, demo=options.demo, with_dashboard=not options.no_dashboard).run()


def _serve_arguments(parser: argparse.ArgumentParser) -> None:
    _port_argument(parser)
    _data_dir_argument(parser)
    _workers_argument(parser)
    # given by another `serve` to the processes that it starts beside itself
    parser.add_argument("--further", type=int, nargs=5, help=argparse.SUPPRESS)


def _serve(options: argparse.Namespace, settings: Settings) -> int:
    from ingest_service.main import serve
    from ingest_service.other_process import Place

    if options.further is not None:
        return serve(settings, Place(*options.further))
    with _with_database(settings, "logstream serve") as ready:
        return serve(ready)


def _worker(_options: argparse.Namespace, settings: Settings) -> int:
    from logstream.wiring import database_url
    from logstream.worker import run as work

    return work(_with_url(settings, database_url(settings)))


def _dashboard_arguments(parser: argparse.ArgumentParser) -> None:
    _dashboard_port_argument(parser)
    _data_dir_argument(parser)


def _dashboard(_options: argparse.Namespace, settings: Settings) -> int:
    from logstream.wiring import database_url, guarded

    if not APP.exists():
        raise SettingsError(
            f"the dashboard's {APP} is missing", "run LogStream from its repository"
        )
    os.environ["DATABASE_URL"] = database_url(settings)
    os.environ["LOGSTREAM_DATA_DIR"] = str(settings.data_dir.absolute())
    if settings.require_keys is None:
        settings = guarded(settings, _complain)
    sys.argv = [
        "streamlit",
        "run",
        str(APP),
        f"--server.port={settings.dashboard_port}",
        f"--server.address={settings.host}",
        "--server.headless=true",
        "--browser.gatherUsageStats=false",
        "--logger.hideWelcomeMessage=true",
    ]
    try:
        runpy.run_module("streamlit", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _migrate(_options: argparse.Namespace, settings: Settings) -> int:
    from logstream.wiring import database_url, migrate

    with _with_database(settings, "logstream migrate") as ready:
        migrate(database_url(ready))
    print("the database is at this version's schema")
    return 0


def _keys_arguments(parser: argparse.ArgumentParser) -> None:
    from logstream import keys_command

    keys_command.add_arguments(parser)
    _data_dir_argument(parser)


def _keys(options: argparse.Namespace, settings: Settings) -> int:
    from logstream import keys_command

    with _with_database(settings, "logstream keys") as ready:
        return keys_command.run(options, ready)


def _doctor_arguments(parser: argparse.ArgumentParser) -> None:
    _port_argument(parser)
    _dashboard_port_argument(parser)
    _data_dir_argument(parser)
    parser.add_argument(
        "--counts", action="store_true", help="also prove that every count is what the rows say"
    )


def _doctor(options: argparse.Namespace, settings: Settings) -> int:
    from logstream.doctor import examine

    return examine(settings, with_counts=options.counts)


def _elsewhere(name: str, summary: str, module: str, overrides: tuple[str, ...] = ()) -> Command:
    """A command whose own module has `add_arguments` and `run`, loaded when called."""

    def add_arguments(parser: argparse.ArgumentParser) -> None:
        importlib.import_module(module).add_arguments(parser)

    def run_it(options: argparse.Namespace, settings: Settings) -> int:
        return int(importlib.import_module(module).run(options, settings))

    return Command(name, summary, add_arguments, run_it, overrides)


def _port_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, help="port of the ingest service (LOGSTREAM_PORT)")


def _dashboard_port_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--dashboard-port", type=int, help="port of the dashboard (LOGSTREAM_DASHBOARD_PORT)"
    )


def _workers_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--workers", help="number of ingest processes (LOGSTREAM_WORKERS)")


def _data_dir_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data-dir", type=Path, help="where the embedded database lives (LOGSTREAM_DATA_DIR)"
    )


PORTS_AND_DATA = ("port", "dashboard_port", "data_dir")
COMMANDS = (
    Command(
        "up",
        "start everything: database, service, dashboard",
        _up_arguments,
        _up,
        (*PORTS_AND_DATA, "workers"),
    ),
    Command(
        "serve",
        "the ingest service alone",
        _serve_arguments,
        _serve,
        ("port", "data_dir", "workers"),
    ),
    Command("worker", "the background work alone", _data_dir_argument, _worker, ("data_dir",)),
    Command(
        "dashboard",
        "the dashboard alone",
        _dashboard_arguments,
        _dashboard,
        ("dashboard_port", "data_dir"),
    ),
    Command(
        "migrate",
        "bring the database to this version's schema",
        _data_dir_argument,
        _migrate,
        ("data_dir",),
    ),
    Command("keys", "make, list and revoke API keys", _keys_arguments, _keys, ("data_dir",)),
    _elsewhere("simulate", "send a pretend shop's traffic", "logstream.simulate.command"),
    _elsewhere("import", "send log files", "logstream.import_logs.command"),
    _elsewhere("export", "save every matching line as a file", "logstream.export_command"),
    _elsewhere(
        "retention",
        "remove now what is past its retention",
        "logstream.retention_command",
        ("data_dir",),
    ),
    _elsewhere(
        "seal",
        "index now what is closed, trigrams on request",
        "logstream.seal_command",
        ("data_dir",),
    ),
    Command(
        "doctor",
        "check every setting and connection, say what to do",
        _doctor_arguments,
        _doctor,
        PORTS_AND_DATA,
    ),
)

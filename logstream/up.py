"""`logstream up`: starts database, service, worker, dashboard and demo traffic, and keeps them up.

Every part is a process of its own, in a session of its own, so that a Ctrl-C reaches only
this one and all are stopped in order. A part that dies is started again.
"""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from types import FrameType
from typing import TextIO
from urllib.parse import urlsplit

import psutil
import psycopg

from logstream.errors import LogStreamError, SettingsError
from logstream.land.embedded import EmbeddedPostgres, holder, in_use
from logstream.settings import Settings
from logstream.wiring import migrate

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 10.0
STABLE_AFTER_SECONDS = 60.0
STOP_WITHIN_SECONDS = 4.5
DEMO_ARGUMENTS = ("--rate", "20", "--incidents-every", "10")
DEMO_HISTORY = ("--backfill-minutes", "60")
COLOURS = {"serve": 36, "worker": 35, "dashboard": 34, "simulate": 32, "database": 33}

_screen = threading.Lock()


def say(name: str, line: str) -> None:
    """One line on the terminal, whole, behind the name of the part it comes from."""
    label = f"{name:<9} |"
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        label = f"\x1b[{COLOURS.get(name, 1)}m{label}\x1b[0m"
    with _screen, suppress(OSError, ValueError):  # the terminal may be gone
        print(label, line, flush=True)


class Backoff:
    """How long to wait before the next start: doubling, forgotten after a stable while."""

    def __init__(self) -> None:
        self.starts = 0
        self._pause = FIRST_PAUSE_SECONDS

    def pause_after(self, lived_seconds: float) -> float:
        if lived_seconds >= STABLE_AFTER_SECONDS:
            self._pause = FIRST_PAUSE_SECONDS
        pause = self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)
        return pause


class Part:
    """One process that is kept running: `python -m logstream <name> <arguments…>`.

    The arguments in `at_first` are given to the first start only.
    """

    def __init__(
        self,
        name: str,
        environment: dict[str, str],
        arguments: tuple[str, ...] = (),
        at_first: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self._arguments = arguments
        self._at_first = at_first
        self._environment = environment
        self._process: subprocess.Popen[str] | None = None
        self._backoff = Backoff()
        self._started_at = 0.0
        self._next_start = 0.0
        self.exit_code: int | None = None

    def tend(self) -> None:
        """Starts the process when it is due; notices and announces its end."""
        now = time.monotonic()
        if self._process is None:
            if now >= self._next_start:
                self._start(now)
            return
        code = self._process.poll()
        if code is None:
            return
        self.signal_group(signal.SIGKILL)  # what it had started must not keep its port
        self._process = None
        self.exit_code = code
        pause = self._backoff.pause_after(now - self._started_at)
        self._next_start = now + pause
        say(
            self.name,
            f"stopped {how_it_ended(code)}; starting it again in {pause:g} s "
            f"({ordinal(self._backoff.starts + 1)} start)",
        )

    def _start(self, now: float) -> None:
        arguments = self._arguments + (() if self._backoff.starts else self._at_first)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "logstream", "--supervised", self.name, *arguments],
            stdin=subprocess.PIPE,  # never written: it closes when we end, however we end
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=self._environment,
            start_new_session=True,
        )
        self._started_at = now
        self._backoff.starts += 1
        threading.Thread(
            target=_pass_on, args=(self.name, self._process.stdout), daemon=True
        ).start()

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def signal_group(self, number: signal.Signals) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)

    def ask_to_stop(self) -> None:
        if self.is_running() and self._process is not None:
            self._process.terminate()

    def wait_stopped(self, deadline: float) -> None:
        """Waits until the deadline (monotonic), then kills."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            say(self.name, "did not stop in time; killed")
        self.signal_group(signal.SIGKILL)
        self._process.wait()
        self._process = None


class Up:
    """Everything on one machine, until SIGINT, SIGTERM or SIGHUP."""

    def __init__(self, settings: Settings, *, demo: bool, with_dashboard: bool) -> None:
        self._settings = settings
        self._demo = demo
        self._with_dashboard = with_dashboard
        self._server: EmbeddedPostgres | None = None
        self._parts: list[Part] = []
        self._stop = threading.Event()
        self._stop_requests = 0
        self._is_waiting_for_database = True  # recovery may take long: then signals interrupt

    def run(self) -> int:
        """Gives 0 after a clean stop, 2 when a part cannot run with these settings."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup
                signal.signal(number, self._on_signal)
        if self._settings.database_url is None and holder(self._settings.data_dir) is not None:
            raise in_use(self._settings.data_dir)
        self._check_ports()
        try:
            return self._start_and_tend()
        except KeyboardInterrupt:
            return 0
        finally:
            self._is_waiting_for_database = False
            self._stop_all()

    def _start_and_tend(self) -> int:
        url = self._start_database()
        migrate(url)
        environment = self._environment(url)
        names = ("serve", "worker", "dashboard") if self._with_dashboard else ("serve", "worker")
        self._parts = [Part(name, environment) for name in names]
        self._is_waiting_for_database = False
        is_ready = False
        database_pauses = Backoff()
        database_due = time.monotonic()
        while not self._stop.is_set():
            if self._server is not None and self._server.is_running():
                database_due = time.monotonic()
            elif self._server is not None and time.monotonic() >= database_due:
                database_due = time.monotonic() + database_pauses.pause_after(0)
                self._revive_database(self._server)
            for part in self._parts:
                part.tend()
                if part.exit_code == 2 and not is_ready:
                    raise SettingsError(f"{part.name} cannot start", "its own line above says why")
            if not is_ready and self._answers():
                is_ready = True
                self._announce(url)
                if self._demo:
                    history = () if holds_lines(url) else DEMO_HISTORY
                    self._parts.append(Part("simulate", environment, DEMO_ARGUMENTS, history))
            self._stop.wait(0.1)
        return 0

    def _start_database(self) -> str:
        given = self._settings.database_url
        if given is not None:
            return given.get_secret_value()
        self._server = EmbeddedPostgres(self._settings.data_dir, "logstream up")
        return self._server.start()

    def _revive_database(self, server: EmbeddedPostgres) -> None:
        if server.exit_code is not None:
            say("database", f"stopped {how_it_ended(server.exit_code)}; starting it again")
        self._is_waiting_for_database = True
        try:
            server.start()
        except LogStreamError as error:
            say("database", error.one_line())
        else:
            say("database", "started again, nothing committed is lost")
        finally:
            self._is_waiting_for_database = False

    def _environment(self, url: str) -> dict[str, str]:
        settings = self._settings
        return {
            **os.environ,
            "DATABASE_URL": url,
            "LOGSTREAM_PORT": str(settings.port),
            "LOGSTREAM_DASHBOARD_PORT": str(settings.dashboard_port),
            "LOGSTREAM_URL": self._address(settings.port),
            "LOGSTREAM_DATA_DIR": str(settings.data_dir.expanduser().absolute()),
            "PYTHONUNBUFFERED": "1",
        }

    def _address(self, port: int) -> str:
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(  # noqa: S104 - compared, not bound
            self._settings.host, self._settings.host
        )
        return f"http://{f'[{host}]' if ':' in host and host[0] != '[' else host}:{port}"

    def _check_ports(self) -> None:
        check_port(self._settings.host, self._settings.port, "--port", "LOGSTREAM_PORT")
        if self._with_dashboard:
            if self._settings.port == self._settings.dashboard_port:
                raise SettingsError(
                    f"service and dashboard cannot share port {self._settings.port}",
                    "change --port or --dashboard-port",
                )
            check_port(
                self._settings.host,
                self._settings.dashboard_port,
                "--dashboard-port",
                "LOGSTREAM_DASHBOARD_PORT",
            )

    def _answers(self) -> bool:
        service = f"{self._address(self._settings.port)}/health/ready"
        dashboard = f"{self._address(self._settings.dashboard_port)}/_stcore/health"
        return answers(service) and (not self._with_dashboard or answers(dashboard))

    def _announce(self, url: str) -> None:
        service = self._address(self._settings.port)
        lines = [
            f"ingest API  {service}/logs/ingest",
            f"API docs    {service}/docs",
            f"database    {without_password(url)}",
            f"first line  curl {service}/logs/ingest -H 'Content-Type: application/json' "
            """-d '{"source": "checkout", "severity": "info", "message": "hello"}'""",
        ]
        if self._with_dashboard:
            lines.insert(0, f"dashboard   {self._address(self._settings.dashboard_port)}")
        for line in ["LogStream is ready", *lines, "stop it with Ctrl-C"]:
            say("up", line)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stop_requests += 1
        self._stop.set()
        if self._is_waiting_for_database:
            raise KeyboardInterrupt
        if self._stop_requests > 1:
            for part in self._parts:
                part.signal_group(signal.SIGKILL)
            if self._server is not None and self._server.pid is not None:
                os.kill(self._server.pid, signal.SIGQUIT)

    def _stop_all(self) -> None:
        """Sources first, then the service, which lands what it has, the database last."""
        if self._parts:
            say("up", "stopping")
        began = time.monotonic()
        sources = [part for part in self._parts if part.name in ("simulate", "dashboard")]
        others = [part for part in self._parts if part not in sources]
        for group, seconds in ((sources, 1.0), (others, STOP_WITHIN_SECONDS - 1.5)):
            for part in group:
                part.ask_to_stop()
            for part in group:
                part.wait_stopped(began + seconds)
        if self._server is not None:
            left = began + STOP_WITHIN_SECONDS - time.monotonic()
            self._server.stop(patience_seconds=max(0.5, left) if self._stop_requests < 2 else 0.1)
        if self._parts:
            say("up", f"stopped after {time.monotonic() - began:.1f} s")


def holds_lines(url: str) -> bool:
    """Whether anything was ever stored: then the demo adds no history of its own."""
    with psycopg.connect(url, connect_timeout=5) as connection:
        row = connection.execute("SELECT EXISTS (SELECT FROM logs)").fetchone()
    return row is not None and bool(row[0])


def check_port(host: str, port: int, option: str, variable: str) -> None:
    """Raises SettingsError, naming the holder when it can be seen, if the port cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror:
        raise SettingsError(
            f"LOGSTREAM_HOST={host} is no address of this machine", "use for example 127.0.0.1"
        ) from None
    except PermissionError:
        raise SettingsError(
            f"port {port} may not be used by this user", f"choose one above 1023 with {option}"
        ) from None
    except OSError as error:
        if not port_holder(port):
            raise SettingsError(
                f"cannot listen on {host} port {port}: {error.strerror}",
                f"choose another with {option} ({variable}) or LOGSTREAM_HOST",
            ) from None
        raise SettingsError(
            f"port {port} is taken by {port_holder(port)}",
            f"stop that, or choose another with {option} ({variable})",
        ) from None


def port_holder(port: int) -> str:
    """Who listens on a TCP port, in words; empty when nobody that we may see does."""
    with suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port:
                if connection.pid is None:
                    return "another user's process"
                return f"process {connection.pid} ({psutil.Process(connection.pid).name()})"
    return ""


def answers(address: str) -> bool:
    """Whether a GET of this http address gives 200 within a second."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=1)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def without_password(url: str) -> str:
    """The database's address, fit for the screen."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    user, _, place = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user.split(':', 1)[0]}:***@{place}").geturl()


def how_it_ended(code: int) -> str:
    return f"by signal {-code}" if code < 0 else f"with exit code {code}"


def ordinal(number: int) -> str:
    last = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else last}"


def _pass_on(name: str, output: TextIO) -> None:
    with output:
        for line in output:
            say(name, line.rstrip("\n"))

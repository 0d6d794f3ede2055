"""`logstream up`: starts database, service, worker, dashboard and demo traffic, and keeps them up.

Every part is a process of its own, in a session of its own, so that a Ctrl-C reaches only
this one and all are stopped in order. A part that dies is started again.
"""

import os
import signal
import threading
import time
import webbrowser
from types import FrameType

import psycopg

from logstream.addresses import answers, check_port, has_screen, url_host, without_password
from logstream.errors import LogStreamError, SettingsError, StoreUnavailable
from logstream.land.embedded import EmbeddedPostgres, holder, in_use
from logstream.parts import Backoff, Part, how_it_ended, say
from logstream.settings import Settings
from logstream.wiring import guarded, migrate

STOP_WITHIN_SECONDS = 4.5
DEMO_ARGUMENTS = ("--rate", "20", "--incidents-every", "10")
# Each listener's setting, and how its address is announced.
LISTENERS = (
    ("syslog_port", "syslog      UDP and TCP"),
    ("gelf_port", "GELF        UDP and TCP"),
    ("forward_port", "forward     TCP"),
)
DEMO_HISTORY = ("--backfill-minutes", "60")


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
        try:
            migrate(url)
        except StoreUnavailable as error:
            say("database", f"{error.one_line()}; lines are kept on disk until it is there")
            say("up", f"starting without it: {self._address(self._settings.port)}/logs/ingest")
        if self._settings.require_keys is None:  # else `serve` says what there is to say
            self._settings = guarded(self._settings, lambda line: say("up", line))
        environment = self._environment(url)
        names = ("serve", "worker", "dashboard") if self._with_dashboard else ("serve", "worker")
        self._parts = [Part(name, environment) for name in names]
        self._is_waiting_for_database = False
        is_ready = False
        database_pauses = Backoff()
        database_due = time.monotonic()
        while not self._stop.is_set():
            if self._server is not None:
                self._server.check_place()
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
            "LOGSTREAM_HOST": settings.host,
            "LOGSTREAM_PORT": str(settings.port),
            "LOGSTREAM_DASHBOARD_PORT": str(settings.dashboard_port),
            "LOGSTREAM_WORKERS": str(settings.workers),
            "LOGSTREAM_URL": self._address(settings.port),
            "LOGSTREAM_DATA_DIR": str(settings.data_dir.expanduser().absolute()),
            "PYTHONUNBUFFERED": "1",
        }

    def _address(self, port: int) -> str:
        return f"http://{url_host(self._settings.host)}:{port}"

    def _check_ports(self) -> None:
        check_port(self._settings.host, self._settings.port, "--port", "LOGSTREAM_PORT")
        for field, _ in LISTENERS:
            port, variable = getattr(self._settings, field), f"LOGSTREAM_{field.upper()}"
            if port:
                check_port(self._settings.host, port, variable, variable)
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
        for field, words in LISTENERS:
            if port := getattr(self._settings, field):
                lines.append(f"{words} {url_host(self._settings.host)}:{port}")
        if self._with_dashboard:
            lines.insert(0, f"dashboard   {self._address(self._settings.dashboard_port)}")
        for line in ["LogStream is ready", *lines, "stop it with Ctrl-C"]:
            say("up", line)
        if self._demo and self._with_dashboard and has_screen():
            webbrowser.open(self._address(self._settings.dashboard_port))

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
        for group, seconds in ((sources, 1.5), (others, STOP_WITHIN_SECONDS - 1.5)):
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
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            row = connection.execute("SELECT EXISTS (SELECT FROM logs)").fetchone()
    except psycopg.Error:
        return True  # it went away again, and has most likely held lines before
    return row is not None and bool(row[0])

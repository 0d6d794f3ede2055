"""Where the embedded PostgreSQL's files lie, and which process holds them.

A data directory belongs to whoever holds the lock (flock) on its `postgres.lock`; what is
written there only names the holder, so a file left by a killed process means nothing.
"""

import fcntl
import hashlib
import json
import os
import stat
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import psycopg

from logstream.errors import SettingsError
from logstream.land.embedded_host import ServerUser

NAME = "logstream"  # of the role and of the database
PORT = 5432  # only part of the socket's file name
LOCK_FILE = "postgres.lock"
LONGEST_SOCKET_DIR = 85  # bytes; a socket address holds 104 to 108, file name included


@dataclass(frozen=True)
class Holder:
    """The process that supervises the server of a data directory."""

    pid: int
    command: str
    since: datetime

    def __str__(self) -> str:
        return f"{self.command}, since {self.since:%Y-%m-%d %H:%M:%S} UTC"


def holder(data_dir: Path) -> Holder | None:
    """The live process that supervises the server of this directory; None when there is none."""
    try:
        lock_file = os.open(data_dir.expanduser() / LOCK_FILE, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(lock_file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None  # nobody holds it: what is written there is of a process that was killed
    except BlockingIOError:
        entry = json.loads(os.read(lock_file, 1000) or b"{}")
        return Holder(
            int(entry["pid"]), str(entry["command"]), datetime.fromisoformat(entry["since"])
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    finally:
        os.close(lock_file)


def in_use(data_dir: Path) -> SettingsError:
    """The refusal for whoever comes second to a directory."""
    found = holder(data_dir)
    who = f"process {found.pid} ({found})" if found else "another process"
    return SettingsError(
        f"data directory {data_dir} is in use by {who}", "stop it or choose another --data-dir"
    )


def running_url(data_dir: Path) -> str | None:
    """The URL of the server that another process runs in this directory, None when none does."""
    if holder(data_dir) is None:
        return None
    url = server_url(socket_dir(data_dir.expanduser().absolute()))
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return None
    return url


def take_lock(lock_file: int) -> bool:
    """Whether the lock is ours now; patient enough for a passing look by `holder`."""
    for _ in range(10):
        with suppress(BlockingIOError):
            fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(0.02)
    return False


def server_url(sockets: Path) -> str:
    return f"postgresql://{NAME}@/{NAME}?host={quote(str(sockets), safe='')}&port={PORT}"


def socket_dir(data_dir: Path) -> Path:
    """Beside the cluster, or in the system's temporary directory when that path is too long."""
    beside = data_dir / "postgres" / "socket"
    if len(os.fsencode(beside)) <= LONGEST_SOCKET_DIR:
        return beside
    digest = hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:16]
    usual = Path("/tmp")  # noqa: S108 - the owner and mode of our directory in it are checked
    return (usual if usual.is_dir() else Path(tempfile.gettempdir())) / f"logstream-{digest}"


def refuse_foreign(sockets: Path, user: ServerUser) -> None:
    """A directory of that name in a shared place may be somebody's trap."""
    found = sockets.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != user.uid or found.st_mode & 0o077:
        raise SettingsError(
            f"{sockets} is not a private directory of user {user.name}",
            "remove it, or choose a --data-dir with a shorter path",
        )

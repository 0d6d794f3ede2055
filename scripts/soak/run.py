"""`make soak`: rounds of random faults under load, then the accounts. Exit code 1 for any loss.

make soak ARGS="--rounds 200 --rate 10000"
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import psycopg

from scripts.soak.accounts import Account, settled
from scripts.soak.faults import FAULTS, everything_killed
from scripts.soak.load import Load
from scripts.soak.service import Service

ROUNDS, ROUNDS_PER_ACCOUNT = 50, 5
LONGEST_FAULT_SECONDS = 4.0
# A round ends when so many lines more are acknowledged than at its start.
LINES_PER_ROUND = 5_000
PARTS_PER_FAULT = (1, 1, 2)


class Soak:
    """One service, one sender after the other, and what has gone wrong."""

    def __init__(self, folder: Path, arguments: argparse.Namespace) -> None:
        self._folder = folder
        self._rate, self._seed = arguments.rate, arguments.seed
        self._chance = random.Random(arguments.seed)
        self._service = Service(folder / "data")
        self._logs: list[Path] = []
        self._load: Load | None = None
        self.account = Account()

    def run(self, rounds: int) -> bool:
        """All rounds; True when every account was right."""
        self._service.start()
        try:
            for number in range(1, rounds + 1):
                self._round(number)
                if (number % ROUNDS_PER_ACCOUNT == 0 or number == rounds) and not self._check():
                    return False
            self._tell(rounds)
            return True
        finally:
            if self._load is not None:
                self._load.kill()
            self._service.stop()

    def _round(self, number: int) -> None:
        load = self._load = self._load or self._new_load()
        before, began = load.acknowledged(), time.monotonic()
        time.sleep(self._chance.uniform(0, 1))
        with ExitStack() as faults:
            said = []
            for _ in range(self._chance.choice(PARTS_PER_FAULT)):
                fault = self._chance.choice(FAULTS)
                said.append(faults.enter_context(fault(self._service, self._chance)))
                seconds = self._chance.uniform(0, LONGEST_FAULT_SECONDS)
                said[-1] += f" {seconds:.1f} s"
                time.sleep(seconds)
        if self._chance.random() < 0.1:
            with everything_killed(self._service) as words:
                said.append(words)
        load.wait_for_more(LINES_PER_ROUND, within_seconds=120)
        print(
            f"round {number:3}  {', '.join(said):50}  {load.acknowledged() - before:8,} lines"
            f"  {time.monotonic() - began:5.1f} s",
            flush=True,
        )

    def _new_load(self) -> Load:
        log = self._folder / f"run{len(self._logs)}.jsonl"
        self._logs.append(log)
        log.touch()
        seed = self._seed + len(self._logs)
        return Load([self._service.url], log, seed=seed, rate=self._rate)

    def _check(self) -> bool:
        """End the sender, in order or not, and compare."""
        assert self._load is not None
        if self._chance.random() < 0.5:
            self._load.stop()
        else:
            self._load.kill()
        self._load = None
        self._service.wait_until_ready()
        found = self.account = settled(self._service.database_url, self._logs, 180)
        print(
            f"account    {found.acknowledged:,} lines acknowledged, {found.lost:,} lost, "
            f"{found.doubled:,} doubled, {found.unanswered:,} stored without an answer",
            flush=True,
        )
        for problem in found.problems:
            print(f"  WRONG: {problem}")
        return not found.problems

    def _tell(self, rounds: int) -> None:
        found = self.account
        rows = [
            ("rounds", f"{rounds}"),
            ("lines acknowledged", f"{found.acknowledged:,}"),
            ("lost", f"{found.lost:,}"),
            ("doubled", f"{found.doubled:,}"),
            ("acknowledged by the spool, all replayed", f"{found.spooled:,}"),
            ("stored without an answer, each once", f"{found.unanswered:,}"),
            ("records rejected and kept", f"{found.rejected:,}"),
            ("longest silence", f"{found.longest_silence_seconds:.1f} s"),
            ("database", _database_size(self._service.database_url)),
            *(
                (f"memory of {name}", f"{megabytes:.0f} MB")
                for name, megabytes in self._service.memory_megabytes().items()
            ),
        ]
        print()
        for name, value in rows:
            print(f"{name:42} {value:>14}")


def _database_size(url: str) -> str:
    with psycopg.connect(url) as connection:
        [(size,)] = connection.execute(
            "SELECT pg_size_pretty(pg_database_size(current_database()))"
        ).fetchall()
    return str(size)


def main() -> int:
    """Run; gives the exit code. What failed stays on disk, its folder is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--rate", type=float, default=10_000, help="lines a second")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="logstream-soak-"))
    folder.chmod(0o755)  # as root, the embedded database runs as another user
    print(f"seed {arguments.seed}, {arguments.rounds} rounds in {folder}", flush=True)
    try:
        is_right = Soak(folder, arguments).run(arguments.rounds)
    except (TimeoutError, ChildProcessError) as error:
        print(f"  WRONG: {error}")
        is_right = False
    if is_right:
        shutil.rmtree(folder)
    else:
        print(f"what happened is in {folder}: data.log, the senders' run*.jsonl, the database")
    return int(not is_right)


if __name__ == "__main__":
    sys.exit(main())

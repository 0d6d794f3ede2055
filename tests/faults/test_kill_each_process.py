"""kill -9 of each process in turn under load: every acknowledged line is stored once."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from logstream.cli import APP
from logstream.land.embedded import running_url
from tests.integration.test_up import RunningUp, eventually, up  # noqa: F401

RATE = 200
SECONDS_BETWEEN_KILLS = 2.5


class Sender:
    """A simulator process that writes down what was acknowledged."""

    def __init__(self, port: int, ack_log: Path, seed: int) -> None:
        self.ack_log = ack_log
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "logstream", "simulate", "--steady"),
                *("--rate", str(RATE), "--seed", str(seed), "--ack-log", str(ack_log)),
            ],
            cwd=APP.parent,
            env={**os.environ, "LOGSTREAM_URL": f"http://127.0.0.1:{port}"},
            stdout=subprocess.DEVNULL,
        )

    def acknowledged(self) -> list[dict[str, object]]:
        """The batches answered for; a last line cut off by a kill is left out."""
        if not self.ack_log.exists():
            return []
        lines = self.ack_log.read_bytes().split(b"\n")[:-1]
        return [json.loads(line) for line in lines]

    def lines(self) -> int:
        return sum(int(str(batch["accepted"])) for batch in self.acknowledged())

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


@pytest.fixture
def senders() -> Iterator[list[Sender]]:
    started: list[Sender] = []
    yield started
    for sender in started:
        if sender.process.poll() is None:
            sender.process.kill()
            sender.process.wait()


def stored(url: str) -> tuple[Counter[int], int, int]:
    """(how often each id is stored, rows by the rollup, rows without their duplicates)."""
    with psycopg.connect(url) as connection:
        ids = Counter(row[0] for row in connection.execute("SELECT id FROM logs"))
        [(counted,)] = connection.execute("SELECT sum(count) FROM log_counts").fetchall()
        [(distinct,)] = connection.execute(
            "SELECT count(*) FROM (SELECT DISTINCT timestamp, timestamp_nanos, service_name,"
            " span_id, body, attributes::text FROM logs) AS lines"
        ).fetchall()
    return ids, int(counted), int(distinct)


def test_every_acknowledged_line_is_stored_once_whatever_is_killed(
    up: Callable[..., RunningUp],  # noqa: F811
    senders: list[Sender],
    tmp_path: Path,
) -> None:
    running = up()
    running.wait_until_ready()
    sender = Sender(running.port, tmp_path / "acks.jsonl", seed=17)
    senders.append(sender)
    assert eventually(lambda: sender.lines() > 0)
    for victim in ("serve", "postgres", "worker", "dashboard", "postgres", "serve"):
        time.sleep(SECONDS_BETWEEN_KILLS)
        before = sender.lines()
        running.children()[victim].kill()
        assert eventually(lambda before=before: sender.lines() > before + RATE // 2), (  # type: ignore[misc]
            f"no line is acknowledged after {victim} was killed"
        )
    sender.stop()

    url = running_url(running.data_dir) or ""
    # What went into the spool lands within moments.
    assert eventually(lambda: stored(url)[1] >= sender.lines())
    ids, counted, distinct = stored(url)
    for batch in sender.acknowledged():
        if batch["ids"] is None:
            continue  # from the spool: counted below
        first, last = batch["ids"]  # type: ignore[misc]
        assert last - first + 1 == batch["accepted"]
        for line_id in range(first, last + 1):
            assert ids[line_id] == 1, f"line {line_id} of batch {batch['key']}: {ids[line_id]}"
    assert sum(ids.values()) == counted
    assert distinct == counted, "a line is stored twice under two ids"
    # The sender repeats a batch until it is answered, so at the end nothing else is stored.
    assert counted == sender.lines()


def test_a_killed_sender_loses_no_acknowledged_line(
    up: Callable[..., RunningUp],  # noqa: F811
    senders: list[Sender],
    tmp_path: Path,
) -> None:
    running = up("--no-dashboard")
    running.wait_until_ready()
    for number in range(2):
        sender = Sender(running.port, tmp_path / f"acks-{number}.jsonl", seed=number)
        senders.append(sender)
        assert eventually(lambda sender=sender: sender.lines() > RATE)  # type: ignore[misc]
        sender.process.kill()
        sender.process.wait()
    ids, counted, _ = stored(running_url(running.data_dir) or "")
    for sender in senders:
        for batch in sender.acknowledged():
            first, last = batch["ids"]  # type: ignore[misc]
            assert all(ids[line_id] == 1 for line_id in range(first, last + 1))
    assert counted >= sum(sender.lines() for sender in senders)

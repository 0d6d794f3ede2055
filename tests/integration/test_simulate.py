"""The simulator against the real service: what it says was stored is stored."""

import argparse
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import msgspec

from logstream.settings import load_settings
from logstream.simulate.command import add_arguments, run


def acknowledged_lines(path: Path) -> int:
    rows = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
    for row in rows:
        assert row["ids"][0] <= row["ids"][1]
    return sum(row["accepted"] for row in rows)


def stored_lines(service: str) -> int:
    counts = httpx.get(f"{service}/logs/severity-breakdown", params={"env": "demo"}).json()
    return sum(row["count"] for row in counts)


def test_every_line_of_a_run_is_stored_with_its_trace(service: str, tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    acknowledged = tmp_path / "acknowledged.jsonl"
    arguments = ("--rate", "300", "--duration", "1", "--backfill-minutes", "0.2", "--seed", "8")
    code = run(
        parser.parse_args([*arguments, "--ack-log", str(acknowledged)]), load_settings(url=service)
    )
    assert code == 0
    assert stored_lines(service) == acknowledged_lines(acknowledged) > 1_000
    lines = httpx.get(f"{service}/logs/recent", params={"env": "demo", "limit": "500"}).json()
    timed = next(line for line in lines if line["latency"] and line["source"] == "api-gateway")
    assert re.fullmatch("[0-9a-f]{32}", timed["traceId"])
    assert timed["latency"] == timed["metadata"]["latency"]
    trace = httpx.get(f"{service}/logs/recent", params={"trace": timed["traceId"]}).json()
    assert timed["id"] in {line["id"] for line in trace}
    whole = httpx.get(f"{service}/traces/{timed['traceId']}", params={"env": "demo"}).json()
    assert timed["spanId"] in {span["spanId"] for span in whole["spans"]}


def test_a_stopped_simulator_has_sent_what_it_made(service: str, tmp_path: Path) -> None:
    acknowledged = tmp_path / "acknowledged.jsonl"
    simulator = subprocess.Popen(
        [
            *(sys.executable, "-m", "logstream", "simulate"),
            *("--rate", "400", "--ack-log", str(acknowledged)),
        ],
        env={**os.environ, "LOGSTREAM_URL": service},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        while not acknowledged.exists() or not acknowledged.read_bytes():
            assert simulator.poll() is None
            time.sleep(0.05)
        simulator.send_signal(signal.SIGTERM)
        out, _ = simulator.communicate(timeout=30)
    finally:
        simulator.kill()
        simulator.wait()
    assert simulator.returncode == 0
    finished = re.search(r"finished: (\d+) sent, (\d+) accepted", out)
    assert finished is not None
    assert int(finished[1]) == int(finished[2]) == acknowledged_lines(acknowledged)
    assert stored_lines(service) == int(finished[1])

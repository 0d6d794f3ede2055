"""`logstream import` as its own process, against the service over a real PostgreSQL."""

import bz2
import gzip
import json
import lzma
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import psycopg
import pytest
import zstandard

from logstream.import_logs.sending import NotSent, Sender

ROOT = Path(__file__).resolve().parents[2]
Run = Callable[..., subprocess.CompletedProcess[str]]


def started(service: str, tmp_path: Path, *arguments: object) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "LOGSTREAM_URL": service,
        "LOGSTREAM_DATA_DIR": str(tmp_path / "progress"),
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "500",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "logstream", "import", *map(str, arguments)],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def run(service: str, tmp_path: Path) -> Run:
    def run_import(*arguments: object, given: str = "") -> subprocess.CompletedProcess[str]:
        process = started(service, tmp_path, *arguments)
        out, err = process.communicate(given, timeout=60)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    return run_import


def stored(database_url: str, column: str = "body") -> list[object]:
    with psycopg.connect(database_url) as connection:
        return [row[0] for row in connection.execute(f"SELECT {column} FROM logs ORDER BY id")]


def order_lines(first: int, last: int) -> str:
    return "".join(
        f"2026-01-31 14:05:{number % 60:02d},250 WARN order {number} is slow\n"
        for number in range(first, last)
    )


def test_lines_are_stored_with_time_severity_and_service(
    run: Run, database_url: str, tmp_path: Path
) -> None:
    log = tmp_path / "shop.log"
    log.write_text(order_lines(0, 2) + "\tat com.acme.Order.check(Order.java:7)\n\n")
    result = run(log, "--environment", "staging")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == (
        f"{log}: 4 lines read as program: 2 records sent, 1 joined, 1 blank; "
        "2 accepted, 0 rejected\n"
    )
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "SELECT body, severity_number, service_name, environment, "
            "to_char(timestamp AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS') "
            "FROM logs ORDER BY id"
        ).fetchall()
    assert rows == [
        ("order 0 is slow", 13, "shop", "staging", "2026-01-31 14:05:00.250"),
        (
            "order 1 is slow\n\tat com.acme.Order.check(Order.java:7)",
            *(13, "shop", "staging", "2026-01-31 14:05:01.250"),
        ),
    ]


def test_a_second_run_sends_nothing_and_a_grown_file_only_its_new_lines(
    run: Run, database_url: str, tmp_path: Path
) -> None:
    log = tmp_path / "shop.log"
    log.write_text(order_lines(0, 25))
    run(log, "--batch", 10)
    assert run(log).stdout == f"{log}: already imported, nothing new\n"
    with log.open("a") as file:
        file.write(order_lines(25, 30))
    assert "5 lines read as program (the rest of it): 5 records sent" in run(log).stdout
    assert stored(database_url) == [f"order {number} is slow" for number in range(30)]


def test_a_rotated_file_and_its_successor_are_told_apart(
    run: Run, database_url: str, tmp_path: Path
) -> None:
    log = tmp_path / "shop.log"
    log.write_text(order_lines(0, 5))
    run(log)
    rotated = log.rename(tmp_path / "shop.log.1")
    log.write_text(order_lines(5, 8))
    result = run(log, rotated)
    assert f"{rotated}: already imported, nothing new" in result.stdout
    assert stored(database_url) == [f"order {number} is slow" for number in range(8)]


def test_two_files_with_the_same_content_are_both_stored(
    run: Run, database_url: str, tmp_path: Path
) -> None:
    for host in ("web1", "web2"):
        (tmp_path / host).mkdir()
        (tmp_path / host / "boot.log").write_text("2026-01-31 14:05:00 INFO up\n")
    run(tmp_path / "web1", tmp_path / "web2")
    assert stored(database_url) == ["up", "up"]


def test_a_lost_progress_file_doubles_nothing(run: Run, database_url: str, tmp_path: Path) -> None:
    log = tmp_path / "shop.log"
    log.write_text(order_lines(0, 25))
    run(log, "--batch", 10)
    (tmp_path / "progress" / "imports.json").unlink()
    assert run(log, "--batch", 10).returncode == 0
    assert len(stored(database_url)) == 25


def test_killed_at_any_moment_and_run_again_every_line_is_stored_once(
    service: str, run: Run, database_url: str, tmp_path: Path
) -> None:
    log = tmp_path / "shop.log"
    log.write_text(order_lines(0, 20_000))
    kills = 0
    for round_number in range(4):
        process = started(service, tmp_path, log, "--batch", 100)
        seen = len(stored(database_url))
        deadline = time.monotonic() + 30
        while process.poll() is None and time.monotonic() < deadline:
            if len(stored(database_url)) > seen + 500 * round_number:
                process.send_signal(signal.SIGKILL)
                kills += 1
                break
        process.communicate(timeout=30)
        with log.open("a") as file:
            file.write(order_lines(20_000 + round_number, 20_001 + round_number))
    result = run(log, "--batch", 100)
    assert result.returncode == 0, result.stderr
    assert kills > 0
    assert stored(database_url) == [f"order {number} is slow" for number in range(20_004)]


@pytest.mark.parametrize(
    ("suffix", "pack"),
    [
        ("gz", gzip.compress),
        ("bz2", bz2.compress),
        ("xz", lzma.compress),
        ("zst", zstandard.ZstdCompressor().compress),
    ],
)
def test_a_compressed_file_is_opened_by_its_content(
    run: Run, database_url: str, tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes]
) -> None:
    log = tmp_path / f"shop.log.{suffix}"
    log.write_bytes(pack(order_lines(0, 3).encode()))
    assert run(log).returncode == 0
    assert stored(database_url, "service_name") == ["shop"] * 3


def test_a_compressed_file_that_breaks_off_is_stored_to_there_and_gone_on_with(
    run: Run, database_url: str, tmp_path: Path
) -> None:
    log = tmp_path / "shop.log.gz"
    whole = gzip.compress(order_lines(0, 50_000).encode())
    log.write_bytes(whole[: len(whole) // 2])
    result = run(log)
    assert result.returncode == 1
    assert "cannot be read to its end" in result.stderr
    assert 0 < len(stored(database_url)) < 50_000
    log.write_bytes(whole)
    assert run(log).returncode == 0
    assert stored(database_url) == [f"order {number} is slow" for number in range(50_000)]


def test_json_documents_lines_and_standard_input_are_read(
    run: Run, database_url: str, tmp_path: Path
) -> None:
    array = tmp_path / "array.json"
    array.write_text(json.dumps([{"msg": "first", "level": 50}, {"msg": "second"}], indent=2))
    lines = tmp_path / "lines.jsonl"
    lines.write_text('{"msg":"third","service":"cart"}\n{"msg":"broken\n{"msg":"fourth"}\n')
    assert "2 elements read as json document: 2 records sent" in run(array).stdout
    assert "3 lines read as json: 3 records sent" in run(lines).stdout
    assert "standard input: 1 line read as" in run("-", given="fifth\n").stdout
    assert stored(database_url) == ["first", "second", "third", '{"msg":"broken', "fourth", "fifth"]


def test_what_cannot_be_imported_is_said_in_one_line(run: Run, tmp_path: Path) -> None:
    missing = run(tmp_path / "nowhere.log")
    assert missing.returncode != 0
    assert re.fullmatch(
        r"logstream: .*nowhere\.log does not exist; name files .*\n", missing.stderr
    )
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "picture.bin").write_bytes(bytes(100))
    assert "picture.bin: left out, it is not text" in run(tmp_path / "logs").stdout


def test_a_service_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    log = tmp_path / "shop.log"
    log.write_text("up\n")
    process = started("http://127.0.0.1:9", tmp_path, log)
    _, err = process.communicate(timeout=60)
    assert process.returncode != 0
    assert err == (
        "logstream: no LogStream answers at http://127.0.0.1:9; "
        "start it with 'make run' or set LOGSTREAM_URL\n"
    )


class BusyService(BaseHTTPRequestHandler):
    """Answers each POST with the next of `answers`, and remembers the keys and bodies."""

    answers: ClassVar[list[tuple[int, dict[str, str], dict[str, object]]]] = []
    seen: ClassVar[list[tuple[str, list[str]]]] = []

    def do_POST(self) -> None:
        body = gzip.decompress(self.rfile.read(int(self.headers["Content-Length"])))
        messages = [json.loads(line)["message"] for line in body.splitlines()]
        self.seen.append((self.headers["Idempotency-Key"], messages))
        status, headers, content = self.answers.pop(0)
        text = json.dumps(content).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(text))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


@pytest.fixture
def busy() -> Iterator[str]:
    BusyService.answers, BusyService.seen = [], []
    server = ThreadingHTTPServer(("127.0.0.1", 0), BusyService)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


BODY = b"".join(b'{"source":"shop","message":"%d"}\n' % number for number in range(4))
BUSY = (503, {"Retry-After": "0"}, {"error": {"message": "full"}})
LARGE = (413, {}, {"error": {"message": "too large"}})


def stored_answer(count: int) -> tuple[int, dict[str, str], dict[str, object]]:
    return 201, {}, {"accepted": count, "rejected": []}


def test_a_busy_service_is_asked_again_with_the_same_key(busy: str) -> None:
    BusyService.answers = [BUSY, (429, {"Retry-After": "1"}, {}), stored_answer(4)]
    sender = Sender(busy)
    outcome = sender.send(BODY, "key", 4)
    sender.close()
    assert outcome.accepted == 4
    assert BusyService.seen == [("key", ["0", "1", "2", "3"])] * 3


def test_a_batch_too_large_is_sent_in_halves(busy: str) -> None:
    BusyService.answers = [LARGE, stored_answer(2), LARGE, stored_answer(1), LARGE]
    sender = Sender(busy)
    outcome = sender.send(BODY, "key", 4)
    sender.close()
    assert (outcome.accepted, outcome.rejected, outcome.reasons) == (3, 1, ["too large"])
    assert [key for key, _ in BusyService.seen] == ["key", "key.1", "key.2", "key.2.1", "key.2.2"]


def test_records_the_service_rejects_are_counted_with_their_reasons(busy: str) -> None:
    rejected = [{"index": 3, "error": "record 3: no"}]
    BusyService.answers = [(201, {}, {"accepted": 3, "rejected": rejected})]
    sender = Sender(busy)
    outcome = sender.send(BODY, "key", 4)
    sender.close()
    assert (outcome.accepted, outcome.rejected, outcome.reasons) == (3, 1, ["record 3: no"])


def test_a_service_that_stays_busy_is_given_up_with_a_clear_line(busy: str) -> None:
    BusyService.answers = [BUSY] * 50
    sender = Sender(busy, give_up_after_seconds=1.0)
    with pytest.raises(NotSent) as caught:
        sender.send(BODY, "key", 4)
    sender.close()
    assert caught.value.message == f"{busy} answered 503: full; given up after 1 s"
    assert "run the same command again" in caught.value.hint

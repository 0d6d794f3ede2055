"""`logstream export` as its own process: a whole file under its name, or none."""

import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pyarrow.parquet as pq
import pytest

from logstream.export_command import form_of

ROOT = Path(__file__).resolve().parents[2]
Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
LINES = [
    {"source": "cart", "severity": "error", "message": "=1+1", "environment": "staging"},
    {"source": "cart", "severity": "info", "message": "two\nlines", "environment": "staging"},
    {"source": "checkout", "severity": "error", "message": "card declined"},
]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def run_export(service: str, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
        environment = {
            **os.environ,
            "LOGSTREAM_URL": service,
            "LOGSTREAM_DATA_DIR": str(tmp_path / "nowhere"),
            "PYTHONPATH": str(ROOT),
        }
        command = [sys.executable, "-m", "logstream", "export", *arguments]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, timeout=60
        )

    return run_export


def test_a_file_is_exported_by_its_name_and_filters(service: str, run: Run, tmp_path: Path) -> None:
    httpx.post(f"{service}/logs/ingest", json=LINES).raise_for_status()
    done = run(service, "--severity", "error", "--service=-cart", "--limit", "5")
    assert (done.returncode, done.stderr) == (0, b"")
    assert [json.loads(line)["message"] for line in done.stdout.splitlines()] == ["card declined"]

    assert run(service, "--output", "day.csv.gz", "--env", "staging").returncode == 0
    text = gzip.decompress((tmp_path / "day.csv.gz").read_bytes()).decode()
    assert "'=1+1" in text and "card declined" not in text
    assert run(service, "--output", "day.parquet", "--q", "declined").returncode == 0
    assert pq.read_table(tmp_path / "day.parquet").num_rows == 1
    assert (tmp_path / "day.parquet").stat().st_mode & 0o044 == 0o044
    files = sorted(path.name for path in tmp_path.glob("*day*"))
    assert files == ["day.csv.gz", "day.parquet"]


def test_what_the_service_refuses_is_said_in_its_words(
    service: str, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "kept.csv").write_text("of yesterday")
    done = run(service, "--severity", "loud", "--output", "kept.csv")
    assert done.returncode == 1
    assert done.stderr.startswith(b"logstream: severity 'loud' is not known; use trace, debug")
    assert (tmp_path / "kept.csv").read_text() == "of yesterday"
    nobody = run("http://127.0.0.1:9")
    assert nobody.returncode == 1 and b"does not answer" in nobody.stderr
    nowhere = run(service, "--output", "no/such/folder/day.csv")
    assert nowhere.returncode == 1 and b"No such file" in nowhere.stderr


@pytest.fixture
def cutting_service() -> Iterator[str]:
    """A service whose database dies: it closes the connection in the middle of a chunk."""

    class Cut(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/x-ndjson")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b'9\r\n{"id": 1}\r\n')
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Cut)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_an_export_that_is_cut_off_leaves_no_file_and_says_so(
    cutting_service: str, run: Run, tmp_path: Path
) -> None:
    done = run(cutting_service, "--output", "day.ndjson")
    assert done.returncode == 1
    assert b"cut the export off" in done.stderr
    assert list(tmp_path.iterdir()) == []
    assert run(cutting_service).returncode == 1  # on standard output too


def test_the_form_is_read_from_the_name() -> None:
    assert form_of("a.csv") == ("csv", "")
    assert form_of("A.JSONL.ZST") == ("ndjson", "zstd")
    assert form_of("x.parquet") == ("parquet", "")
    assert form_of("-") == form_of("lines") == ("ndjson", "")

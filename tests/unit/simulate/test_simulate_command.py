"""The command: its options, its files, its end."""

import argparse
import threading
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest

from logstream.errors import SettingsError
from logstream.settings import Settings, load_settings
from logstream.simulate.command import add_arguments, run


class _Ingest(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # One segment a reply: with Nagle's algorithm each answer would wait for a delayed ACK.
    wbufsize = -1
    received: list[dict]
    spans: list[dict]
    lock = threading.Lock()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/v1/traces":
            self.spans.extend(msgspec.json.decode(body)["resourceSpans"])
            self._answer(200, b"{}")
            return
        lines = [msgspec.json.decode(line) for line in body.split(b"\n")]
        with self.lock:  # the sender has two connections
            first = len(self.received) + 1
            self.received.extend(lines)
            ids = [first, len(self.received)]
        reply = {"accepted": len(lines), "rejected": [], "ids": ids}
        self._answer(201, msgspec.json.encode(reply))

    def _answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Keep the test's output quiet."""


@pytest.fixture
def received() -> list[dict]:
    return []


@pytest.fixture
def received_spans() -> list[dict]:
    return []


@pytest.fixture
def settings(received: list[dict], received_spans: list[dict]) -> Iterator[Settings]:
    handler = type("Ingest", (_Ingest,), {"received": received, "spans": received_spans})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield load_settings(url=f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    server.server_close()
    thread.join()


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(arguments)


def rows(path: Path) -> list[dict]:
    return [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]


def test_everything_sent_is_acknowledged_and_written_down(
    settings: Settings,
    received: list[dict],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    acknowledged = tmp_path / "acknowledged.jsonl"
    code = run(
        parsed(
            *("--rate", "500", "--duration", "1", "--backfill-minutes", "0.1", "--seed", "3"),
            *("--environment", "staging", "--ack-log", str(acknowledged)),
        ),
        settings,
    )
    assert code == 0
    assert len(received) > 1_000  # 6 s of history and 1 s of now, about 500 each
    assert {line["environment"] for line in received} == {"staging"}
    assert sum(row["accepted"] for row in rows(acknowledged)) == len(received)
    assert min(row["ids"][0] for row in rows(acknowledged)) == 1
    assert len({row["key"] for row in rows(acknowledged)}) == len(rows(acknowledged))
    last = capsys.readouterr().out.splitlines()[-1]
    assert f"finished: {len(received)} sent, {len(received)} accepted" in last


def test_the_truth_file_tells_what_was_played(settings: Settings, tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    arguments = ("--rate", "100", "--duration", "1.2", "--truth", str(truth), "--seed", "3")
    timing = ("--incident-after", "0.3", "--incident-for", "0.5")
    incidents = ("--incident", "payment-timeouts", "--incident", "silent-service")
    assert run(parsed(*arguments, *timing, *incidents), settings) == 0
    told = rows(truth)
    assert [(row["incident"], row["service"], row["kind"]) for row in told] == [
        ("payment-timeouts", "payment-gateway", "dependency_timeout"),
        ("silent-service", "notification", "silence"),
    ]
    assert all(row["from"] < row["to"] and row["description"] for row in told)


def test_an_incident_cut_short_ends_in_the_truth_when_the_run_does(
    settings: Settings, tmp_path: Path
) -> None:
    truth = tmp_path / "truth.jsonl"
    arguments = ("--rate", "50", "--duration", "0.6", "--truth", str(truth))
    timing = ("--incident", "bad-deploy", "--incident-after", "0.1", "--incident-for", "600")
    run(parsed(*arguments, *timing), settings)
    (row,) = rows(truth)
    # Both lie within the same minute or two; a run to the planned end would be 10 minutes.
    start = msgspec.convert(row["from"], type=datetime)
    end = msgspec.convert(row["to"], type=datetime)
    assert (end - start).total_seconds() == pytest.approx(0.5, abs=0.01)


def test_the_spans_of_the_requests_are_sent_too(
    settings: Settings, received_spans: list[dict], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(parsed("--rate", "300", "--duration", "0.8", "--seed", "5"), settings) == 0
    assert len(received_spans) > 20
    assert f"spans: {len(received_spans)} sent" in capsys.readouterr().out


def test_spans_can_be_left_out(
    settings: Settings, received: list[dict], received_spans: list[dict]
) -> None:
    assert run(parsed("--rate", "300", "--duration", "0.5", "--no-spans"), settings) == 0
    assert received
    assert not received_spans


def test_lines_nobody_takes_are_told_and_fail_the_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logstream.simulate.command.FLUSH_SECONDS", 0.2)
    unreachable = load_settings(url="http://127.0.0.1:9")
    assert run(parsed("--rate", "300", "--duration", "0.5"), unreachable) == 1
    out = capsys.readouterr().out
    assert "keeping the lines and trying again" in out
    assert "were not acknowledged by http://127.0.0.1:9" in out


def test_a_file_that_cannot_be_written_is_named(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"--truth .*/absent/truth\.jsonl cannot be written"):
        run(parsed("--truth", str(tmp_path / "absent" / "truth.jsonl")), settings)


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--rate", "0", "'0' is not a rate in lines a second; give a number from more than 0"),
        ("--rate", "fast", "'fast' is not a rate"),
        ("--rate", "nan", "'nan' is not a rate"),
        ("--incident", "fire", "incident 'fire' is not known; use one of payment-timeouts"),
        ("--senders", "1.5", "'1.5' is not a whole number of connections"),
        ("--incidents-every", "1", "'1' is not a time in minutes; give a number from 2"),
        ("--environment", " ", "an empty name is not an environment"),
    ],
)
def test_a_wrong_option_is_named_with_its_remedy(
    option: str, value: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parsed(option, value)
    assert sentence in capsys.readouterr().err

"""Web PubSub without an access key: real processes, azure-identity, HTTPS, a bearer token."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from tests.azure_peer import AzurePeer, azure_peer, trusting
from tests.hub_server import free_port, wait_until

ROOT = Path(__file__).parents[2]
JSON = "json.webpubsub.azure.v1"


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[AzurePeer]:
    with azure_peer(tmp_path) as running:
        yield running


def environment_of(peer: AzurePeer, tmp_path: Path, database_url: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AZURE_")}
    return {
        **kept,
        **peer.environment,
        "DATABASE_URL": database_url,
        "LOGSTREAM_DATA_DIR": str(tmp_path / "data"),
        "LOGSTREAM_PORT": str(free_port()),
        "NO_PROXY": "localhost,127.0.0.1",
        "COLUMNS": "300",
    }


@contextmanager
def serving(environment: dict[str, str]) -> Iterator[str]:
    """Base URL of a `serve` with this environment."""
    process = subprocess.Popen(
        [sys.executable, "-m", "logstream", "serve"], cwd=ROOT, env=environment
    )
    base = f"http://127.0.0.1:{environment['LOGSTREAM_PORT']}"
    try:
        wait_until(lambda: answers(base), "the service answers", 60)
        yield base
    finally:
        process.terminate()
        process.wait(20)


def answers(base: str) -> bool:
    try:
        return httpx.get(f"{base}/health/ready").status_code == 200
    except httpx.TransportError:
        return False


def ticket(base: str) -> dict[str, object]:
    reply: dict[str, object] = httpx.post(f"{base}/realtime/negotiate", timeout=30).json()
    return reply


def test_frames_and_tickets_are_signed_by_the_identity(
    peer: AzurePeer, tmp_path: Path, database_url: str
) -> None:
    with serving(environment_of(peer, tmp_path, database_url)) as base:
        granted = ticket(base)
        assert granted["problem"] == ""
        url = str(granted["url"])
        assert url.startswith(f"wss://localhost:{peer.port}/client/hubs/logstream?access_token=")
        trust = trusting(peer.certificate)
        with connect(url, subprotocols=[JSON], ssl=trust, proxy=None) as viewer:  # type: ignore[list-item]
            assert json.loads(viewer.recv(10))["event"] == "connected"
            line = {"source": "checkout", "message": "signed by nobody's key"}
            assert httpx.post(f"{base}/logs/ingest", json=line).status_code == 201
            frame = json.loads(viewer.recv(10))["data"]
        assert frame["lines"][0]["message"] == line["message"]
    assert "POST /api/hubs/logstream/:generateToken" in peer.paths
    assert "POST /api/hubs/logstream/groups/logs/:send" in peer.paths
    # One token for all of it.
    assert peer.tokens_given == 1


def test_an_identity_without_the_role_is_named_as_the_problem_until_it_has_it(
    peer: AzurePeer, tmp_path: Path, database_url: str
) -> None:
    peer.allows = False
    with serving(environment_of(peer, tmp_path, database_url)) as base:
        refused = httpx.post(f"{base}/realtime/negotiate", timeout=30)
        assert refused.status_code == 503
        error = refused.json()["error"]
        assert error["code"] == "push_failed"
        assert (
            error["message"] == f"the hub at localhost:{peer.port} does not allow LogStream to send"
        )
        assert "Web PubSub Service Owner" in error["hint"]
        line = {"source": "checkout", "message": "stored all the same"}
        assert httpx.post(f"{base}/logs/ingest", json=line).status_code == 201
        push = httpx.get(f"{base}/system").json()["service"]["push"]
        assert "does not allow" in push["problem"] and push["kind"] == "azure"
        peer.allows = True
        wait_until(lambda: ticket(base).get("problem") == "", "the problem is over")


def doctor(environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "logstream", "doctor"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.stdout + done.stderr


def test_doctor_tries_the_identity(peer: AzurePeer, tmp_path: Path, database_url: str) -> None:
    environment = environment_of(peer, tmp_path, database_url)
    assert "Azure Web PubSub accepts messages for logstream" in doctor(environment)
    peer.allows = False
    assert "does not allow LogStream to send" in doctor(environment)


def test_the_start_stops_in_one_line_when_neither_key_nor_https_is_given(
    tmp_path: Path, database_url: str, peer: AzurePeer
) -> None:
    environment = environment_of(peer, tmp_path, database_url)
    environment["WEBPUBSUB_CONNECTION_STRING"] = "Endpoint=http://hub.example;Version=1.0;"
    done = subprocess.run(
        [sys.executable, "-m", "logstream", "serve"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode != 0
    (line,) = done.stderr.strip().splitlines()
    assert "WEBPUBSUB_CONNECTION_STRING cannot be used: AccessKey is missing" in line
    assert "https://" in line

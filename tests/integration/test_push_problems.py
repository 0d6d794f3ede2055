"""What viewers and the System page are told while pushing fails, and when it works."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from logstream.notify.built_in_hub import BuiltInHub
from tests.hub_server import ACCESS_KEY, HUB, free_port, running_hub, wait_until
from tests.service_thread import running_service, settings_for

JSON = "json.webpubsub.azure.v1"


@pytest.fixture
def service(database_url: str, tmp_path: Path) -> Iterator[str]:
    with running_service(settings_for(database_url, tmp_path)) as base:
        yield base


def negotiated(base: str, **body: Any) -> dict[str, Any]:
    reply: dict[str, Any] = httpx.post(f"{base}/realtime/negotiate", json=body).json()
    return reply


def push_of(base: str) -> dict[str, Any]:
    facts: dict[str, Any] = httpx.get(f"{base}/system").json()["service"]["push"]
    return facts


def test_a_hub_that_is_away_at_the_start_is_the_problem_until_it_is_there(
    database_url: str, tmp_path: Path
) -> None:
    port = free_port()
    hub = BuiltInHub(ACCESS_KEY, HUB).connection_string("127.0.0.1", port)
    settings = settings_for(database_url, tmp_path, webpubsub_connection_string=hub)
    with running_service(settings) as base:
        wait_until(lambda: negotiated(base)["problem"], "the problem is known")
        said = negotiated(base)["problem"]
        assert said.startswith(f"pushing fails: the hub at 127.0.0.1:{port} cannot be reached")
        # Lines are stored all the same, and the frame counts as failed.
        line = {"source": "checkout", "message": "nobody hears this"}
        assert httpx.post(f"{base}/logs/ingest", json=line).status_code == 201
        wait_until(lambda: push_of(base)["framesFailed"] == 1, "the frame failed")
        facts = push_of(base)
        assert (facts["kind"], facts["address"]) == ("azure", f"127.0.0.1:{port}")
        assert facts["lastError"] in said and facts["lastErrorAt"].endswith("Z")
        assert facts["viewers"] is None and facts["slowViewers"] is None
        with running_hub(port=port):
            wait_until(lambda: negotiated(base)["problem"] == "", "it is over, though no line came")
        assert push_of(base)["lastError"]  # what was stays known


def test_a_wrong_key_is_named_and_never_shown(database_url: str, tmp_path: Path) -> None:
    with running_hub() as hub:
        wrong = "b" + ACCESS_KEY[1:]
        settings = settings_for(
            database_url,
            tmp_path,
            webpubsub_connection_string=hub.connection_string.replace(ACCESS_KEY, wrong),
        )
        with running_service(settings) as base:
            wait_until(lambda: negotiated(base)["problem"], "the problem is known")
            said = f"the hub at 127.0.0.1:{hub.port} refuses the access key"
            assert negotiated(base)["problem"] == f"pushing fails: {said}"
            assert push_of(base)["lastError"] == said
            shown = json.dumps([negotiated(base), httpx.get(f"{base}/system").json()])
            assert wrong not in shown


def test_negotiation_tells_the_clock_and_gives_light_groups_small_frames(service: str) -> None:
    light = negotiated(service, env=["production"], light=True)
    assert light["groups"] == ["logs-light.production"] and light["problem"] == ""
    assert light["expiresAt"] * 1000 > light["nowUnixMs"] > 1_700_000_000_000
    assert negotiated(service, light=True)["groups"] == ["logs-light"]
    whole = negotiated(service, env=["production"])
    assert whole["groups"] == ["logs.production"]
    options: dict[str, Any] = {"subprotocols": [JSON], "proxy": None}
    with connect(light["url"], **options) as slow, connect(whole["url"], **options) as fast:
        for viewer in (slow, fast):
            assert json.loads(viewer.recv(10))["event"] == "connected"
        lines = [{"source": "checkout", "message": f"line {n} " + "x" * 500} for n in range(60)]
        assert httpx.post(f"{service}/logs/ingest", json=lines).status_code == 201
        small, large = (json.loads(viewer.recv(10))["data"] for viewer in (slow, fast))
    assert (len(large["lines"]), "isSample" in large, "isLight" in large) == (60, False, False)
    assert 1 <= len(small["lines"]) <= 20 and small["isLight"] and small["isSample"]
    assert small["sequence"] == large["sequence"] and small["total"] == large["total"] == 60
    assert all(line["messageBytes"] > 500 for line in small["lines"])


def test_light_is_a_boolean(service: str) -> None:
    reply = httpx.post(f"{service}/realtime/negotiate", json={"light": "yes"})
    assert reply.status_code == 400 and "light" in reply.json()["error"]["message"]


def test_system_tells_how_the_built_in_hub_is(service: str) -> None:
    ticket = negotiated(service)
    with connect(ticket["url"], subprotocols=[JSON], proxy=None) as viewer:  # type: ignore[list-item]
        assert json.loads(viewer.recv(10))["event"] == "connected"
        line = {"source": "checkout", "message": "hello"}
        assert httpx.post(f"{service}/logs/ingest", json=line).status_code == 201
        viewer.recv(10)
        wait_until(lambda: push_of(service)["framesSent"] == 1, "the frame is sent")
        facts = push_of(service)
    counted = {name: facts[name] for name in ("viewers", "slowViewers", "viewersClosed")}
    assert counted == {"viewers": 1, "slowViewers": 0, "viewersClosed": 0}
    assert (facts["kind"], facts["messagesDropped"], facts["lastError"]) == ("built-in", 0, None)
    shown = httpx.get(f"{service}/metrics").text
    assert "logstream_push_messages_dropped 0.0" in shown

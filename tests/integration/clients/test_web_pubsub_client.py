"""Azure's npm client in Node against the built-in hub, as `serve` has it."""

import json
import queue
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.hub_server import ACCESS_KEY, RunningHub, running_hub, wait_until
from tests.integration.clients.installed import SENDERS

PROTOCOLS = ["plain", "reliable"]
JOIN = ("webpubsub.joinLeaveGroup.logs",)
PATIENCE_SECONDS = 30

Client = Callable[..., Any]


class NodeClient:
    """One client in a process of its own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._events: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def ask(self, *command: str) -> None:
        """Have it do something."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()

    def next(self, event: str, **wanted: Any) -> dict[str, Any]:
        """The next event of this kind; others before it are passed over."""
        while True:
            heard = self._events.get(timeout=PATIENCE_SECONDS)
            if heard["event"] == event and wanted.items() <= heard.items():
                return heard

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._events.put(json.loads(line))


@pytest.fixture
def node(clients_home: Path) -> Callable[[str, str], Any]:
    """Starts the client with a protocol and a URL: `with node("plain", url) as client`."""
    script = clients_home / "node" / "web_pubsub_client.mjs"
    script.write_text((SENDERS / "web_pubsub_client.mjs").read_text())

    @contextmanager
    def started(protocol: str, url: str) -> Iterator[NodeClient]:
        process = subprocess.Popen(
            [str(clients_home / "python/bin/node"), str(script), protocol, url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            yield NodeClient(process)
        finally:
            process.kill()
            process.communicate()

    return started


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_it_connects_joins_receives_and_leaves(node: Client, protocol: str) -> None:
    with (
        running_hub() as hub,
        hub.service() as service,
        node(protocol, hub.client_url(roles=(*JOIN, "webpubsub.sendToGroup.logs"))) as client,
    ):
        client.ask("start")
        connection_id = client.next("connected")["id"]
        assert service.connection_exists(connection_id)
        client.ask("join", "logs")
        client.next("done", command="join")
        frame = {"type": "frame", "lines": [{"message": "größe € 🙂 </script>"}]}
        service.send_to_group("logs", frame, content_type="application/json")
        assert client.next("message")["data"] == frame
        client.ask("send", "logs", "from a client")
        assert client.next("message")["data"] == "from a client"
        client.ask("join", "secrets")
        assert "Forbidden" in client.next("failed", command="join")["message"]
        client.ask("leave", "logs")
        client.next("done", command="leave")
        assert not service.group_exists("logs")
        client.ask("stop")
        client.next("stopped")
        wait_until(lambda: hub.hub.connections == 0, "it left")


def test_it_recovers_from_cuts_without_losing_or_repeating_anything(node: Client) -> None:
    with (
        running_hub() as hub,
        hub.service() as service,
        node("reliable", hub.client_url("logs")) as client,
    ):
        client.ask("start")
        connection_id = client.next("connected")["id"]
        heard = []
        for n in range(60):
            if n in (10, 30, 50):
                client.ask("cut")
            service.send_to_group("logs", {"n": n}, content_type="application/json")
        while len(heard) < 60:
            heard.append(client.next("message"))
        assert [message["data"]["n"] for message in heard] == list(range(60))
        assert [message["sequenceId"] for message in heard] == list(range(1, 61))
        assert service.connection_exists(connection_id)
        # Its acknowledgements free what is kept for a recovery.
        connection = hub.hub._state.find(connection_id)
        assert connection is not None
        wait_until(lambda: not connection.unacknowledged(), "all is acknowledged")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_it_comes_back_and_rejoins_after_the_hub_was_restarted(node: Client, protocol: str) -> None:
    with running_hub() as first:
        port = first.port
        context = node(protocol, first.client_url(roles=JOIN))
        client = context.__enter__()
        try:
            client.ask("start")
            client.next("connected")
            client.ask("join", "logs")
            client.next("done", command="join")
        except BaseException:
            context.__exit__(None, None, None)
            raise
    try:
        with running_hub(port=port) as second, second.service() as service:
            wait_until(lambda: service.group_exists("logs"), "it is a member again", 60)
            service.send_to_group("logs", {"n": 2}, content_type="application/json")
            assert client.next("message")["data"] == {"n": 2}
    finally:
        context.__exit__(None, None, None)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_one_closed_by_the_service_comes_back_as_a_new_connection(
    node: Client, protocol: str
) -> None:
    with (
        running_hub() as hub,
        hub.service() as service,
        node(protocol, hub.client_url("logs")) as client,
    ):
        client.ask("start")
        before = client.next("connected")["id"]
        service.close_connection(before, reason="maintenance")
        assert client.next("disconnected")["message"] == "maintenance"
        after = client.next("connected")["id"]
        assert after != before and not service.connection_exists(before)
        service.send_to_group("logs", {"n": 1}, content_type="application/json")
        assert client.next("message")["data"] == {"n": 1}


def refused_urls(hub: RunningHub) -> dict[str, str]:
    """Client URLs that no hub may take: expired, for another hub, of another key."""
    import time

    import jwt

    def url(key: str = ACCESS_KEY, hub_name: str = "logstream", seconds: int = 3600) -> str:
        claims = {
            "aud": f"http://127.0.0.1:{hub.port}/client/hubs/{hub_name}",
            "exp": int(time.time()) + seconds,
        }
        token = jwt.encode(claims, key, algorithm="HS256")
        return f"ws://127.0.0.1:{hub.port}/client/hubs/logstream?access_token={token}"

    return {
        "expired": url(seconds=-60),
        "audience": url(hub_name="another"),
        "key": url("b" + ACCESS_KEY[1:]),
        "none": f"ws://127.0.0.1:{hub.port}/client/hubs/logstream",
    }


def test_a_token_that_is_refused_is_a_401_on_upgrade(node: Client) -> None:
    with running_hub() as hub:
        for why, url in refused_urls(hub).items():
            with node("reliable", url) as client:
                client.ask("start")
                failed = client.next("failed", command="start")
                assert "401" in failed["message"], (why, failed)
                # With a fresh URL the same client starts.
                client.ask("url", hub.client_url("logs"))
                client.ask("start")
                client.next("connected")

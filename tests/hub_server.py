"""A built-in hub over a real socket, in a thread of its own, for tests and for trying."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn
from azure.messaging.webpubsubservice import WebPubSubServiceClient
from starlette.applications import Starlette

from ingest_service.http_protocol import QuietWebSocket
from logstream.notify.built_in_hub import BuiltInHub

ACCESS_KEY = "a-key-for-tests-that-is-long-enough-0123"
HUB = "logstream"


@dataclass
class RunningHub:
    """A hub that listens; `service()` gives the Azure SDK's synchronous client for it."""

    hub: BuiltInHub
    port: int
    server: uvicorn.Server

    @property
    def connection_string(self) -> str:
        return self.hub.connection_string("127.0.0.1", self.port)

    def service(self) -> WebPubSubServiceClient:
        return WebPubSubServiceClient.from_connection_string(
            self.connection_string, HUB, retry_total=0
        )

    def client_url(self, *groups: str, user_id: str = "ann", roles: tuple[str, ...] = ()) -> str:
        """A client URL whose token makes it a member of the groups."""
        with self.service() as service:
            access = service.get_client_access_token(
                user_id=user_id, roles=list(roles), groups=list(groups)
            )
        return access["url"]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def wait_until(claim: object, what: str, seconds: float = 20) -> None:
    """Wait for a callable to become true; fails with `what` when it does not."""
    assert callable(claim)
    end = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.01)


@contextmanager
def running_hub(port: int = 0, **options: float) -> Iterator[RunningHub]:
    """Serve a fresh hub until the block ends."""
    hub = BuiltInHub(ACCESS_KEY, HUB, **options)  # type: ignore[arg-type]
    port = port or free_port()
    server = uvicorn.Server(
        uvicorn.Config(
            Starlette(routes=hub.routes()),
            host="127.0.0.1",
            port=port,
            log_level="warning",
            timeout_graceful_shutdown=2,
            # As `serve` has it.
            ws=QuietWebSocket,
            ws_per_message_deflate=False,
        )
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started, "the hub listens")
    try:
        yield RunningHub(hub, port, server)
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive(), "the hub did not stop"

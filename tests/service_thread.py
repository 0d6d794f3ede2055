"""The real ingest service on a free port, in a thread of the test process."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import uvicorn

from ingest_service.http_protocol import QuietWebSocket, bounded_http
from ingest_service.main import build, listen
from logstream.settings import Settings, load_settings


def free_port() -> int:
    """A TCP port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def settings_for(database_url: str, data_dir: Path, **overrides: object) -> Settings:
    """Settings of a service of this test's own."""
    return load_settings(
        database_url=database_url, data_dir=data_dir, **{"port": free_port(), **overrides}
    )


@contextmanager
def running_service(settings: Settings, *, has_database: bool = True) -> Iterator[str]:
    """The base URL of a service that lives as long as the block."""
    listener = listen(settings.host, settings.port)
    server = uvicorn.Server(
        uvicorn.Config(
            build(settings),
            http=bounded_http(settings.body_timeout_seconds),
            ws=QuietWebSocket,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
        )
    )
    thread = threading.Thread(
        target=lambda: asyncio.run(server.serve(sockets=[listener])), name="service"
    )
    thread.start()
    base = f"http://{settings.host}:{settings.port}"
    try:
        for _ in range(200):
            if server.started:
                break
            thread.join(0.05)
        health = "ready" if has_database else "live"
        assert httpx.get(f"{base}/health/{health}").status_code == 200
        yield base
    finally:
        server.should_exit = True
        thread.join(15)
        listener.close()
        assert not thread.is_alive(), "the service did not stop"

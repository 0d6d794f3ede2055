"""Two live services under OpenTelemetry, one calling the other, each in a process of its own."""

import subprocess
from pathlib import Path

import httpx

from tests.integration.clients.installed import SENDERS
from tests.service_thread import free_port

EXPIRED, VALID = "4bf92f3577b34da6a3ce929d0e0e4736", "0af7651916cd43dd8448eb211c80319c"
# The shopper's browser began the traces; it sends no spans.
BROWSER = "b7ad6b7169203331"


def check_out_twice(clients_home: Path, logstream: str) -> None:
    """Check out with each card, traced to LogStream; everything was sent when it returns."""
    storefront, payments = free_port(), free_port()
    program = [str(clients_home / "python/bin/python"), str(SENDERS / "traced_service.py")]
    commands = (
        ("payments", str(payments), logstream),
        ("storefront", str(storefront), logstream, f"http://127.0.0.1:{payments}"),
    )
    services = [
        subprocess.Popen([*program, *command], stdout=subprocess.PIPE, text=True)
        for command in commands
    ]
    try:
        for service in services:
            assert service.stdout is not None
            assert service.stdout.readline() == "ready\n"
        for card, trace_id in (("expired", EXPIRED), ("valid", VALID)):
            httpx.get(
                f"http://127.0.0.1:{storefront}/checkout",
                params={"card": card},
                headers={"traceparent": f"00-{trace_id}-{BROWSER}-01"},
            )
        for service in services:
            service.terminate()
        # Each sends what it still holds before it ends.
        assert [service.wait(30) for service in services] == [0, 0]
    finally:
        for service in services:
            service.kill()
            service.communicate()

"""Client libraries as their users run them, sending to a real service with all its listeners."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conftest import new_database
from tests.integration.clients.installed import SENDERS, installed_clients, run
from tests.service_thread import free_port, running_service, settings_for

# Senders mostly wait for their own clocks.
AT_ONCE = 4

Sent = Callable[[str, str], str]


@pytest.fixture(scope="session")
def clients_home() -> Path:
    """Where the clients are installed."""
    return installed_clients()


@pytest.fixture(scope="session")
def ports() -> dict[str, int]:
    """The ports of the service: HTTP and one for each listener."""
    return {name: free_port() for name in ("http", "syslog", "gelf", "forward")}


@pytest.fixture(scope="session")
def product(
    postgres_url: str,
    migrated_template: str,
    ports: dict[str, int],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """Base URL of one service for all clients, with every listener on."""
    with new_database(postgres_url, migrated_template) as database_url:
        settings = settings_for(
            database_url,
            tmp_path_factory.mktemp("product"),
            port=ports["http"],
            syslog_port=ports["syslog"],
            gelf_port=ports["gelf"],
            forward_port=ports["forward"],
        )
        with running_service(settings) as base:
            yield base


@pytest.fixture(scope="session")
def sent(
    request: pytest.FixtureRequest, product: str, ports: dict[str, int], clients_home: Path
) -> Iterator[Sent]:
    """What a client printed, once it has sent: `sent(language, name)`.

    All clients of the selected tests are started together, because most of them wait.
    """
    commands = {
        "python": [str(clients_home / "python/bin/python"), str(SENDERS / "python_clients.py")],
        "node": [
            str(clients_home / "python/bin/node"),
            str(clients_home / "node/node_clients.mjs"),
        ],
    }
    with ThreadPoolExecutor(AT_ONCE) as pool:
        under_way: dict[tuple[str, str], Future[str]] = {}

        def start(language: str, name: str) -> Future[str]:
            if (language, name) not in under_way:
                command = [*commands[language], name, json.dumps(ports)]
                under_way[language, name] = pool.submit(run, command)
            return under_way[language, name]

        for item in request.session.items:
            client = getattr(item, "callspec", None) and item.callspec.params.get("client")
            if client is not None:
                start(client.language, client.name)
        yield lambda language, name: start(language, name).result()

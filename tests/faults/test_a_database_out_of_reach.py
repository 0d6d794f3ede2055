"""Connections cut in mid-COPY, a database away, two services at once, a clock that goes back."""

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from logstream.land.embedded import EmbeddedPostgres
from logstream.wiring import migrate
from scripts.soak.load import Load
from scripts.soak.service import Service
from tests.faults.accounting import assert_all_accounted_for
from tests.faults.cutting_proxy import cutting_proxy
from tests.service_thread import running_service, settings_for

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL of this file's own, which its tests may stop."""
    with EmbeddedPostgres(tmp_path_factory.mktemp("server"), "a fault test") as running:
        migrate(running.url)
        yield running


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[str], Service]]:
    """Starts `serve` processes on a database; all are stopped with the test."""
    started: list[Service] = []

    def start(database_url: str) -> Service:
        data_dir = tmp_path / f"data{len(started)}"
        service = Service(data_dir, database_url, LOGSTREAM_LAND_TIMEOUT_SECONDS="0.5")
        started.append(service)
        service.start()
        return service

    yield start
    for service in started:
        service.stop()


def test_connections_cut_anywhere_lose_and_double_nothing(
    server: EmbeddedPostgres,
    serve: Callable[[str], Service],
    load: Callable[..., Load],
    sent: Path,
) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    with cutting_proxy(server.url, seed) as proxy:
        services = [serve(proxy.url), serve(proxy.url)]
        sender = load(*(service.url for service in services), seed=seed, twins=0.3)
        sender.wait_for_more(1_000)
        proxy.is_cutting = True
        while proxy.cuts < 15:
            sender.wait_for_more(1_000)
        proxy.is_cutting = False
        sender.wait_for_more(1_000)
        sender.stop()
        assert_all_accounted_for(server.url, sent)
        for service in services:
            service.stop()


def test_a_database_that_is_away_for_a_while_loses_and_doubles_nothing(
    server: EmbeddedPostgres,
    serve: Callable[[str], Service],
    load: Callable[..., Load],
    sent: Path,
) -> None:
    sender = load(serve(server.url).url, seed=2)
    sender.wait_for_more(1_000)
    server.stop()
    sender.wait_for_more(10_000)
    server.start()
    sender.wait_for_more(1_000)
    sender.stop()
    assert assert_all_accounted_for(server.url, sent).spooled >= 5_000


def test_a_commit_that_takes_longer_than_lines_wait_is_not_landed_again(
    server: EmbeddedPostgres,
    serve: Callable[[str], Service],
    load: Callable[..., Load],
    sent: Path,
) -> None:
    sender = load(serve(server.url).url, seed=5)
    sender.wait_for_more(1_000)
    with psycopg.connect(server.url, autocommit=True) as database:
        # Runs in COMMIT; lines wait for half a second, so their group is in the spool by then.
        database.execute(
            "CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN PERFORM pg_sleep(0.8); RETURN NULL; END'"
        )
        database.execute(
            "CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON batches DEFERRABLE"
            " INITIALLY DEFERRED FOR EACH ROW WHEN (NOT new.is_keyed) EXECUTE FUNCTION linger()"
        )
        sender.wait_for_more(10_000)
        database.execute("DROP FUNCTION linger CASCADE")
    sender.stop()
    assert_all_accounted_for(server.url, sent)


def test_the_same_batch_sent_to_two_services_at_once_is_stored_once(
    server: EmbeddedPostgres,
    serve: Callable[[str], Service],
    load: Callable[..., Load],
    sent: Path,
) -> None:
    services = [serve(server.url), serve(server.url)]
    sender = load(*(service.url for service in services), seed=3, twins=1.0)
    sender.wait_for_more(5_000)
    services[0].kill()
    services[0].start()
    sender.wait_for_more(5_000)
    sender.stop()
    assert_all_accounted_for(server.url, sent)


def test_a_clock_that_jumps_back_and_forth_loses_and_doubles_nothing(
    server: EmbeddedPostgres,
    load: Callable[..., Load],
    sent: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    true_time = time.time_ns
    with running_service(settings_for(server.url, tmp_path)) as url:
        sender = load(url, seed=4)
        for hours in (0, -3, 26, -24 * 400, 24 * 365 * 30, 0):
            offset = hours * 3_600 * 10**9
            monkeypatch.setattr(time, "time_ns", lambda offset=offset: true_time() + offset)
            sender.wait_for_more(1_000)
            assert httpx.get(f"{url}/logs/recent?range=24h").status_code == 200
        sender.stop()
        assert_all_accounted_for(server.url, sent)

"""The database goes away under load: lines are kept in the spool and land once."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from logstream.land.embedded import EmbeddedPostgres
from logstream.land.group_commit import GroupCommit
from logstream.land.postgres import PostgresWriter
from logstream.land.spool import Spool
from logstream.ports import Batch, Landed
from logstream.wiring import migrate
from tests.records import a_record


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL of this test's own, which it may stop."""
    with EmbeddedPostgres(tmp_path / "data", "a fault test") as running:
        migrate(running.url)
        yield running


def group_commit(url: str, folder: Path, announced: list[int] | None = None) -> GroupCommit:
    writer = GroupCommit(
        PostgresWriter(url),
        Spool(folder, max_bytes=10**8),
        on_landed=lambda _first, records: (announced or []).append(len(records)),
        max_pending_bytes=10**8,
        land_timeout_seconds=0.3,
    )
    writer.start()
    return writer


async def land(writer: GroupCommit, *bodies: str, key: str | None = None) -> Landed:
    records = [a_record(body) for body in bodies]
    return await writer.land(Batch(records, key=key, environment="production", size_bytes=100))


def stored(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        bodies = [row[0] for row in connection.execute("SELECT body FROM logs ORDER BY body")]
        [(counted,)] = connection.execute(
            "SELECT coalesce(sum(count), 0) FROM log_counts"
        ).fetchall()
    assert counted == len(bodies)
    return bodies


async def until_empty(writer: GroupCommit) -> None:
    async with asyncio.timeout(30):
        while writer.spool_bytes:
            await asyncio.sleep(0.05)


async def test_lines_go_into_the_spool_and_land_once_when_the_database_is_back(
    server: EmbeddedPostgres, tmp_path: Path
) -> None:
    announced: list[int] = [0]
    writer = group_commit(server.url, tmp_path / "spool", announced)
    assert (await land(writer, "a before")).durable == "database"
    server.stop()
    away = [await land(writer, f"b away {n:03d}", key=f"key-{n}") for n in range(50)]
    assert {(reply.durable, reply.accepted, reply.first_id) for reply in away} == {
        ("spool", 1, None)
    }
    # A sender that retries meanwhile is answered again, and its line still lands once.
    assert (await land(writer, "b away 007", key="key-7")).durable == "spool"
    server.start()
    await until_empty(writer)
    assert (await land(writer, "c after")).durable == "database"
    await writer.close()
    assert stored(server.url) == ["a before", *(f"b away {n:03d}" for n in range(50)), "c after"]
    assert sum(announced) == 52


async def test_what_is_in_the_spool_lands_after_a_restart_of_the_service(
    server: EmbeddedPostgres, tmp_path: Path
) -> None:
    server.stop()
    writer = group_commit(server.url, tmp_path / "spool")
    for n in range(20):
        assert (await land(writer, f"line {n:02d}")).durable == "spool"
    await writer.close()
    server.start()
    again = group_commit(server.url, tmp_path / "spool")
    await until_empty(again)
    await again.close()
    assert stored(server.url) == [f"line {n:02d}" for n in range(20)]


async def test_a_commit_that_nobody_heard_of_is_not_replayed(
    server: EmbeddedPostgres, tmp_path: Path
) -> None:
    """The worst moment: COMMIT is done, its answer lost, and the database away from then on."""
    writer = group_commit(server.url, tmp_path / "spool")
    commit = writer._writer._commit

    async def commit_then_lose(*arguments: object) -> object:
        await commit(*arguments)  # type: ignore[arg-type]
        writer._writer._unsure = arguments[1]  # type: ignore[assignment]
        server.stop()
        raise psycopg.OperationalError("connection lost after COMMIT")

    writer._writer._commit = commit_then_lose  # type: ignore[assignment, method-assign]
    assert (await land(writer, "once")).durable == "spool"
    writer._writer._commit = commit  # type: ignore[method-assign]
    await writer.close()
    server.start()
    again = group_commit(server.url, tmp_path / "spool")
    await until_empty(again)
    await again.close()
    assert stored(server.url) == ["once"]


async def test_a_spool_replayed_twice_lands_once(server: EmbeddedPostgres, tmp_path: Path) -> None:
    server.stop()
    writer = group_commit(server.url, tmp_path / "spool")
    for n in range(10):
        await land(writer, f"line {n}")
    await writer.close()
    [file] = (tmp_path / "spool").glob("*/*.spool")
    copy = file.read_bytes()
    server.start()
    for _ in range(2):
        file.write_bytes(copy)
        again = group_commit(server.url, tmp_path / "spool")
        await until_empty(again)
        await again.close()
    assert stored(server.url) == [f"line {n}" for n in range(10)]


async def test_a_group_that_nobody_understands_is_set_aside_and_the_next_one_lands(
    server: EmbeddedPostgres, tmp_path: Path
) -> None:
    spool = Spool(tmp_path / "spool", max_bytes=10**8)
    spool.append(b"written by another version", lines=2)
    spool.close()
    server.stop()
    writer = group_commit(server.url, tmp_path / "spool")
    assert (await land(writer, "after it")).durable == "spool"
    server.start()
    await until_empty(writer)
    assert writer.spool_report.damaged_files == 1
    assert writer.spool_report.lines == 0
    await writer.close()
    assert stored(server.url) == ["after it"]
    [kept] = (tmp_path / "spool").glob("*/*.damaged")
    assert b"written by another version" in kept.read_bytes()

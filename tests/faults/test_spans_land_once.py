"""Spans through the same faults as lines: what was acknowledged is stored, each once."""

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx
import psycopg
import pytest

from logstream.land.embedded import EmbeddedPostgres, running_url
from logstream.land.group_commit import GroupCommit
from logstream.land.upkeep import forget_batches
from logstream.ports import Batch, Landed
from tests.faults.test_database_away import group_commit, server, until_empty  # noqa: F401
from tests.faults.test_replaying_the_spool import SLOW_COMMIT, until
from tests.integration.test_up import RunningUp, eventually, up  # noqa: F401
from tests.records import a_record, a_span


async def land(
    writer: GroupCommit, *span_ids: str, key: str | None = None, with_line: bool = False
) -> Landed:
    batch = Batch(
        [a_record("beside the span")] if with_line else [],
        key=key,
        environment="production",
        size_bytes=100,
        spans=[a_span(span_id) for span_id in span_ids],
        format="zipkin",
    )
    return await writer.land(batch)


def stored(url: str) -> Counter[str]:
    with psycopg.connect(url) as connection:
        return Counter(row[0] for row in connection.execute("SELECT span_id FROM spans"))


def is_told_once(url: str) -> bool:
    """Whether traces and operations count exactly the spans there are."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM spans), (SELECT sum(span_count) FROM trace_summaries),"
            " (SELECT sum(count) FROM operation_counts WHERE kind <> 'line')"
        ).fetchone()
    assert row is not None
    return len(set(row)) == 1


async def test_spans_go_into_the_spool_and_land_once_when_the_database_is_back(
    server: EmbeddedPostgres,  # noqa: F811
    tmp_path: Path,
) -> None:
    server.stop()
    writer = group_commit(server.url, tmp_path / "spool")
    away = [await land(writer, f"{n}-a", f"{n}-b", key=f"key-{n}") for n in range(10)]
    assert {(reply.durable, reply.accepted, reply.first_id) for reply in away} == {
        ("spool", 2, None)
    }
    assert (await land(writer, "3-a", "3-b", key="key-3")).durable == "spool"
    assert (await land(writer, "mixed", with_line=True)).accepted == 2
    assert writer.spool_report.lines == 24
    await writer.close()
    [file] = (tmp_path / "spool").glob("*/*.spool")
    copy = file.read_bytes()
    server.start()
    for _ in range(2):  # the second time it is there already
        file.write_bytes(copy)
        again = group_commit(server.url, tmp_path / "spool")
        await until_empty(again)
        await again.close()
    once = {f"{n}-{half}" for n in range(10) for half in "ab"} | {"mixed"}
    assert stored(server.url) == Counter(once)
    assert is_told_once(server.url)


async def test_a_commit_of_spans_that_nobody_heard_of_is_not_replayed(
    server: EmbeddedPostgres,  # noqa: F811
    tmp_path: Path,
) -> None:
    writer = group_commit(server.url, tmp_path / "spool")
    commit = writer._writer._commit

    async def commit_then_lose(*arguments: object) -> object:
        await commit(*arguments)  # type: ignore[arg-type]
        writer._writer._unsure = arguments[1]  # type: ignore[assignment]
        server.stop()
        raise psycopg.OperationalError("connection lost after COMMIT")

    writer._writer._commit = commit_then_lose  # type: ignore[assignment, method-assign]
    assert (await land(writer, "once")).durable == "spool"
    await writer.close()
    server.start()
    again = group_commit(server.url, tmp_path / "spool")
    await until_empty(again)
    await again.close()
    assert stored(server.url) == Counter(["once"])
    assert is_told_once(server.url)


async def test_spans_that_landed_unheard_days_ago_are_not_landed_again(
    database_url: str, tmp_path: Path
) -> None:
    """No line of the group can be looked for, and its row in `batches` is forgotten."""
    with psycopg.connect(database_url, autocommit=True) as database:
        database.execute(SLOW_COMMIT)
        writer = group_commit(database_url, tmp_path / "spool")
        assert (await land(writer, "once")).durable == "spool"
        await writer.close()
        await until(database_url, "SELECT EXISTS (SELECT FROM spans)")
        database.execute("DROP FUNCTION linger CASCADE")
        database.execute("UPDATE batches SET landed_at = landed_at - interval '2 days'")
        forget_batches(database, 7)
    again = group_commit(database_url, tmp_path / "spool")
    await until_empty(again)
    await again.close()
    assert stored(database_url) == Counter(["once"])
    assert is_told_once(database_url)


@pytest.mark.slow
def test_every_acknowledged_span_is_stored_once_whatever_is_killed(
    up: Callable[..., RunningUp],  # noqa: F811
) -> None:
    running = up("--no-dashboard")
    running.wait_until_ready()
    acknowledged: list[str] = []

    def send(number: int) -> bool:
        """One span and its key, until it is answered."""
        span = {"traceId": "a" * 32, "id": f"{number + 1:016x}", "name": "charge card"}
        try:
            reply = httpx.post(
                f"http://127.0.0.1:{running.port}/api/v2/spans",
                json=[span],
                headers={"Idempotency-Key": f"span-{number}"},
            )
        except httpx.TransportError:
            return False
        if reply.status_code != 202:
            return False
        acknowledged.append(str(span["id"]))
        return True

    number = 0
    for victim in ("postgres", "serve", "postgres", "serve"):
        until_number = number + 150
        killed = False
        while number < until_number:
            if not killed and number >= until_number - 100:
                running.children()[victim].kill()
                killed = True
            if send(number):
                number += 1
            else:
                time.sleep(0.02)
    url = running_url(running.data_dir) or ""
    # What went into the spool lands within moments.
    assert eventually(lambda: stored(running_url(running.data_dir) or url).total() >= number)
    assert stored(url) == Counter(acknowledged)
    assert is_told_once(url)

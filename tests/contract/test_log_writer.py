"""What every LogWriter promises, held against PostgreSQL."""

import asyncio
import random
import uuid
from pathlib import Path

import psycopg
import pytest

from logstream.kept_reject import RejectFilter
from logstream.land import id_blocks, segments
from logstream.land.group_commit import GroupCommit
from logstream.land.postgres import CONNECTION_LOST, PostgresWriter
from logstream.land.spool import Spool
from logstream.land.upkeep import fold_counts, forget_batches, summarize_segments
from logstream.model import Reject
from logstream.ports import Batch
from logstream.query.reader import PostgresReader
from tests.contract.conftest import Store
from tests.records import a_record


def ask(database_url: str, question: str) -> list[tuple[object, ...]]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        return connection.execute(question).fetchall()  # type: ignore[call-overload, no-any-return]


async def test_landed_rows_hold_everything_the_record_held(
    store: Store, reader: PostgresReader
) -> None:
    record = a_record(
        "Card declined: naïve café ☂",
        nanos=123_456_789,
        severity=18,
        trace_id="4bf92f3577b34da6a3ce929d0e0e4736",
        duration_ms=12.5,
        attributes=b'{"order.id":1841,"nested":{"a":[1,2]}}',
    )
    landed = await store.land(record)
    assert landed.first_id is not None and landed.accepted == 1
    line = reader.line(landed.first_id)
    assert line is not None
    assert line.timestamp_unix_nano == record.timestamp_unix_nano
    assert (line.body, line.severity_number, line.duration_ms) == (record.body, 18, 12.5)
    assert line.trace_id == record.trace_id
    assert line.attributes == {"order.id": 1841, "nested": {"a": [1, 2]}}
    assert (line.severity_text, line.span_id) == (None, None)


async def test_ids_are_consecutive_in_the_order_of_the_records(
    store: Store, reader: PostgresReader
) -> None:
    landed = await store.land(*(a_record(f"step {n}") for n in range(5)))
    assert (landed.first_id, landed.last_id, landed.accepted) == (1, 5, 5)
    bodies = [reader.line(line_id).body for line_id in range(1, 6)]  # type: ignore[union-attr]
    assert bodies == [f"step {n}" for n in range(5)]


async def test_counts_are_written_with_the_rows_and_folding_keeps_their_sum(
    store: Store, database_url: str
) -> None:
    for _ in range(4):
        await store.land(a_record(), a_record(severity=17), a_record(seconds_ago=120))
    summed = "SELECT sum(count), count(*) FROM log_counts"
    # Four commits of three keys each: (12:00, info), (12:00, error), (11:58, info).
    assert ask(database_url, summed) == [(12, 12)]
    with psycopg.connect(database_url, autocommit=True) as connection:
        assert fold_counts(connection) == 12 - 3
        assert fold_counts(connection) == 0
        summarize_segments(connection)
    assert ask(database_url, summed) == [(12, 3)]


async def test_a_key_seen_before_stores_nothing_and_answers_the_same(
    store: Store, database_url: str
) -> None:
    first = await store.land(a_record("once"), a_record("once"), key="batch-17")
    again = await store.land(a_record("once"), a_record("once"), key="batch-17")
    assert again.is_replay and not first.is_replay
    assert (again.first_id, again.last_id, again.accepted) == (1, 2, 2)
    assert ask(database_url, "SELECT count(*) FROM logs") == [(2,)]
    assert len(store.announced) == 1


async def test_one_key_sent_many_times_at_once_lands_once(store: Store, database_url: str) -> None:
    replies = await asyncio.gather(*(store.land(a_record(), key="same") for _ in range(20)))
    assert {reply.first_id for reply in replies} == {1}
    assert sum(not reply.is_replay for reply in replies) == 1
    assert ask(database_url, "SELECT count(*) FROM logs") == [(1,)]


async def test_two_services_landing_one_key_at_once_store_it_once(database_url: str) -> None:
    writers = [PostgresWriter(database_url) for _ in range(4)]
    for round_number in range(5):
        batch = Batch([a_record()], key=f"round-{round_number}")
        await asyncio.gather(
            *(writer.write([writer.encode(batch)], uuid.uuid4()) for writer in writers)
        )
    for writer in writers:
        await writer.disconnect()
    assert ask(database_url, "SELECT count(*) FROM logs") == [(5,)]
    assert ask(database_url, "SELECT sum(count) FROM log_counts") == [(5,)]


async def test_services_that_race_for_many_keys_in_different_order_store_each_once(
    database_url: str,
) -> None:
    order = random.Random(17)
    writers = [PostgresWriter(database_url) for _ in range(6)]
    landed: dict[str | None, set[int | None]] = {}

    async def land_all(writer: PostgresWriter, round_number: int) -> None:
        batches = [Batch([a_record()], key=f"{round_number}-{n}") for n in range(10)]
        while batches:
            group = order.sample(batches, min(3, len(batches)))
            loads = [writer.encode(batch) for batch in group]
            for batch, stored in zip(group, await writer.write(loads, uuid.uuid4()), strict=True):
                landed.setdefault(batch.key, set()).add(stored.landed.first_id)
                batches.remove(batch)

    for round_number in range(10):
        await asyncio.gather(*(land_all(writer, round_number) for writer in writers))
    for writer in writers:
        await writer.disconnect()
    assert ask(database_url, "SELECT count(*), count(DISTINCT id) FROM logs") == [(100, 100)]
    assert ask(database_url, "SELECT sum(count) FROM log_counts") == [(100,)]
    assert [len(ids) for ids in landed.values()] == [1] * 100, "a replay named other ids"


async def test_a_database_that_was_read_only_for_a_while_is_landed_in_again(
    store: Store, database_url: str
) -> None:
    with psycopg.connect(
        database_url, autocommit=True, options="-c default_transaction_read_only=off"
    ) as operator:
        name = operator.info.dbname
        operator.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        writer = PostgresWriter(database_url)
        with pytest.raises(CONNECTION_LOST):
            await writer.write([writer.encode(Batch([a_record()]))], uuid.uuid4())
        operator.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
        [stored] = await writer.write([writer.encode(Batch([a_record()]))], uuid.uuid4())
        await writer.disconnect()
    assert stored.landed.accepted == 1
    assert ask(database_url, "SELECT count(*) FROM logs") == [(1,)]


async def test_waiting_batches_share_a_commit(store: Store, database_url: str) -> None:
    await asyncio.gather(*(store.land(a_record(f"line {n}")) for n in range(200)))
    [(rows, commits)] = ask(
        database_url, "SELECT sum(accepted), count(*) FROM batches WHERE NOT is_keyed"
    )
    assert rows == 200
    assert isinstance(commits, int) and commits < 20


async def test_a_record_the_database_refuses_is_rejected_and_its_neighbours_land(
    store: Store, database_url: str
) -> None:
    # A NUL cannot be stored; decoders replace it, and this is what happens if one forgets.
    poison = a_record("before\x00after")
    landed = await store.land(a_record("good"), poison, a_record("also good"), key="poisoned")
    assert landed.accepted == 2
    assert [reject.index for reject in landed.rejects] == [1]
    assert "record 1" in landed.rejects[0].error
    assert ask(database_url, "SELECT body FROM logs ORDER BY id") == [("good",), ("also good",)]


async def test_a_poisonous_neighbour_does_not_hurt_other_requests(
    store: Store, database_url: str
) -> None:
    bodies = ["fine", "bad\x00bad", "fine too"]
    replies = await asyncio.gather(*(store.land(a_record(body)) for body in bodies))
    assert [reply.accepted for reply in replies] == [1, 0, 1]
    assert ask(database_url, "SELECT count(*) FROM logs") == [(2,)]


async def test_rejects_are_kept_with_their_reason_and_bytes(
    store: Store, reader: PostgresReader
) -> None:
    reject = Reject(0, "record 0: severity 'lo\x00ud\ud800' is not known", b'{"severity":"\xff"}')
    batch = Batch([], [reject], environment="staging", format="loki", sender="ls_7fK2")
    landed = await store.writer.land(batch)
    assert landed.accepted == 0
    [kept] = reader.rejects(RejectFilter(), limit=10)
    assert (kept.environment, kept.format, kept.sender) == ("staging", "loki", "ls_7fK2")
    assert "is not known" in kept.error and kept.reason == "bad_record"
    assert kept.raw == b'{"severity":"\xff"}'


async def test_ids_may_cross_into_the_next_segment(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert segments.IDS_PER_SEGMENT % id_blocks.IDS_PER_BLOCK == 0
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("SELECT setval('log_id_blocks', 98)")
    # Block 99 holds ids 990,000 to 999,999; 15,000 rows reach into segment 1 and its successor.
    landed = await store.land(*(a_record() for _ in range(15_000)))
    assert (landed.first_id, landed.last_id) == (990_000, 1_004_999)
    names = ask(database_url, "SELECT name FROM segments ORDER BY first_id")
    assert names == [("logs_000000",), ("logs_000001",), ("logs_000002",)]
    counted = "SELECT (SELECT count(*) FROM logs_000000), (SELECT count(*) FROM logs_000001)"
    assert ask(database_url, counted) == [(10_000, 5_000)]


async def test_a_lost_connection_is_opened_again(store: Store, database_url: str) -> None:
    await store.land(a_record("before"))
    ask(
        database_url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'logstream-land' AND datname = current_database()",
    )
    await store.land(a_record("after"))
    assert ask(database_url, "SELECT count(*) FROM logs") == [(2,)]


async def test_a_commit_whose_answer_was_lost_is_not_done_twice(database_url: str) -> None:
    writer = PostgresWriter(database_url)
    loads, group_id = [writer.encode(Batch([a_record("only once")]))], uuid.uuid4()
    commit = writer._commit

    async def commit_and_lose_the_answer(*arguments: object) -> object:
        await commit(*arguments)  # type: ignore[arg-type]
        writer._unsure = arguments[1]  # type: ignore[assignment]
        raise psycopg.OperationalError("connection lost after COMMIT")

    writer._commit = commit_and_lose_the_answer  # type: ignore[assignment, method-assign]
    with pytest.raises(psycopg.OperationalError):
        await writer.write(loads, group_id)
    writer._commit = commit  # type: ignore[method-assign]
    [stored] = await writer.write(loads, group_id)
    await writer.disconnect()
    assert stored.landed.first_id == 1
    assert ask(database_url, "SELECT count(*), min(id) FROM logs") == [(1, 1)]


async def test_senders_faster_than_the_database_wait_their_turn(store: Store) -> None:
    big = Batch([a_record()], size_bytes=900 * 1024)  # of one megabyte that may wait
    replies = await asyncio.gather(*(store.writer.land(big) for _ in range(5)))
    assert {(reply.accepted, reply.durable) for reply in replies} == {(1, "database")}


async def test_what_has_waited_too_long_goes_into_the_spool_and_lands_later(
    database_url: str, tmp_path: Path
) -> None:
    writer = GroupCommit(
        PostgresWriter(database_url),
        Spool(tmp_path / "spool", max_bytes=1024 * 1024),
        on_landed=lambda _first_id, _records: None,
        max_pending_bytes=1024 * 1024,
        land_timeout_seconds=30,
        patience_seconds=0.2,
    )
    writer.start()
    big = Batch([a_record()], size_bytes=900 * 1024)
    with psycopg.connect(database_url) as slow:
        slow.execute("LOCK TABLE batches IN ACCESS EXCLUSIVE MODE")
        first = asyncio.create_task(writer.land(big))  # under way
        await asyncio.sleep(0.05)
        second = asyncio.create_task(writer.land(big))  # waits
        await asyncio.sleep(0.05)
        third = await writer.land(big)
        assert (third.durable, third.accepted, third.first_id) == ("spool", 1, None)
    assert [(await first).durable, (await second).durable] == ["database"] * 2
    async with asyncio.timeout(10):
        while writer.spool_bytes:
            await asyncio.sleep(0.02)
    await writer.close()
    assert ask(database_url, "SELECT count(*), count(DISTINCT id) FROM logs") == [(3, 3)]


async def test_closing_lands_what_waits(database_url: str, store: Store) -> None:
    waiting = [asyncio.create_task(store.land(a_record(f"last {n}"))) for n in range(50)]
    await asyncio.sleep(0)
    await store.writer.close()
    landed = await asyncio.gather(*waiting)
    assert sum(reply.accepted for reply in landed) == 50
    assert ask(database_url, "SELECT count(*) FROM logs") == [(50,)]


async def test_forgetting_keeps_recent_keys(store: Store, database_url: str) -> None:
    await store.land(a_record(), key="old")
    ask_old = "UPDATE batches SET landed_at = now() - interval '8 days' RETURNING 1"
    ask(database_url, ask_old)
    await store.land(a_record(), key="new")
    with psycopg.connect(database_url, autocommit=True) as connection:
        # The old key's row and its group's row go; the new group's own row is an hour young.
        assert forget_batches(connection, keyed_days=7) == 2
    again = await store.land(a_record(), key="new")
    assert again.is_replay

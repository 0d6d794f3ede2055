"""The sender against a real HTTP server on loopback that misbehaves on purpose."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec
import pytest
from aiohttp import web

from logstream.simulate.sender import Acknowledged, Sender

LINES = [
    b'{"source":"checkout","message":"Order ORD-2400001 placed by user u-100017"}',
    b'{"source":"cart","message":"cart c1b2c3d4e updated user=u-100017 items=2"}',
    b'{"source":"auth","message":"Token valid for user u-100017"}',
]
Answer = Callable[[web.Request, bytes], Awaitable[web.StreamResponse]]


class IngestPeer:
    """Stores each key once, as the service does, and notes every attempt."""

    def __init__(self, answers: list[Answer] | None = None) -> None:
        self.attempts: list[tuple[str, bytes]] = []
        self.stored: dict[str, int] = {}
        self._answers = answers or []

    async def ingest(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.attempts.append((request.headers["Idempotency-Key"], body))
        if self._answers:
            return await self._answers.pop(0)(request, body)
        return await self.store(request, body)

    async def store(self, request: web.Request, body: bytes) -> web.StreamResponse:
        count = len(body.split(b"\n"))
        first = sum(self.stored.values()) + 1
        self.stored.setdefault(request.headers["Idempotency-Key"], count)
        reply = {"accepted": count, "rejected": [], "ids": [first, first + count - 1]}
        return web.json_response({**reply, "durable": "database"}, status=201)


def refusing(status: int, retry_after: str = "0") -> Answer:
    async def answer(_: web.Request, __: bytes) -> web.StreamResponse:
        return web.json_response(
            {"error": {"code": "no", "message": "not now", "hint": ""}},
            status=status,
            headers={"Retry-After": retry_after},
        )

    return answer


async def hanging_up(request: web.Request, _: bytes) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


@asynccontextmanager
async def served(peer: IngestPeer) -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_post("/logs/ingest", peer.ingest)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


async def test_offered_lines_are_sent_as_ndjson_and_acknowledged() -> None:
    peer, acknowledged = IngestPeer(), []
    async with (
        served(peer) as url,
        Sender(url, on_acknowledged=acknowledged.append, say=lambda _: None) as sender,
    ):
        await sender.offer(LINES)
        assert await sender.flush(5)
    ((key, body),) = peer.attempts
    assert body == b"\n".join(LINES)
    assert acknowledged == [Acknowledged((1, 3), 3, key)]
    assert (sender.counts.offered, sender.counts.accepted, sender.waiting) == (3, 3, 0)


async def test_a_failed_batch_is_repeated_with_the_same_key_until_it_is_taken() -> None:
    peer, said = IngestPeer([refusing(503), refusing(429), hanging_up, refusing(500)]), []
    async with served(peer) as url, Sender(url, say=said.append) as sender:
        await sender.offer(LINES)
        assert await sender.flush(10)
    assert len(peer.attempts) == 5
    assert len(set(peer.attempts)) == 1
    assert sender.counts.accepted == 3
    assert sender.counts.retries == 4
    assert "answered 503" in said[0]
    assert "answers again" in said[1]


async def test_a_batch_whose_answer_was_lost_is_stored_once() -> None:
    peer = IngestPeer()

    async def storing_and_hanging_up(request: web.Request, body: bytes) -> web.StreamResponse:
        await peer.store(request, body)
        return await hanging_up(request, body)

    peer._answers.append(storing_and_hanging_up)
    async with served(peer) as url, Sender(url, say=lambda _: None) as sender:
        await sender.offer(LINES)
        assert await sender.flush(5)
    assert list(peer.stored.values()) == [3]
    assert sender.counts.accepted == 3


async def test_retry_after_is_waited_for() -> None:
    peer = IngestPeer([refusing(429, retry_after="1")])
    loop = asyncio.get_running_loop()
    async with served(peer) as url, Sender(url, say=lambda _: None) as sender:
        began = loop.time()
        await sender.offer(LINES)
        while sender.waiting:
            await asyncio.sleep(0.01)
        # A lower bound only: the pause itself, however slow the machine.
        assert loop.time() - began >= 0.99


async def test_lines_wait_for_a_service_that_is_not_there_yet() -> None:
    peer, said = IngestPeer(), []
    async with served(peer) as url:
        pass
    port = int(url.rpartition(":")[2])
    async with Sender(url, say=said.append) as sender:
        await sender.offer(LINES)
        assert not await sender.flush(0.3)
        assert sender.waiting == 3
        application = web.Application()
        application.router.add_post("/logs/ingest", peer.ingest)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        assert await sender.flush(10)
        await runner.cleanup()
    assert list(peer.stored.values()) == [3]
    assert "keeping the lines and trying again" in said[0]


async def test_a_full_buffer_drops_new_lines_and_says_so() -> None:
    said: list[str] = []
    # Port 9 (discard) is closed here, so nothing ever leaves.
    async with Sender("http://127.0.0.1:9", buffer_lines=4, say=said.append) as sender:
        await sender.offer(LINES)
        await sender.offer(LINES)
        assert (sender.waiting, sender.counts.dropped) == (4, 2)
    assert any("dropping new lines: 4 lines already wait" in sentence for sentence in said)


async def test_a_batch_refused_for_good_is_counted_and_not_repeated() -> None:
    peer, said = IngestPeer([refusing(400)]), []
    async with served(peer) as url, Sender(url, say=said.append) as sender:
        await sender.offer(LINES)
        assert await sender.flush(5)
    assert len(peer.attempts) == 1
    assert (sender.counts.rejected, sender.counts.accepted) == (3, 0)
    assert "3 lines refused with 400" in said[0]
    assert "not now" in said[0]


async def test_rejected_lines_of_a_taken_batch_are_counted_and_said() -> None:
    async def taking_two(_: web.Request, __: bytes) -> web.StreamResponse:
        rejected = [{"index": 1, "error": "record 1: severity 'loud' is not known"}]
        reply = {"accepted": 2, "rejected": rejected, "ids": [8, 9]}
        return web.Response(
            body=msgspec.json.encode(reply), status=201, content_type="application/json"
        )

    said: list[str] = []
    async with served(IngestPeer([taking_two])) as url, Sender(url, say=said.append) as sender:
        await sender.offer(LINES)
        assert await sender.flush(5)
    assert (sender.counts.accepted, sender.counts.rejected) == (2, 1)
    assert "severity 'loud' is not known" in said[0]


async def test_a_batch_that_is_too_large_is_sent_in_smaller_ones() -> None:
    peer = IngestPeer([refusing(413)])
    async with served(peer) as url, Sender(url, connections=1, say=lambda _: None) as sender:
        await sender.offer(LINES)
        assert await sender.flush(5)
    # 3 lines are too many, so 1 at a time: three batches with keys of their own.
    assert [body for _, body in peer.attempts] == [b"\n".join(LINES), *LINES]
    assert len({key for key, _ in peer.attempts}) == 4
    assert sender.counts.accepted == 3


@pytest.mark.parametrize("connections", [1, 4])
async def test_many_small_offers_all_arrive(connections: int) -> None:
    peer = IngestPeer([refusing(503)] * 3)
    async with (
        served(peer) as url,
        Sender(url, connections=connections, say=lambda _: None) as sender,
    ):
        for _ in range(200):
            await sender.offer(LINES)
            await asyncio.sleep(0)
        assert await sender.flush(10)
    assert sender.counts.accepted == sum(peer.stored.values()) == 600

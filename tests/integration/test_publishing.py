"""From `announce` to the viewer: the publisher, the SDK and the hub over real sockets."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect

from logstream.model import LogRecord
from logstream.notify.built_in_hub import BuiltInHub
from logstream.notify.publisher import Publisher
from logstream.notify.web_pubsub import WebPubSub
from tests.hub_server import ACCESS_KEY, HUB, free_port, running_hub


def records(*bodies: str, environment: str = "production") -> list[LogRecord]:
    return [
        LogRecord(
            timestamp_unix_nano=1_767_268_800_000_000_000,
            observed_unix_nano=1_767_268_800_000_000_000,
            environment=environment,
            service_name="checkout",
            severity_number=17,
            body=body,
        )
        for body in bodies
    ]


async def until(claim: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not claim():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def publishing(connection_string: str) -> AsyncIterator[tuple[Publisher, WebPubSub]]:
    push = WebPubSub(connection_string, HUB)
    publisher = Publisher(push, window_seconds=0.02)
    publisher.start()
    try:
        yield publisher, push
    finally:
        await publisher.close()
        await push.close()


@asynccontextmanager
async def viewer(push: WebPubSub, *groups: str) -> AsyncIterator[ClientConnection]:
    access = await push.client_access("ann", groups, 60)
    async with connect(access.url, subprotocols=["json.webpubsub.azure.v1"], proxy=None) as socket:  # type: ignore[list-item]
        assert json.loads(await socket.recv())["event"] == "connected"
        yield socket


async def frame_of(socket: ClientConnection) -> Any:
    return json.loads(await socket.recv())["data"]


async def test_viewers_of_an_environment_and_of_all_are_told_what_landed() -> None:
    with running_hub() as running:
        async with (
            publishing(running.connection_string) as (publisher, push),
            viewer(push, "logs.production") as production,
            viewer(push, "logs") as everything,
        ):
            publisher.announce(7, records("card refused", "retry failed"))
            publisher.announce(9, records("disk full", environment="staging"))
            frame = await frame_of(production)
            assert [line["message"] for line in frame["lines"]] == ["card refused", "retry failed"]
            assert (frame["firstId"], frame["lastId"], frame["total"]) == (7, 8, 2)
            frames = [await frame_of(everything) for _ in range(2)]
            assert {f["environment"]: f["total"] for f in frames} == {"production": 2, "staging": 1}


async def test_the_hub_may_live_in_the_publishers_own_process_and_event_loop() -> None:
    hub = BuiltInHub(ACCESS_KEY, HUB)
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(Starlette(routes=hub.routes()), port=port, log_level="warning")
    )
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    async with (
        publishing(hub.connection_string("127.0.0.1", port)) as (publisher, push),
        viewer(push, "logs") as socket,
    ):
        for first_id in range(1, 101):
            publisher.announce(first_id, records(f"line {first_id}"))
            await asyncio.sleep(0)
        seen: list[int] = []
        while len(seen) < 100:
            seen += [line["id"] for line in (await frame_of(socket))["lines"]]
        assert seen == list(range(1, 101))
        assert publisher.frames_failed == 0
    server.should_exit = True
    await serving


async def test_an_outage_of_the_hub_costs_frames_but_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    port = free_port()
    address = BuiltInHub(ACCESS_KEY, HUB).connection_string("127.0.0.1", port)
    async with publishing(address) as (publisher, push):
        for first_id in (1, 2, 3):
            publisher.announce(first_id, records("nobody hears this"))
            await until(lambda failures=first_id: publisher.frames_failed == failures)
        assert publisher.frames_sent == 0
        assert publisher.last_error and str(port) in publisher.last_error
        with running_hub(port=port):
            async with viewer(push, "logs") as socket:
                publisher.announce(4, records("here again"))
                frame = await frame_of(socket)
        assert (frame["sequence"], frame["lines"][0]["message"]) == (4, "here again")
        await until(lambda: publisher.frames_sent == 1)
        publisher.announce(5, records("down once more"))
        await until(lambda: publisher.frames_failed == 4)
    ours = [r.message for r in caplog.records if r.name == "logstream.notify.publisher"]
    assert [message[:23] for message in ours] == [
        "pushing to viewers fail",
        "pushing works again; 3 ",
        "pushing to viewers fail",
    ]

"""One suite for every Push: what the publisher relies on, whatever carries the frames.

It runs against the built-in hub through Azure's service SDK, which is also how Azure itself
would be reached.
"""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from logstream.errors import PushFailed
from logstream.notify.frames import FrameBuilder, group_of
from logstream.notify.web_pubsub import WebPubSub
from logstream.ports import Push
from tests.hub_server import HUB, RunningHub, free_port, running_hub

ENVIRONMENTS = ["production", "team/a b", "größe.1", "%2e%2e/?#;=", ""]


@pytest.fixture(scope="module")
def running() -> Iterator[RunningHub]:
    with running_hub() as hub:
        yield hub


@pytest.fixture
async def push(running: RunningHub) -> AsyncIterator[WebPubSub]:
    push = WebPubSub(running.connection_string, HUB)
    yield push
    await push.close()


def viewing(url: str) -> connect:
    return connect(url, subprotocols=["json.webpubsub.azure.v1"], proxy=None, max_size=None)  # type: ignore[list-item]


async def received(viewer: ClientConnection) -> Any:
    return json.loads(await viewer.recv())


async def test_a_frame_reaches_everybody_in_the_group_and_nobody_else(push: WebPubSub) -> None:
    production = await push.client_access("ann", ["logs.production"], 60)
    staging = await push.client_access("bea", ["logs.staging"], 60)
    async with (
        viewing(production.url) as ann,
        viewing(production.url) as ann_again,
        viewing(staging.url) as bea,
    ):
        for viewer in (ann, ann_again, bea):
            assert (await received(viewer))["event"] == "connected"
        frame = {"type": "frame", "sequence": 1, "lines": [{"message": "größe 🙂 \u2028"}]}
        as_port: Push = push
        await as_port.send("logs.production", frame)
        await as_port.send("logs.staging", {"type": "frame", "sequence": 9})
        for viewer in (ann, ann_again):
            message = await received(viewer)
            assert message["data"] == frame and message["group"] == "logs.production"
        assert (await received(bea))["data"]["sequence"] == 9


@pytest.mark.parametrize("environment", [None, *ENVIRONMENTS])
async def test_the_group_of_any_environment_can_be_sent_to_and_joined(
    push: WebPubSub, environment: str | None
) -> None:
    group = group_of(environment)
    access = await push.client_access("ann", [group], 60)
    async with viewing(access.url) as viewer:
        await received(viewer)
        await push.send(group, {"for": environment})
        assert (await received(viewer))["data"] == {"for": environment}
        # Its role lets it leave and come back, as clients do after a reconnect.
        for ack_id, kind in enumerate(["leaveGroup", "joinGroup"]):
            await viewer.send(json.dumps({"type": kind, "group": group, "ackId": ack_id}))
            assert await received(viewer) == {"type": "ack", "ackId": ack_id, "success": True}


async def test_frames_arrive_in_the_order_they_were_sent(push: WebPubSub) -> None:
    access = await push.client_access("ann", ["logs"], 60)
    async with viewing(access.url) as viewer:
        await received(viewer)
        for n in range(50):
            await push.send("logs", {"n": n})
        assert [(await received(viewer))["data"]["n"] for _ in range(50)] == list(range(50))


async def test_the_largest_frame_gets_through(push: WebPubSub) -> None:
    # 256 KiB counted as UTF-8 is the most a frame may hold; the SDK writes each of these
    # three-byte characters as six.
    frame = {"lines": ["€" * (FrameBuilder()._max_frame_bytes // 3)]}
    access = await push.client_access("ann", ["logs"], 60)
    async with viewing(access.url) as viewer:
        await received(viewer)
        await push.send("logs", frame)
        assert (await received(viewer))["data"] == frame


async def test_a_group_without_members_takes_frames(push: WebPubSub) -> None:
    await push.send("logs.nobody-looks-here", {"n": 1})


async def test_a_viewer_may_only_join_what_its_ticket_names(push: WebPubSub) -> None:
    access = await push.client_access("ann", ["logs.production"], 60)
    async with viewing(access.url) as viewer:
        assert (await received(viewer))["userId"] == "ann"
        await viewer.send('{"type":"joinGroup","group":"logs","ackId":1}')
        assert (await received(viewer))["error"]["name"] == "Forbidden"
        sending = {"type": "sendToGroup", "group": "logs.production", "data": 1, "ackId": 2}
        await viewer.send(json.dumps({**sending, "dataType": "json"}))
        assert (await received(viewer))["error"]["name"] == "Forbidden"


async def test_a_ticket_says_when_it_expires(push: WebPubSub) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    access = await push.client_access("ann", ["logs"], 5)
    after = datetime.now(UTC)
    assert before + timedelta(minutes=5) <= access.expires_at <= after + timedelta(minutes=5)
    assert access.url.endswith(f"/client/hubs/{HUB}?access_token={access.token}")
    assert access.url.startswith("ws://127.0.0.1:")


async def test_sending_fails_with_an_error_when_nobody_listens_or_the_key_is_wrong(
    running: RunningHub,
) -> None:
    nobody = running.hub.connection_string("127.0.0.1", free_port())
    wrong = running.connection_string.replace("a-key", "b-key")
    for connection_string, said in (
        (nobody, "cannot be reached"),
        (wrong, "refuses the access key"),
    ):
        push = WebPubSub(connection_string, HUB)
        with pytest.raises(PushFailed, match=said) as failed:
            await push.send("logs", {"n": 1})
        assert "-key" not in failed.value.message.replace("access key", "")
        await push.close()

"""The built-in hub over real sockets, spoken to by Azure's own service and client SDKs."""

import base64
import gc
import json
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import jwt
import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
)
from azure.messaging.webpubsubclient import WebPubSubClient, WebPubSubClientCredential
from azure.messaging.webpubsubclient.models import (
    CallbackType,
    SendMessageError,
    WebPubSubDataType,
    WebPubSubProtocolType,
)
from azure.messaging.webpubsubservice import WebPubSubServiceClient
from azure.messaging.webpubsubservice.aio import WebPubSubServiceClient as AsyncServiceClient
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from logstream.errors import SettingsError
from logstream.notify.built_in_hub import BuiltInHub
from tests.broken_sockets import broken_sockets
from tests.hub_server import ACCESS_KEY, HUB, RunningHub, running_hub, wait_until

JSON = "json.webpubsub.azure.v1"
RELIABLE = "json.reliable.webpubsub.azure.v1"
# Azure's Python client leaves the socket of a closed connection to the garbage collector, and
# its acknowledging thread ends with an exception when the line breaks under it.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings(
        r"ignore:Exception in thread .*\(sequence_id_ack_periodically\)"
        ":pytest.PytestUnhandledThreadExceptionWarning"
    ),
]
BOTH = (WebPubSubProtocolType.JSON, WebPubSubProtocolType.JSON_RELIABLE)


@pytest.fixture(autouse=True)
def left_sockets_are_closed() -> Iterator[None]:
    """Azure's client forgets the socket of a broken line; here, not in another test's midst."""
    before = broken_sockets()
    yield
    for forgotten in broken_sockets() - before:
        forgotten.close()


@pytest.fixture(scope="module")
def running() -> Iterator[RunningHub]:
    with running_hub() as hub:
        yield hub
    gc.collect()  # here, so that no other module's test finds those sockets


@pytest.fixture
def service(running: RunningHub) -> Iterator[WebPubSubServiceClient]:
    with running.service() as client:
        yield client


@contextmanager
def listening(
    running: RunningHub,
    *groups: str,
    protocol: WebPubSubProtocolType = WebPubSubProtocolType.JSON,
    **options: Any,
) -> Iterator[tuple[WebPubSubClient, "queue.Queue[Any]"]]:
    """Azure's client, connected, and the queue of what it hears."""
    heard: queue.Queue[Any] = queue.Queue()
    is_over = threading.Event()
    client = WebPubSubClient(
        WebPubSubClientCredential(ticket_until(is_over, running, *groups, **options)),
        protocol_type=protocol,
        message_retry_total=0,
        # It may miss its own wake-up when the answer is faster than its next statement; then
        # it waits this long (its default is 30 s) and finds the answer there.
        start_timeout=3,
        ack_timeout=3,
        reconnect_retry_backoff_factor=0.1,
        reconnect_retry_total=100,
    )
    client.subscribe(CallbackType.GROUP_MESSAGE, heard.put)
    client.subscribe(CallbackType.SERVER_MESSAGE, heard.put)
    client.open()
    try:
        wait_until(lambda: client._connection_id, "the client knows its connection id")
        yield client, heard
    finally:
        is_over.set()
        client.close()


def ticket_until(
    is_over: threading.Event, running: RunningHub, *groups: str, **options: Any
) -> Callable[[], str]:
    """Gives client URLs, but none after the end: a closed client may yet try to reconnect."""

    def ticket() -> str:
        if is_over.is_set():
            raise OSError("the test is over")
        return running.client_url(*groups, **options)

    return ticket


def raw_socket(url: str, subprotocol: str | None = JSON, **options: Any) -> ClientConnection:
    return connect(
        url, subprotocols=[subprotocol] if subprotocol else None, proxy=None, legacy=True, **options
    )


def received(socket: ClientConnection) -> Any:
    return json.loads(socket.recv(timeout=10))


def ask(socket: ClientConnection, **frame: Any) -> Any:
    socket.send(json.dumps(frame))
    return received(socket)


def closed(socket: ClientConnection) -> tuple[int, str]:
    """Read until the hub closes; its code and reason."""
    try:
        while True:
            socket.recv(timeout=10)
    except ConnectionClosed as error:
        assert error.rcvd is not None
        return error.rcvd.code, error.rcvd.reason


@pytest.mark.parametrize("protocol", BOTH)
def test_a_frame_sent_to_a_group_reaches_the_members_named_by_their_token(
    running: RunningHub, service: WebPubSubServiceClient, protocol: WebPubSubProtocolType
) -> None:
    with (
        listening(running, "logs.production", protocol=protocol) as (_, heard),
        listening(running, "logs.staging", protocol=protocol) as (_, other),
    ):
        frame = {"type": "frame", "lines": [{"message": "größe € 🙂 </script>"}]}
        service.send_to_group("logs.production", frame, content_type="application/json")
        message = heard.get(timeout=10)
        assert message.data == frame
        assert message.group == "logs.production"
        assert message.data_type == "json"
        service.send_to_group("logs.staging", {"n": 2}, content_type="application/json")
        assert other.get(timeout=10).data == {"n": 2}
        assert heard.empty() and other.empty()


async def test_the_asynchronous_service_client_works_too(running: RunningHub) -> None:
    with listening(running, "logs") as (_, heard):
        async with AsyncServiceClient.from_connection_string(
            running.connection_string, HUB
        ) as service:
            await service.send_to_group("logs", {"n": 1}, content_type="application/json")
            assert await service.group_exists("logs")
        assert heard.get(timeout=10).data == {"n": 1}


def test_text_and_bytes_keep_their_type(
    running: RunningHub, service: WebPubSubServiceClient
) -> None:
    with (
        listening(running, "logs") as (_, heard),
        raw_socket(running.client_url("logs"), None) as raw,
    ):
        wait_until(lambda: running.hub.connections >= 2, "both are connected")
        service.send_to_group("logs", 'say "hi" \\ €', content_type="text/plain")
        service.send_to_group("logs", b"\x00\xff\x10", content_type="application/octet-stream")
        first, second = heard.get(timeout=10), heard.get(timeout=10)
        by_type = {message.data_type: message.data for message in (first, second)}
        assert by_type["text"] == 'say "hi" \\ €'
        assert bytes(by_type["binary"]) == b"\x00\xff\x10"
        assert raw.recv(timeout=10) == 'say "hi" \\ €'
        assert raw.recv(timeout=10) == b"\x00\xff\x10"


def test_the_service_sends_to_everybody_a_user_or_a_connection_but_not_the_excluded(
    running: RunningHub, service: WebPubSubServiceClient
) -> None:
    with (
        listening(running, user_id="bea") as (bea, bea_heard),
        listening(running, user_id="cem") as (cem, cem_heard),
    ):
        service.send_to_all({"to": "all but cem"}, excluded=[cem._connection_id])
        service.send_to_user("cem", {"to": "cem"})
        service.send_to_connection(bea._connection_id, {"to": "one"})
        assert cem_heard.get(timeout=10).data == {"to": "cem"}
        # The client calls back from a thread for each message, so their order is not kept.
        told = [bea_heard.get(timeout=10).data["to"] for _ in range(2)]
        assert sorted(told) == ["all but cem", "one"]
        with pytest.raises(ResourceNotFoundError):
            service.send_to_connection("nobody", {"to": "nobody"})


def test_a_filter_is_refused_rather_than_ignored(service: WebPubSubServiceClient) -> None:
    with pytest.raises(HttpResponseError, match="filter 'userId eq null' is not supported"):
        service.send_to_all({"n": 1}, filter="userId eq null")


def test_clients_join_and_leave_what_their_roles_allow(
    running: RunningHub, service: WebPubSubServiceClient
) -> None:
    roles = ("webpubsub.joinLeaveGroup.logs.staging",)
    with listening(running, roles=roles) as (client, heard):
        client.join_group("logs.staging")
        service.send_to_group("logs.staging", {"n": 1})
        assert heard.get(timeout=10).data == {"n": 1}
        client.leave_group("logs.staging")
        assert not service.group_exists("logs.staging")
        with pytest.raises(SendMessageError) as refused:
            client.join_group("logs.production")
        assert refused.value.error_detail.name == "Forbidden"
        with pytest.raises(SendMessageError) as refused:
            client.send_to_group("logs.staging", {"n": 2}, WebPubSubDataType.JSON)
        assert refused.value.error_detail.name == "Forbidden"


def test_clients_send_to_groups_with_and_without_echo(running: RunningHub) -> None:
    roles = ("webpubsub.sendToGroup", "webpubsub.joinLeaveGroup")
    with (
        listening(running, "room", user_id="bea", roles=roles) as (bea, bea_heard),
        listening(running, "room", user_id="cem") as (_, cem_heard),
    ):
        bea.send_to_group("room", {"n": 1}, WebPubSubDataType.JSON, no_echo=True)
        message = cem_heard.get(timeout=10)
        assert (message.data, message.from_user_id) == ({"n": 1}, "bea")
        bea.send_to_group("room", "plain", WebPubSubDataType.TEXT)
        assert bea_heard.get(timeout=10).data == "plain"
        assert cem_heard.get(timeout=10).data == "plain"
        bea.send_to_group("room", memoryview(b"\x01\x02"), WebPubSubDataType.BINARY)
        assert bytes(bea_heard.get(timeout=10).data) == b"\x01\x02"


def test_the_service_manages_groups_permissions_and_connections(
    running: RunningHub, service: WebPubSubServiceClient
) -> None:
    with listening(running, user_id="dora") as (client, heard):
        connection_id = client._connection_id
        assert service.connection_exists(connection_id) and service.user_exists("dora")
        assert not service.connection_exists("nobody")
        assert not service.user_exists("nobody")
        assert not service.group_exists("ops")

        service.add_connection_to_group("ops", connection_id)
        assert service.group_exists("ops")
        assert [
            (member.connection_id, member.user_id)
            for member in service.list_connections(group="ops")
        ] == [(connection_id, "dora")]
        service.remove_connection_from_group("ops", connection_id)
        assert not service.group_exists("ops")

        service.add_user_to_group("ops", "dora")
        service.send_to_group("ops", {"n": 1})
        assert heard.get(timeout=10).data == {"n": 1}
        service.remove_user_from_group("ops", "dora")
        assert not service.group_exists("ops")
        service.add_user_to_group("ops", "dora")
        service.remove_user_from_all_groups("dora")
        service.add_connection_to_group("ops", connection_id)
        service.remove_connection_from_all_groups(connection_id)
        assert not service.group_exists("ops")
        with pytest.raises(ResourceNotFoundError):
            service.add_connection_to_group("ops", "nobody")
        with pytest.raises(ResourceNotFoundError):
            service.add_user_to_group("ops", "nobody")

        target = {"target_name": "ops"}
        assert not service.has_permission("joinLeaveGroup", connection_id, **target)
        service.grant_permission("joinLeaveGroup", connection_id, **target)
        assert service.has_permission("joinLeaveGroup", connection_id, **target)
        client.join_group("ops")
        service.revoke_permission("joinLeaveGroup", connection_id, **target)
        assert not service.has_permission("joinLeaveGroup", connection_id, **target)
        with pytest.raises(SendMessageError):
            client.leave_group("ops")
        with pytest.raises(HttpResponseError, match="permission 'fly' is not known"):
            service.grant_permission("fly", connection_id)


def test_members_are_listed_in_pages(running: RunningHub, service: WebPubSubServiceClient) -> None:
    sockets = [raw_socket(running.client_url("paged")) for _ in range(5)]
    try:
        ids = [received(socket)["connectionId"] for socket in sockets]
        pages = service.list_connections(group="paged", maxpagesize=2).by_page()
        assert [[member.connection_id for member in page] for page in pages] == [
            ids[:2],
            ids[2:4],
            ids[4:],
        ]
        first = service.list_connections(group="paged", top=3)
        assert [member.connection_id for member in first] == ids[:3]
    finally:
        for socket in sockets:
            socket.close()


def test_a_connection_closed_by_the_service_is_told_and_comes_back_as_a_new_one(
    running: RunningHub, service: WebPubSubServiceClient
) -> None:
    with raw_socket(running.client_url()) as socket:
        connection_id = received(socket)["connectionId"]
        service.close_connection(connection_id, reason="maintenance")
        assert received(socket) == {
            "type": "system",
            "event": "disconnected",
            "message": "maintenance",
        }
        assert closed(socket) == (1000, "maintenance")
        assert not service.connection_exists(connection_id)
    with listening(running, "logs", protocol=WebPubSubProtocolType.JSON_RELIABLE) as (
        client,
        heard,
    ):
        before = client._connection_id
        service.close_connection(before)
        wait_until(lambda: client._connection_id not in (None, before), "a new connection")
        service.send_to_group("logs", {"n": 1})
        assert heard.get(timeout=10).data == {"n": 1}


def test_closing_a_group_a_user_or_all_spares_the_excluded(
    running: RunningHub, service: WebPubSubServiceClient
) -> None:
    def opened(*groups: str, user_id: str) -> tuple[ClientConnection, str]:
        socket = raw_socket(running.client_url(*groups, user_id=user_id))
        return socket, received(socket)["connectionId"]

    (eve, _), (fay, fay_id) = opened("crowd", user_id="eve"), opened("crowd", user_id="fay")
    (gus, _), (hal, hal_id) = opened(user_id="gus"), opened(user_id="hal")
    service.close_group_connections("crowd", excluded=[fay_id])
    assert closed(eve)[0] == 1000 and service.connection_exists(fay_id)
    service.close_user_connections("gus")
    assert closed(gus)[0] == 1000
    service.close_all_connections(excluded=[hal_id])
    assert closed(fay)[0] == 1000 and service.connection_exists(hal_id)
    for socket in (eve, fay, gus, hal):
        socket.close()


def test_a_wrong_key_is_refused_on_both_sides(running: RunningHub) -> None:
    wrong = running.connection_string.replace(
        ACCESS_KEY, "another-key-that-is-just-as-long-0123456"
    )
    with WebPubSubServiceClient.from_connection_string(wrong, HUB, retry_total=0) as service:
        with pytest.raises(ClientAuthenticationError):
            service.send_to_all({"n": 1})
        url = service.get_client_access_token(user_id="mallory")["url"]
    with pytest.raises(InvalidStatus) as refused:
        raw_socket(url)
    assert refused.value.response.status_code == 401


def token_for(running: RunningHub, path: str, **claims: Any) -> str:
    address = f"http://127.0.0.1:{running.port}{path}"
    claims = {"aud": address, "exp": int(time.time()) + 60, **claims}
    return jwt.encode(claims, ACCESS_KEY, algorithm="HS256")


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": 1_700_000_000},
        {"aud": "http://127.0.0.1/client/hubs/other"},
        {"aud": "http://127.0.0.1/api/hubs/logstream/:send"},
        {"aud": 17},
    ],
    ids=["expired", "another hub", "another use", "no audience"],
)
def test_a_client_token_that_is_expired_or_meant_for_something_else_is_refused(
    running: RunningHub, claims: dict[str, Any]
) -> None:
    token = token_for(running, f"/client/hubs/{HUB}", **claims)
    with pytest.raises(InvalidStatus) as refused:
        raw_socket(f"ws://127.0.0.1:{running.port}/client/hubs/{HUB}?access_token={token}")
    assert refused.value.response.status_code == 401


def test_requests_are_refused_without_a_fitting_token(running: RunningHub) -> None:
    base = f"http://127.0.0.1:{running.port}"
    path = f"/api/hubs/{HUB}/groups/logs/:send"
    expired = token_for(running, path, exp=1_700_000_000)
    elsewhere = token_for(running, f"/api/hubs/{HUB}/:send")
    unsigned = jwt.encode({"aud": base + path, "exp": int(time.time()) + 60}, "", algorithm="none")
    for header in ({}, *({"Authorization": f"Bearer {t}"} for t in (expired, elsewhere, unsigned))):
        reply = httpx.post(base + path, json={"n": 1}, headers=header, trust_env=False)
        assert reply.status_code == 401
        assert reply.json()["error"]["code"] == "unauthorized"
    with pytest.raises(InvalidStatus):
        raw_socket(f"ws://127.0.0.1:{running.port}/client/hubs/{HUB}")


@pytest.mark.parametrize(
    ("path", "body", "content_type", "status", "code"),
    [
        ("groups/logs/:send", b'{"n":', "application/json", 400, "bad_request"),
        ("groups/logs/:send", b"[" * 100_000, "application/json", 400, "bad_request"),
        ("groups/logs/:send", b'"\xff"', "application/json", 400, "bad_request"),
        ("groups/logs/:send", b"\xff", "text/plain", 400, "bad_request"),
        ("groups/logs/:send", b"n=1", "application/x-www-form-urlencoded", 415, "unsupported"),
        ("groups/logs/:send", b" " * 1_048_577, "text/plain", 413, "too_large"),
        (f"groups/{'g' * 1025}/:send", b"1", "application/json", 400, "bad_request"),
    ],
)
def test_bad_requests_are_answered_with_what_was_wrong(
    running: RunningHub, path: str, body: bytes, content_type: str, status: int, code: str
) -> None:
    path = f"/api/hubs/{HUB}/{path}"
    reply = httpx.post(
        f"http://127.0.0.1:{running.port}{path}",
        content=body,
        headers={
            "Content-Type": content_type,
            "Authorization": f"Bearer {token_for(running, path)}",
        },
        trust_env=False,
    )
    assert reply.status_code == status
    error = reply.json()["error"]
    assert error["code"].startswith(code) and error["message"] and error["hint"]


def test_another_hubs_name_is_not_served(running: RunningHub) -> None:
    with (
        WebPubSubServiceClient.from_connection_string(running.connection_string, "other") as other,
        pytest.raises(ResourceNotFoundError, match="hub 'other' is not served here"),
    ):
        other.send_to_all({"n": 1})


def test_a_token_made_by_the_hub_opens_a_connection(running: RunningHub) -> None:
    path = f"/api/hubs/{HUB}/:generateToken"
    reply = httpx.post(
        f"http://127.0.0.1:{running.port}{path}",
        params={"userId": "ida", "group": ["a", "b"], "role": "webpubsub.sendToGroup.a"},
        headers={"Authorization": f"Bearer {token_for(running, path)}"},
        trust_env=False,
    )
    token = reply.json()["token"]
    with raw_socket(
        f"ws://127.0.0.1:{running.port}/client/hubs/{HUB}?access_token={token}"
    ) as socket:
        assert received(socket)["userId"] == "ida"
        assert ask(socket, type="sendToGroup", group="a", dataType="json", data=[1, None]) == {
            "type": "message",
            "from": "group",
            "group": "a",
            "fromUserId": "ida",
            "dataType": "json",
            "data": [1, None],
        }


def test_a_raw_client_gets_bare_payloads_and_its_own_messages_are_harmless(
    running: RunningHub, service: WebPubSubServiceClient
) -> None:
    with raw_socket(running.client_url("bare"), None) as socket:
        wait_until(lambda: service.group_exists("bare"), "the raw client is a member")
        socket.send("hello, is there anybody")
        socket.send(b"\x00\x01")
        service.send_to_group("bare", {"n": [1, 2]})
        assert json.loads(socket.recv(timeout=10)) == {"n": [1, 2]}


@pytest.mark.parametrize(
    ("garbage", "code"),
    [
        ("", 1007),
        ("hello", 1007),
        ("[]", 1007),
        ('{"type":5}', 1007),
        ('{"group":"a"}', 1007),
        ("[" * 100_000, 1007),
        ('{"type":"joinGroup","group":{"a":1}}', 1007),
        (b"\x00\xff", 1007),
        ("x" * 1_100_000, 1009),
    ],
    ids=lambda value: str(value)[:20],
)
@pytest.mark.parametrize("subprotocol", [JSON, RELIABLE])
def test_a_garbage_frame_closes_its_own_connection_only(
    running: RunningHub,
    service: WebPubSubServiceClient,
    garbage: str | bytes,
    code: int,
    subprotocol: str,
) -> None:
    with (
        raw_socket(running.client_url("logs")) as bystander,
        raw_socket(running.client_url("logs"), subprotocol) as socket,
    ):
        received(bystander)
        assert received(socket)["event"] == "connected"
        socket.send(garbage)
        assert received(socket)["event"] == "disconnected"
        assert closed(socket)[0] == code
        service.send_to_group("logs", {"still": "here"})
        assert received(bystander)["data"] == {"still": "here"}


@pytest.mark.parametrize(
    ("frame", "name"),
    [
        ({"type": "joinGroup", "ackId": 1}, "BadRequest"),
        ({"type": "joinGroup", "group": 5, "ackId": 1}, "BadRequest"),
        ({"type": "joinGroup", "group": "g" * 1025, "ackId": 1}, "BadRequest"),
        ({"type": "dance", "ackId": 1}, "BadRequest"),
        (
            {"type": "event", "event": "click", "dataType": "text", "data": "x", "ackId": 1},
            "NotFound",
        ),
        (
            {"type": "sendToGroup", "group": "a", "dataType": "text", "data": 5, "ackId": 1},
            "BadRequest",
        ),
        (
            {"type": "sendToGroup", "group": "a", "dataType": "binary", "data": "!", "ackId": 1},
            "BadRequest",
        ),
        ({"type": "sendToGroup", "group": "a", "dataType": "json", "ackId": 1}, "BadRequest"),
        (
            {"type": "sendToGroup", "group": "a", "dataType": "soup", "data": "", "ackId": 1},
            "BadRequest",
        ),
    ],
)
def test_what_cannot_be_done_is_acknowledged_as_an_error_and_the_connection_stays(
    running: RunningHub, frame: dict[str, Any], name: str
) -> None:
    roles = ("webpubsub.joinLeaveGroup", "webpubsub.sendToGroup")
    with raw_socket(running.client_url(roles=roles)) as socket:
        received(socket)
        answer = ask(socket, **frame)
        assert (answer["type"], answer["ackId"], answer["success"]) == ("ack", 1, False)
        assert answer["error"]["name"] == name and answer["error"]["message"]
        assert ask(socket, type="ping") == {"type": "pong"}


def test_a_repeated_ack_id_is_answered_as_duplicate_and_not_done_again(
    running: RunningHub,
) -> None:
    with raw_socket(running.client_url("a", roles=("webpubsub.sendToGroup.a",))) as socket:
        received(socket)
        frame = {"type": "sendToGroup", "group": "a", "dataType": "text", "data": "once"}
        socket.send(json.dumps({**frame, "ackId": 7}))
        kinds = sorted(received(socket)["type"] for _ in range(2))
        assert kinds == ["ack", "message"]
        answer = ask(socket, **frame, ackId=7)
        assert (answer["success"], answer["error"]["name"]) == (False, "Duplicate")
        assert ask(socket, type="ping") == {"type": "pong"}


def test_base64_data_reaches_a_raw_client_as_bytes(running: RunningHub) -> None:
    with (
        raw_socket(running.client_url("mixed"), None) as raw,
        raw_socket(running.client_url(roles=("webpubsub.sendToGroup",))) as sender,
    ):
        received(sender)
        data = base64.b64encode(b"\x00\xfe").decode()
        ask(sender, type="sendToGroup", group="mixed", dataType="binary", data=data, ackId=1)
        assert raw.recv(timeout=10) == b"\x00\xfe"


def cut_off(socket: ClientConnection) -> None:
    """Break the line without a goodbye."""
    socket.socket.shutdown(2)
    socket.close()


def resumed(url: str, connected: dict[str, Any], token: str | None = None) -> ClientConnection:
    return raw_socket(
        f"{url}&awps_connection_id={connected['connectionId']}"
        f"&awps_reconnection_token={token or connected['reconnectionToken']}",
        RELIABLE,
    )


def test_a_reliable_client_that_was_cut_off_gets_everything_it_had_not_acknowledged(
    running: RunningHub, service: WebPubSubServiceClient
) -> None:
    url = running.client_url("logs")
    socket = raw_socket(url, RELIABLE)
    connected = received(socket)
    for n in (1, 2, 3):
        service.send_to_group("logs", {"n": n})
        assert received(socket)["sequenceId"] == n
    socket.send('{"type":"sequenceAck","sequenceId":2}')
    assert ask(socket, type="ping") == {"type": "pong"}  # so the acknowledgement was read
    cut_off(socket)
    wait_until(lambda: not service.connection_exists(connected["connectionId"]), "it is away")
    for n in (4, 5):
        service.send_to_group("logs", {"n": n})
    with resumed(url, connected) as socket:
        again = received(socket)
        assert again["connectionId"] == connected["connectionId"]
        assert again["reconnectionToken"] == connected["reconnectionToken"]
        messages = [received(socket) for _ in range(3)]
        assert [(m["sequenceId"], m["data"]["n"]) for m in messages] == [(3, 3), (4, 4), (5, 5)]
        service.send_to_group("logs", {"n": 6})
        assert received(socket)["sequenceId"] == 6


def test_a_line_that_breaks_again_before_the_client_heard_anything_costs_nothing(
    running: RunningHub, service: WebPubSubServiceClient
) -> None:
    url = running.client_url("logs")
    socket = raw_socket(url, RELIABLE)
    connected = received(socket)
    for _ in range(3):
        cut_off(socket)
        wait_until(lambda: not service.connection_exists(connected["connectionId"]), "it is away")
        service.send_to_group("logs", {"n": 1})
        socket = resumed(url, connected)  # what the client knew first, never anything newer
    assert received(socket)["connectionId"] == connected["connectionId"]
    assert [received(socket)["sequenceId"] for _ in range(3)] == [1, 2, 3]
    socket.close()


def test_a_session_that_is_not_known_is_closed_with_1008(
    running: RunningHub, service: WebPubSubServiceClient
) -> None:
    url = running.client_url("logs")
    with raw_socket(url, RELIABLE) as socket:
        connected = received(socket)
        with resumed(url, connected, token="guessed") as thief:
            assert closed(thief)[0] == 1008
        with resumed(url, {**connected, "connectionId": "nobody"}) as stranger:
            assert closed(stranger)[0] == 1008
        service.send_to_group("logs", {"n": 1})
        assert received(socket)["data"] == {"n": 1}
    # A client that says goodbye (1000) gives its session back.
    wait_until(lambda: not service.connection_exists(connected["connectionId"]), "it left")
    with resumed(url, connected) as late:
        assert closed(late)[0] == 1008


def test_a_newer_socket_of_a_session_replaces_the_older_one(running: RunningHub) -> None:
    url = running.client_url("logs")
    with raw_socket(url, RELIABLE) as older:
        connected = received(older)
        with resumed(url, connected) as newer:
            assert received(newer)["connectionId"] == connected["connectionId"]
            assert closed(older)[0] == 1000
            assert ask(newer, type="ping") == {"type": "pong"}


def test_a_session_is_forgotten_after_its_time_or_when_too_much_waits_for_it() -> None:
    with running_hub(recovery_seconds=0.2) as running, running.service() as service:
        url = running.client_url("logs")
        socket = raw_socket(url, RELIABLE)
        connected = received(socket)
        cut_off(socket)
        state = running.hub._state
        wait_until(lambda: state.find(connected["connectionId"]) is None, "it is forgotten")
        with resumed(url, connected) as late:
            assert closed(late)[0] == 1008
    with running_hub(max_queue_bytes=100_000) as running, running.service() as service:
        url = running.client_url("logs")
        socket = raw_socket(url, RELIABLE)
        connected = received(socket)
        cut_off(socket)
        wait_until(lambda: running.hub.connections == 0, "it is away")
        for _ in range(6):  # six of 10,000 bytes are more than the half kept for recovery
            service.send_to_group("logs", "x" * 10_000, content_type="text/plain")
        with resumed(url, connected) as late:
            assert closed(late)[0] == 1008


def test_azures_reliable_client_recovers_without_losing_or_reordering_anything(
    running: RunningHub, service: WebPubSubServiceClient
) -> None:
    with listening(running, "logs", protocol=WebPubSubProtocolType.JSON_RELIABLE) as (
        client,
        heard,
    ):
        connection_id = client._connection_id
        broken = None
        for n in range(300):
            if n in (50, 150, 250):
                wait_until(
                    lambda last=broken: client._ws is not last and client.is_connected(),
                    "it is connected",
                )
                broken = client._ws
                broken.sock.sock.shutdown(2)  # the line breaks without a goodbye
            service.send_to_group("logs", {"n": n})
        messages = [heard.get(timeout=20) for _ in range(300)]
        # The client calls back from a thread for each message; its sequence ids tell the order.
        messages.sort(key=lambda message: message.sequence_id)
        assert [message.data["n"] for message in messages] == list(range(300))
        assert [message.sequence_id for message in messages] == list(range(1, 301))
        assert client._connection_id == connection_id
        assert heard.empty()


def test_clients_come_back_after_the_hub_was_restarted_and_forgot_them() -> None:
    with running_hub() as first:
        port = first.port
        heard: queue.Queue[Any] = queue.Queue()
        is_over = threading.Event()
        client = WebPubSubClient(
            WebPubSubClientCredential(ticket_until(is_over, first, "logs")),
            start_timeout=3,
            reconnect_retry_total=100,
            reconnect_retry_backoff_factor=0.1,
            reconnect_retry_backoff_max=0.5,
        )
        client.subscribe(CallbackType.GROUP_MESSAGE, heard.put)
        client.open()
        with first.service() as service:
            service.send_to_group("logs", {"n": 1})
        assert heard.get(timeout=10).data == {"n": 1}
    with running_hub(port=port) as second, second.service() as service:
        wait_until(lambda: service.group_exists("logs"), "the client is a member again", 40)
        service.send_to_group("logs", {"n": 2})
        assert heard.get(timeout=10).data == {"n": 2}
        is_over.set()
        client.close()


def test_the_hub_counts_what_it_does() -> None:
    with running_hub() as running, running.service() as service:
        assert (running.hub.connections, running.hub.messages_sent) == (0, 0)
        with raw_socket(running.client_url("logs")) as socket:
            received(socket)
            service.send_to_group("logs", "four", content_type="text/plain")
            frame = socket.recv(timeout=10)
            wait_until(lambda: running.hub.messages_sent == 2, "connected and the message")
            assert (running.hub.slow_viewers, running.hub.messages_dropped) == (0, 0)
            assert running.hub.connections == 1
            assert running.hub.bytes_sent > len(frame)
        wait_until(lambda: running.hub.connections == 0, "it left")


def test_unusable_keys_and_names_stop_at_the_start() -> None:
    with pytest.raises(SettingsError, match="access key has 5 bytes"):
        BuiltInHub("short", HUB)
    with pytest.raises(SettingsError, match="semicolon"):
        BuiltInHub("a;" * 20, HUB)
    with pytest.raises(SettingsError, match="WEBPUBSUB_HUB=7up"):
        BuiltInHub(ACCESS_KEY, "7up")


@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_an_ipv6_address_is_bracketed_once(host: str) -> None:
    address = BuiltInHub(ACCESS_KEY, HUB).connection_string(host, 8000)
    assert address == f"Endpoint=http://[::1]:8000;AccessKey={ACCESS_KEY};Version=1.0;"

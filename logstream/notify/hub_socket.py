"""The built-in hub's client side: one WebSocket from upgrade to close.

Speaks `json.webpubsub.azure.v1`, `json.reliable.webpubsub.azure.v1` (sequence ids,
acknowledgements, recovery) and, without subprotocol, raw payloads.
"""

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

import msgspec
from starlette.responses import JSONResponse
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from logstream.notify.hub_state import (
    CLOSE_BAD_DATA,
    CLOSE_GOING_AWAY,
    CLOSE_INTERNAL,
    CLOSE_NORMAL,
    CLOSE_POLICY,
    CLOSE_TOO_BIG,
    MAX_GROUP_LENGTH,
    MAX_MESSAGE_BYTES,
    Connection,
    Goodbye,
    HubState,
    Message,
    Outbox,
    Protocol,
    Write,
)
from logstream.notify.hub_tokens import ClientClaims, TokenRefused, Tokens, same_secret

MAX_GROUPS_OF_CLIENT = 1000
CLOSE_TIMEOUT_SECONDS = 2.0
_MAX_REASON_BYTES = 123
# In the scope's extensions: a function that writes the parts of one text message and says
# True, or does nothing and says False when the socket takes no more now.
WRITE_TEXT = "logstream.write_text"

logger = logging.getLogger(__name__)


class ClientFrame(msgspec.Struct, rename="camel"):
    """What a client may send; `data` stays the JSON text it came as."""

    type: str
    ack_id: int | None = None
    group: str | None = None
    event: str | None = None
    data_type: str | None = None
    data: msgspec.Raw = msgspec.Raw()
    no_echo: bool = False
    sequence_id: int | None = None


class AckIdOnly(msgspec.Struct, rename="camel"):
    """The part of an otherwise unreadable frame that lets us answer it."""

    ack_id: int


class FrameRefused(Exception):
    """A client's frame cannot be done; `name` is the error name of the acknowledgement."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


class HubSocket:
    """Serves the clients of one hub."""

    def __init__(self, state: HubState, tokens: Tokens, hub: str) -> None:
        self._state = state
        self._tokens = tokens
        self._hub = hub

    def route(self) -> WebSocketRoute:
        """`/client/hubs/{hub}`."""
        return WebSocketRoute("/client/hubs/{hub}", self.serve)

    async def serve(self, socket: WebSocket) -> None:
        """Handle one client until either side closes."""
        try:
            claims = self._claims(socket)
        except TokenRefused as error:
            body = {
                "error": {
                    "code": "unauthorized",
                    "message": str(error),
                    "hint": "ask POST /realtime/negotiate for a fresh token",
                }
            }
            await socket.send_denial_response(JSONResponse(body, 401))
            return
        protocol = _protocol(socket)
        try:
            await socket.accept(subprotocol=protocol.value or None)
            connection = self._recovered(socket, protocol, claims)
            if connection is None:
                await socket.close(CLOSE_POLICY, "the session is not known (any more)")
                return
        except (WebSocketDisconnect, RuntimeError):
            return
        await self._converse(socket, connection)

    def _claims(self, socket: WebSocket) -> ClientClaims:
        if socket.path_params["hub"] != self._hub:
            raise TokenRefused(f"hub '{socket.path_params['hub']}' is not served here")
        token = socket.query_params.get("access_token")
        if token is None:
            token = socket.headers.get("authorization", "").removeprefix("Bearer ").strip()
        return self._tokens.client_claims(token, socket.scope["path"])

    def _recovered(
        self, socket: WebSocket, protocol: Protocol, claims: ClientClaims
    ) -> Connection | None:
        """The connection that comes back, or a new one; None when it cannot come back."""
        connection_id = socket.query_params.get("awps_connection_id")
        if connection_id is None or protocol is not Protocol.RELIABLE:
            return self._state.connect(claims.user_id, claims.roles, claims.groups, protocol)
        connection = self._state.find(connection_id)
        if connection is None or connection.user_id != claims.user_id:
            return None
        token = socket.query_params.get("awps_reconnection_token", "")
        if not connection.can_recover or not same_secret(token, connection.reconnection_token):
            return None
        return connection

    async def _converse(self, socket: WebSocket, connection: Connection) -> None:
        outbox = self._state.attach(connection, self._writer_of(socket, connection.protocol))
        if connection.protocol is not Protocol.RAW:
            outbox.put(_connected(connection))
        for sequence_id, message in connection.unacknowledged():
            outbox.put(message, sequence_id)
        reader = asyncio.create_task(self._read(socket, connection, outbox))
        writer = asyncio.create_task(self._write(socket, connection, outbox))
        closing = asyncio.create_task(outbox.closing.wait())
        tasks = (reader, writer, closing)
        can_return = True
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            for outcome in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(outcome, WebSocketDisconnect):
                    # A client that says goodbye does not come back; one that is cut off may.
                    can_return = outcome.code not in (CLOSE_NORMAL, CLOSE_GOING_AWAY)
                elif isinstance(outcome, Exception):
                    logger.error("a viewer's connection failed", exc_info=outcome)
                    outbox.close(Goodbye(CLOSE_INTERNAL, "internal error"))
            self._state.detach(connection, outbox, can_return=can_return)
        if outbox.goodbye is not None:
            await _say_goodbye(socket, connection.protocol, outbox.goodbye)

    def _writer_of(self, socket: WebSocket, protocol: Protocol) -> Write | None:
        """Writes without a task in between and without a copy for each receiver.

        None where the server below does not offer it (WRITE_TEXT).
        """
        write_text: Callable[[list[bytes]], bool] | None = socket.scope.get("extensions", {}).get(
            WRITE_TEXT
        )
        if write_text is None or protocol is Protocol.RAW:
            return None
        state = self._state

        def write(item: Message | str, sequence_id: int) -> bool:
            if isinstance(item, str):
                parts = [item.encode()]
            elif protocol is Protocol.RELIABLE:
                parts = [item.encoded, b',"sequenceId":%d}' % sequence_id]
            else:
                parts = [item.encoded, b"}"]
            if not write_text(parts):
                return False
            state.messages_sent += 1
            state.bytes_sent += sum(map(len, parts))
            return True

        return write

    async def _write(self, socket: WebSocket, connection: Connection, outbox: Outbox) -> None:
        while True:
            sequence_id, item = await outbox.get()
            rendered = (
                item.rendered(connection.protocol, sequence_id)
                if isinstance(item, Message)
                else item
            )
            try:
                if isinstance(rendered, str):
                    await socket.send_text(rendered)
                else:
                    await socket.send_bytes(rendered)
            except RuntimeError as error:
                # The server below has closed the socket itself, over a frame that is no
                # frame or too long, and did not tell us yet.
                raise WebSocketDisconnect(CLOSE_INTERNAL) from error
            outbox.written()
            self._state.messages_sent += 1
            self._state.bytes_sent += len(rendered)

    async def _read(self, socket: WebSocket, connection: Connection, outbox: Outbox) -> None:
        while outbox.goodbye is None:
            event = await socket.receive()
            if event["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(event.get("code") or CLOSE_GOING_AWAY)
            # A raw client's payloads are events for an upstream handler; there is none here.
            if connection.protocol is Protocol.RAW:
                continue
            text = event.get("text")
            if text is None:
                goodbye = Goodbye(CLOSE_BAD_DATA, "binary message in a JSON subprotocol", True)
            elif len(text) > MAX_MESSAGE_BYTES:
                goodbye = Goodbye(CLOSE_TOO_BIG, f"message over {MAX_MESSAGE_BYTES} bytes", True)
            else:
                answer = self._answer(text, connection)
                if isinstance(answer, str) and not outbox.put(answer):
                    # It asks faster than it reads.
                    self._state.slow_viewers_dropped += 1
                    goodbye = Goodbye(CLOSE_POLICY, "answers are not read")
                elif isinstance(answer, Goodbye):
                    goodbye = answer
                else:
                    continue
            self._state.close(connection, goodbye)

    def _answer(self, text: str, connection: Connection) -> str | Goodbye | None:
        """The frame to send back, if any; a Goodbye for what cannot be read."""
        ack_id = None
        try:
            frame = _parsed(text)
            ack_id = frame.ack_id
            if frame.type == "ping":
                return '{"type":"pong"}'
            if ack_id is not None and connection.is_repeated(ack_id):
                raise FrameRefused("Duplicate", f"ackId {ack_id} was used before")
            self._obey(frame, connection)
        except FrameRefused as error:
            return _ack(ack_id, error) if ack_id is not None else None
        except msgspec.DecodeError as error:
            ack_id = _ack_id_of(text)
            if ack_id is None:
                return Goodbye(CLOSE_BAD_DATA, f"invalid message: {error}", announced=True)
            return _ack(ack_id, FrameRefused("BadRequest", str(error)))
        return _ack(ack_id) if ack_id is not None else None

    def _obey(self, frame: ClientFrame, connection: Connection) -> None:
        match frame.type:
            case "sequenceAck":
                if frame.sequence_id is not None:
                    connection.acknowledge(frame.sequence_id)
            case "joinGroup":
                group = _permitted(frame, connection, "joinLeaveGroup")
                if len(connection.groups) >= MAX_GROUPS_OF_CLIENT:
                    raise FrameRefused("BadRequest", f"more than {MAX_GROUPS_OF_CLIENT} groups")
                self._state.join(connection, group)
            case "leaveGroup":
                self._state.leave(connection, _permitted(frame, connection, "joinLeaveGroup"))
            case "sendToGroup":
                group = _permitted(frame, connection, "sendToGroup")
                self._state.send(
                    self._state.members(group),
                    _group_message(frame, group, connection),
                    excluded={connection.id} if frame.no_echo else (),
                )
            case "event":
                raise FrameRefused("NotFound", "this hub has no event handler")
            case _:
                raise FrameRefused("BadRequest", f"type '{frame.type}' is not known")


def _protocol(socket: WebSocket) -> Protocol:
    """The first offered subprotocol that we speak; RAW when there is none."""
    for offered in socket.scope.get("subprotocols", []):
        if offered in (Protocol.JSON.value, Protocol.RELIABLE.value):
            return Protocol(offered)
    return Protocol.RAW


def _parsed(text: str) -> ClientFrame:
    try:
        return msgspec.json.decode(text, type=ClientFrame)
    except RecursionError:
        raise msgspec.DecodeError("nested too deeply") from None


def _ack_id_of(text: str) -> int | None:
    try:
        return msgspec.json.decode(text, type=AckIdOnly).ack_id
    except (msgspec.DecodeError, RecursionError):
        return None


def _permitted(frame: ClientFrame, connection: Connection, permission: str) -> str:
    group = frame.group
    if not group or len(group) > MAX_GROUP_LENGTH:
        raise FrameRefused("BadRequest", f"group must have 1 to {MAX_GROUP_LENGTH} characters")
    if not connection.may(permission, group):
        raise FrameRefused("Forbidden", f"no role allows {permission} for group {group}")
    return group


def _group_message(frame: ClientFrame, group: str, connection: Connection) -> Message:
    raw = bytes(frame.data)
    data_type = frame.data_type or "json"
    if data_type == "json":
        if not raw:
            raise FrameRefused("BadRequest", "data is missing")
        return Message("json", raw.decode(), group, connection.user_id)
    if data_type not in ("text", "binary", "protobuf"):
        raise FrameRefused("BadRequest", f"dataType '{data_type}' is not known")
    try:
        data: str | bytes = (
            msgspec.json.decode(raw, type=str)
            if data_type == "text"
            else msgspec.json.decode(raw, type=bytes)
        )
    except msgspec.DecodeError as error:
        raise FrameRefused("BadRequest", f"data is not {data_type}: {error}") from None
    return Message(data_type, data, group, connection.user_id)


def _connected(connection: Connection) -> str:
    frame = {"type": "system", "event": "connected", "userId": connection.user_id}
    frame["connectionId"] = connection.id
    if connection.protocol is Protocol.RELIABLE:
        frame["reconnectionToken"] = connection.reconnection_token
    return json.dumps(frame)


def _ack(ack_id: int, error: FrameRefused | None = None) -> str:
    frame: dict[str, Any] = {"type": "ack", "ackId": ack_id, "success": error is None}
    if error is not None:
        frame["error"] = {"name": error.name, "message": str(error)}
    return json.dumps(frame)


async def _say_goodbye(socket: WebSocket, protocol: Protocol, goodbye: Goodbye) -> None:
    reason = goodbye.reason.encode()[:_MAX_REASON_BYTES].decode("utf-8", "ignore")
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
            if goodbye.announced and protocol is not Protocol.RAW:
                frame = {"type": "system", "event": "disconnected", "message": goodbye.reason}
                await socket.send_text(json.dumps(frame))
            await socket.close(goodbye.code, reason)
    except (TimeoutError, WebSocketDisconnect, RuntimeError):
        # It is gone already, or reads nothing: the server cuts the line when we return.
        return

"""The built-in hub's state: who is connected, in which groups, and what waits for whom.

Everything here runs in one event loop and never awaits: sending to a group only writes what
the socket takes at once, and queues the rest. Each connection has an outbox bounded in bytes
and age, so that a slow one costs neither the sender nor the others anything, and does not
read what is long past: see Outbox.
"""

import asyncio
import base64
import json
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

REMEMBERED_ACK_IDS = 1000

MAX_MESSAGE_BYTES = 1024 * 1024
MAX_GROUP_LENGTH = 1024
SLOW_SECONDS = 1.0

# WebSocket close codes (RFC 6455 and its registry).
CLOSE_NORMAL = 1000
CLOSE_GOING_AWAY = 1001
CLOSE_BAD_DATA = 1007
CLOSE_POLICY = 1008
CLOSE_TOO_BIG = 1009
CLOSE_INTERNAL = 1011
CLOSE_TRY_AGAIN = 1013


class Protocol(Enum):
    """What a client speaks, by WebSocket subprotocol; RAW is none at all."""

    RAW = ""
    JSON = "json.webpubsub.azure.v1"
    RELIABLE = "json.reliable.webpubsub.azure.v1"


@dataclass(frozen=True)
class Message:
    """One message to many receivers; written out once, whatever their number.

    `data` is the payload as received: the text of a JSON value, a text, or bytes. `group`
    is None for what the service sends to everybody, a user or a connection.
    """

    data_type: str
    data: str | bytes
    group: str | None = None
    from_user_id: str | None = None

    @cached_property
    def envelope(self) -> str:
        """The JSON frame without its closing brace, so that a sequence id can be added."""
        if self.data_type == "json" and isinstance(self.data, str):
            data = self.data
        elif isinstance(self.data, bytes):
            data = json.dumps(base64.b64encode(self.data).decode())
        else:
            data = json.dumps(self.data)
        head = '{"type":"message","from":"server"'
        if self.group is not None:
            head = f'{{"type":"message","from":"group","group":{json.dumps(self.group)}'
            if self.from_user_id is not None:
                head += f',"fromUserId":{json.dumps(self.from_user_id)}'
        return f'{head},"dataType":"{self.data_type}","data":{data}'

    @cached_property
    def text(self) -> str:
        """The whole JSON frame, without a sequence id."""
        return self.envelope + "}"

    @cached_property
    def encoded(self) -> bytes:
        """The envelope as UTF-8, shared by all receivers."""
        return self.envelope.encode()

    @cached_property
    def size(self) -> int:
        """About how many bytes one receiver costs."""
        return len(self.data) + 128

    def rendered(self, protocol: Protocol, sequence_id: int) -> str | bytes:
        """The WebSocket message for one receiver."""
        if protocol is Protocol.RAW:
            return self.data
        if protocol is Protocol.RELIABLE:
            return f'{self.envelope},"sequenceId":{sequence_id}}}'
        return self.text


@dataclass(frozen=True)
class Goodbye:
    """Why a socket is to be closed; `announced` first sends the `disconnected` frame."""

    code: int
    reason: str
    announced: bool = False


# Writes an item with its sequence id to the socket; False when that takes nothing now.
Write = Callable[["Message | str", int], bool]


class Outbox:
    """What waits to be written to one WebSocket.

    More than `max_bytes`, or anything older than `max_age_seconds`, means that the client
    does not keep up. With `may_drop` the oldest messages are then left out: the client sees
    the gap in the frames' own numbers. Without, it is for the caller to close.
    """

    def __init__(
        self,
        max_bytes: int,
        max_age_seconds: float,
        *,
        may_drop: bool = False,
        on_drop: Callable[[], None] = lambda: None,
        write: Write | None = None,
    ) -> None:
        self.goodbye: Goodbye | None = None
        self.closing = asyncio.Event()
        self._max_bytes = max_bytes
        self._max_age_seconds = max_age_seconds
        self._may_drop = may_drop
        self._on_drop = on_drop
        self._write = write
        self._bytes = 0
        self._items: deque[tuple[float, int, Message | str]] = deque()
        # True while the writer has an item in its hands, which nothing may overtake.
        self._is_writing = False
        self._wake = asyncio.Event()

    @property
    def waits_seconds(self) -> float:
        """How long the oldest item has been waiting."""
        return time.monotonic() - self._items[0][0] if self._items else 0.0

    def put(self, item: Message | str, sequence_id: int = 0) -> bool:
        """Write or queue one item; False when the client does not keep up."""
        if (
            self._write is not None
            and not self._items
            and not self._is_writing
            and self._write(item, sequence_id)
        ):
            return True
        self._bytes += _size(item)
        self._items.append((time.monotonic(), sequence_id, item))
        self._wake.set()
        if self._may_drop:
            self._drop_oldest()
        return self._bytes <= self._max_bytes and (self._may_drop or not self._is_late())

    async def get(self) -> tuple[int, Message | str]:
        """The next item, as (sequence id, item); say `written` when it is."""
        while True:
            if self._may_drop:
                self._drop_oldest()
            if self._items:
                break
            self._wake.clear()
            await self._wake.wait()
        _, sequence_id, item = self._items.popleft()
        self._bytes -= _size(item)
        self._is_writing = True
        return sequence_id, item

    def written(self) -> None:
        """The item that `get` gave is with the socket."""
        self._is_writing = False

    def _is_late(self) -> bool:
        return self.waits_seconds > self._max_age_seconds

    def _drop_oldest(self) -> None:
        """Leave out messages until the rest is neither too much nor too old; answers stay."""
        answers = []
        while self._items and (self._bytes > self._max_bytes or self._is_late()):
            waiting = self._items.popleft()
            if isinstance(waiting[2], Message):
                self._bytes -= waiting[2].size
                self._on_drop()
            else:
                answers.append(waiting)
        self._items.extendleft(reversed(answers))

    def close(self, goodbye: Goodbye) -> None:
        """Forget what waits and ask the socket's handler to close it."""
        if self.goodbye is None:
            self.goodbye = goodbye
            self._items.clear()
            self._bytes = 0
            self.closing.set()


class Connection:
    """One client: its rights, its groups, and (reliable) what it has not acknowledged.

    A reliable connection outlives its socket for the recovery time; `outbox` is None
    meanwhile.
    """

    def __init__(
        self, user_id: str | None, roles: Iterable[str], protocol: Protocol, max_unacked_bytes: int
    ) -> None:
        self.id = secrets.token_urlsafe(16)
        self.user_id = user_id
        self.roles = set(roles)
        self.protocol = protocol
        self.groups: set[str] = set()
        self.outbox: Outbox | None = None
        # The same for as long as the client lives: a line may break before a newer one arrives.
        self.reconnection_token = secrets.token_urlsafe(24)
        self.expiry: asyncio.TimerHandle | None = None
        self._sequence_id = 0
        self._acked = 0
        self._forgotten = 0
        self._unacked: deque[tuple[int, Message]] = deque()
        self._unacked_bytes = 0
        self._max_unacked_bytes = max_unacked_bytes
        self._ack_ids: OrderedDict[int, None] = OrderedDict()

    @property
    def can_recover(self) -> bool:
        """False once a message it has not acknowledged had to be forgotten."""
        return self.protocol is Protocol.RELIABLE and self._forgotten <= self._acked

    def may(self, permission: str, group: str) -> bool:
        """Whether a role allows `joinLeaveGroup` or `sendToGroup` on this group."""
        role = f"webpubsub.{permission}"
        return role in self.roles or f"{role}.{group}" in self.roles

    def is_repeated(self, ack_id: int) -> bool:
        """Whether this ackId was used before; remembers it."""
        if ack_id in self._ack_ids:
            return True
        self._ack_ids[ack_id] = None
        if len(self._ack_ids) > REMEMBERED_ACK_IDS:
            self._ack_ids.popitem(last=False)
        return False

    def deliver(self, message: Message) -> bool:
        """Queue a message; False when the client is too slow and is to be dropped."""
        if self.protocol is Protocol.RELIABLE:
            self._sequence_id += 1
            self._unacked.append((self._sequence_id, message))
            self._unacked_bytes += message.size
            while self._unacked_bytes > self._max_unacked_bytes:
                self._forgotten = self._forget_oldest()
        return self.outbox is None or self.outbox.put(message, self._sequence_id)

    def acknowledge(self, sequence_id: int) -> None:
        """The client has everything up to this sequence id."""
        self._acked = max(self._acked, min(sequence_id, self._sequence_id))
        while self._unacked and self._unacked[0][0] <= self._acked:
            self._forget_oldest()

    def unacknowledged(self) -> list[tuple[int, Message]]:
        """What has to be sent again after a recovery, in order."""
        return list(self._unacked)

    def _forget_oldest(self) -> int:
        sequence_id, message = self._unacked.popleft()
        self._unacked_bytes -= message.size
        return sequence_id


class HubState:
    """All connections of one hub, by id, by group and by user."""

    def __init__(
        self, *, max_queue_bytes: int, max_queue_seconds: float, recovery_seconds: float
    ) -> None:
        self.messages_sent = 0
        self.bytes_sent = 0
        self.slow_viewers_dropped = 0
        self.messages_dropped = 0
        # Told how many clients there are, those who may come back included, at every change.
        self.on_clients: Callable[[int], None] = lambda _count: None
        self._max_queue_bytes = max_queue_bytes
        self._max_queue_seconds = max_queue_seconds
        self._recovery_seconds = recovery_seconds
        self._connections: dict[str, Connection] = {}
        self._groups: dict[str, dict[str, Connection]] = {}
        self._users: dict[str, dict[str, Connection]] = {}

    @property
    def open_connections(self) -> int:
        """Clients with an open socket."""
        return sum(connection.outbox is not None for connection in self._connections.values())

    @property
    def slow_connections(self) -> int:
        """Clients for whom something has been waiting for more than SLOW_SECONDS."""
        return sum(
            connection.outbox is not None and connection.outbox.waits_seconds > SLOW_SECONDS
            for connection in self._connections.values()
        )

    def connect(
        self, user_id: str | None, roles: Iterable[str], groups: Iterable[str], protocol: Protocol
    ) -> Connection:
        """A new client, member of the groups its token names."""
        # Half the outbox, so that what a recovery sends again cannot overflow it.
        connection = Connection(user_id, roles, protocol, self._max_queue_bytes // 2)
        self._connections[connection.id] = connection
        self.on_clients(len(self._connections))
        if user_id is not None:
            self._users.setdefault(user_id, {})[connection.id] = connection
        for group in groups:
            self.join(connection, group)
        return connection

    def attach(self, connection: Connection, write: Write | None = None) -> Outbox:
        """A fresh outbox for a socket of this client; an older socket is closed."""
        if connection.expiry is not None:
            connection.expiry.cancel()
            connection.expiry = None
        if connection.outbox is not None:
            connection.outbox.close(Goodbye(CLOSE_NORMAL, "the client opened another socket"))
        connection.outbox = Outbox(
            self._max_queue_bytes,
            self._max_queue_seconds,
            # The sequence ids of a reliable client may have no holes.
            may_drop=connection.protocol is not Protocol.RELIABLE,
            on_drop=self._count_dropped,
            write=write,
        )
        return connection.outbox

    def _count_dropped(self) -> None:
        self.messages_dropped += 1

    def detach(self, connection: Connection, outbox: Outbox, *, can_return: bool) -> None:
        """The socket of this outbox is gone; a reliable client may come back for a while."""
        if connection.outbox is not outbox:
            return
        connection.outbox = None
        if can_return and connection.can_recover and connection.id in self._connections:
            connection.expiry = asyncio.get_running_loop().call_later(
                self._recovery_seconds, self.remove, connection
            )
        else:
            self.remove(connection)

    def remove(self, connection: Connection) -> None:
        """Forget the client and its memberships."""
        if self._connections.pop(connection.id, None) is None:
            return
        self.on_clients(len(self._connections))
        if connection.expiry is not None:
            connection.expiry.cancel()
        for group in list(connection.groups):
            self.leave(connection, group)
        if connection.user_id is not None:
            members = self._users[connection.user_id]
            del members[connection.id]
            if not members:
                del self._users[connection.user_id]

    def close(self, connection: Connection, goodbye: Goodbye) -> None:
        """Forget the client and close its socket."""
        if connection.outbox is not None:
            connection.outbox.close(goodbye)
        self.remove(connection)

    def join(self, connection: Connection, group: str) -> None:
        """Make the client a member; joining twice is harmless."""
        connection.groups.add(group)
        self._groups.setdefault(group, {})[connection.id] = connection

    def leave(self, connection: Connection, group: str) -> None:
        """End the membership; leaving a group one is not in is harmless."""
        connection.groups.discard(group)
        members = self._groups.get(group, {})
        members.pop(connection.id, None)
        if not members:
            self._groups.pop(group, None)

    def find(self, connection_id: str) -> Connection | None:
        """The client of this id, also while it is away and may come back."""
        return self._connections.get(connection_id)

    def everybody(self) -> list[Connection]:
        """All clients, in the order they came."""
        return list(self._connections.values())

    def members(self, group: str) -> list[Connection]:
        """The clients in a group, in the order they joined."""
        return list(self._groups.get(group, {}).values())

    def of_user(self, user_id: str) -> list[Connection]:
        """The clients of one user."""
        return list(self._users.get(user_id, {}).values())

    def send(
        self, receivers: Iterable[Connection], message: Message, excluded: Collection[str] = ()
    ) -> None:
        """Queue a message for each receiver but the excluded; closes those too slow."""
        for connection in receivers:
            if connection.id in excluded:
                continue
            keeps_up = connection.deliver(message)
            if connection.outbox is None:
                if not connection.can_recover:
                    self.remove(connection)
            elif not keeps_up:
                self.slow_viewers_dropped += 1
                self.close(connection, Goodbye(CLOSE_TRY_AGAIN, "too slow, reconnect"))


def _size(item: Message | str) -> int:
    return item.size if isinstance(item, Message) else len(item)

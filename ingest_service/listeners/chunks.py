"""GELF datagrams that are pieces of one message, put together again."""

from collections.abc import Callable

MAGIC = b"\x1e\x0f"
HEADER_BYTES = 12  # magic, eight bytes of message id, number of the piece, count of pieces
MAX_PIECES = 128
TIMEOUT_NANO = 5_000_000_000
MAX_HELD_BYTES = 16 * 1024 * 1024
MAX_MESSAGES = 1_000


class _Message:
    def __init__(self, count: int, began_unix_nano: int) -> None:
        self.count = count
        self.began_unix_nano = began_unix_nano
        self.pieces: dict[int, bytes] = {}
        self.size = 0


class Chunks:
    """Holds pieces until their message is whole, for five seconds and in bounded memory.

    `on_dropped` is told how many datagrams of a message were given up.
    """

    def __init__(self, on_dropped: Callable[[int], None]) -> None:
        self._on_dropped = on_dropped
        self._messages: dict[tuple[str, bytes], _Message] = {}
        self._held = 0

    def add(self, datagram: bytes, sender: str, received_unix_nano: int) -> bytes | None:
        """The whole message when the datagram completes it (or is no piece), else None."""
        self.forget_old(received_unix_nano)
        if datagram[:2] != MAGIC:
            return datagram
        if len(datagram) < HEADER_BYTES:
            self._on_dropped(1)
            return None
        number, count = datagram[10], datagram[11]
        if not 0 < count <= MAX_PIECES or number >= count:
            self._on_dropped(1)
            return None
        key = (sender, datagram[2:10])
        message = self._messages.get(key)
        if message is None:
            message = self._messages[key] = _Message(count, received_unix_nano)
        if number not in message.pieces and count == message.count:
            message.pieces[number] = datagram[HEADER_BYTES:]
            message.size += len(datagram)
            self._held += len(datagram)
        if len(message.pieces) == message.count:
            self._take(key)
            return b"".join(message.pieces[position] for position in range(message.count))
        while self._held > MAX_HELD_BYTES or len(self._messages) > MAX_MESSAGES:
            self._give_up(next(iter(self._messages)))
        return None

    def forget_old(self, now_unix_nano: int) -> None:
        """Give up messages that have waited too long; the oldest come first."""
        while self._messages:
            key, message = next(iter(self._messages.items()))
            if now_unix_nano - message.began_unix_nano < TIMEOUT_NANO:
                break
            self._give_up(key)

    def _give_up(self, key: tuple[str, bytes]) -> None:
        self._on_dropped(len(self._take(key).pieces))

    def _take(self, key: tuple[str, bytes]) -> _Message:
        message = self._messages.pop(key)
        self._held -= message.size
        return message

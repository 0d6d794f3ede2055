"""An even sample of a stream of unknown length, in bounded memory."""

from collections.abc import Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")

# 2**32 divided by the golden ratio: its multiples are spread evenly and repeat no pattern, so
# that a stream in which every fourth line is an error does not look like nothing but errors.
_GOLDEN = 2654435769
_MASK = 0xFFFFFFFF


class Sample(Generic[Item]):
    """Everything up to `most`, of a longer stream one of each block of equal length.

    For each stretch of the stream ask `chosen`, and append what it chose to `kept`. Of a long
    stream at least half of `most` are kept. `salt` decides which of each block: with another
    one for each window, traffic that repeats itself does not have the same lines left out.
    """

    def __init__(self, most: int, salt: int = 0) -> None:
        self.kept: list[Item] = []
        self._salt = salt
        self._most = most
        self._seen = 0
        self._block_length = 1
        self._block = 0
        self._next = 0

    def chosen(self, count: int) -> Sequence[int]:
        """Which of the next `count` items are to be kept, as their places from 0 on, in order."""
        start, self._seen = self._seen, self._seen + count
        if self._seen > self._most * self._block_length:
            while self._seen > self._most * self._block_length:
                self._thin()
            self._block = -(-start // self._block_length)
            self._next = self._place(self._block)
        if self._block_length == 1:
            return range(count)
        if self._next >= self._seen:
            return ()
        end = -(-self._seen // self._block_length)
        length, salt = self._block_length, self._salt
        # As in _place, without a call for each.
        places = [
            block * length + (((block + salt) * _GOLDEN & _MASK) * length >> 32) - start
            for block in range(self._block, end)
        ]
        self._block = end
        if places[-1] >= count:
            places.pop()
            self._block -= 1
        self._next = self._place(self._block)
        return places

    def _place(self, block: int) -> int:
        within = ((block + self._salt) * _GOLDEN & _MASK) * self._block_length >> 32
        return block * self._block_length + within

    def _thin(self) -> None:
        """Half as many, of blocks twice as long."""
        self._block_length *= 2
        self.kept = [
            # A choice that goes with nothing else; the hash of numbers is always the same.
            self.kept[first + (hash((self._salt, self._block_length, first)) & 1)]
            for first in range(0, len(self.kept) - 1, 2)
        ]


def evenly(items: list[Item], most: int) -> list[Item]:
    """All of them, or `most` at equal distances, in their order."""
    if len(items) <= most:
        return items
    return [items[(2 * n + 1) * len(items) // (2 * most)] for n in range(most)]

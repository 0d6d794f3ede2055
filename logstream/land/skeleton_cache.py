"""Which skeletons are known, for the landing path: a dictionary look-up a line.

An unknown key gets its id at once and a row in `skeletons` in the transaction that lands
its line; it is known from that COMMIT on. What several processes do not know yet, each of
them inserts: ON CONFLICT DO NOTHING makes that harmless.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from logstream.model import LogRecord
from logstream.skeleton import MAX_KEY_CHARACTERS, overflow_id, skeleton_id, skeleton_key

# A service's skeletons that are stored at first sight, and how many it may have in all.
FREE_PER_SERVICE = 1_000
MOST_PER_SERVICE = 10_000
# How often a key must have been seen before it is stored once its service has many.
SIGHTINGS_TO_BE_STORED = 20
MAX_EXAMPLE_CHARACTERS = 2_000
_MAX_CACHED_KEYS = 200_000
_MAX_SIGHTINGS = 20_000
_LONG_KEY_BYTES = 512


@dataclass(frozen=True)
class NewSkeleton:
    """A row of `skeletons` to be."""

    skeleton_id: int
    environment: str
    service_name: str
    key: str
    example: str
    is_overflow: bool = False


class SkeletonCache:
    """Keys to ids, bounded. `known` is for reading only; a long key is in it by its digest."""

    def __init__(self) -> None:
        self.known: dict[bytes, int] = {}
        self._stored: set[int] = set()
        self._admitted: dict[int, NewSkeleton] = {}
        self._per_service: Counter[str] = Counter()
        self._sightings: Counter[int] = Counter()

    def load(self, rows: Iterable[tuple[int, str]]) -> None:
        """Start from what the database holds: (skeleton_id, service_name)."""
        stored = list(rows)
        self.known.clear()
        self._admitted.clear()
        self._stored = {row[0] for row in stored}
        self._per_service = Counter(row[1] for row in stored)

    def look_up(self, key: bytes, record: LogRecord, new: dict[int, NewSkeleton]) -> int:
        """The id of a key that is not in `known`; adds to `new` what must be stored with it."""
        short = key if len(key) <= _LONG_KEY_BYTES else hashlib.blake2b(key).digest()
        known = self.known.get(short)
        if known is not None:
            return known
        found = skeleton_id(key)
        if found in self._stored:
            self._remember(short, found)
            return found
        if found not in self._admitted and not self._has_room(record.service_name, found):
            key = b""
            found = overflow_id(record.service_name)
            if found in self._stored:
                return found
        admitted = self._admitted.get(found)
        if admitted is None:
            admitted = self._admitted[found] = _as_new(found, key, record)
            self._per_service[record.service_name] += 1
        new[found] = admitted
        return found

    def stored_id(self, record: LogRecord) -> int | None:
        """The id that a line which has landed was given; None when that is not known here."""
        own = skeleton_id(skeleton_key(record.body.encode()))
        shared = overflow_id(record.service_name)
        return next((found for found in (own, shared) if found in self._stored), None)

    def confirm(self, stored: Iterable[NewSkeleton]) -> None:
        """These are in the database now."""
        for skeleton in stored:
            self._admitted.pop(skeleton.skeleton_id, None)
            self._stored.add(skeleton.skeleton_id)

    def _has_room(self, service: str, found: int) -> bool:
        count = self._per_service[service]
        if count < FREE_PER_SERVICE:
            return True
        if count >= MOST_PER_SERVICE:
            return False
        if len(self._sightings) >= _MAX_SIGHTINGS:
            self._sightings.clear()
        self._sightings[found] += 1
        return self._sightings[found] >= SIGHTINGS_TO_BE_STORED

    def _remember(self, key: bytes, found: int) -> None:
        if len(self.known) >= _MAX_CACHED_KEYS:
            self.known.clear()
        self.known[key] = found


def _as_new(found: int, key: bytes, record: LogRecord) -> NewSkeleton:
    is_overflow = found == overflow_id(record.service_name)
    return NewSkeleton(
        found,
        record.environment,
        record.service_name,
        key[: 4 * MAX_KEY_CHARACTERS].decode("utf-8", "ignore")[:MAX_KEY_CHARACTERS],
        "" if is_overflow else record.body[:MAX_EXAMPLE_CHARACTERS],
        is_overflow,
    )

"""Token buckets in memory that all ingest processes see, as many as fit into it.

A bucket is one number: the time at which it will be full again ("theoretical arrival time" of
the generic cell rate algorithm, ITU-T I.371), on the clock that all processes of a machine
share. Two processes that write at the same moment lose one charge, never more; nobody waits
for a lock.
"""

import hashlib
import ipaddress
import math
import mmap
import time

# Buckets; 16 bytes each. One that is full is as good as none, so its place is taken again.
PLACES = 16_384
# Where the place of a name is taken, the next ones are tried.
TRIES = 8
SIZE_BYTES = PLACES * 16
ROUNDING_SECONDS = 1e-6


class Buckets:
    """Buckets by name. Each holds one second's worth, at least one token."""

    def __init__(self, memory: memoryview | None = None) -> None:
        """`memory` of SIZE_BYTES is shared; without it they are this process's own."""
        memory = memoryview(mmap.mmap(-1, SIZE_BYTES)) if memory is None else memory
        self._names = memory[: SIZE_BYTES // 2].cast("Q")
        self._full_at = memory[SIZE_BYTES // 2 :].cast("d")

    def wait_seconds(self, name: int, rate: float) -> float:
        """How long until one more token is there; 0 when there is one."""
        place = self._find(name)
        if place is None:
            return 0.0
        spare = max(rate, 1.0) - 1.0
        wait = self._full_at[place] - time.monotonic() - spare / rate
        return wait if wait > ROUNDING_SECONDS else 0.0

    def take(self, name: int, rate: float, tokens: float) -> None:
        """Take tokens, more than there are if need be: then it is long until the next."""
        now = time.monotonic()
        place = self._find(name)
        if place is None:
            place = self._claim(name, now)
        self._full_at[place] = max(self._full_at[place], now) + tokens / rate

    def _find(self, name: int) -> int | None:
        names = self._names
        for step in range(TRIES):
            place = (name + step) % PLACES
            if names[place] == name:
                return place
        return None

    def _claim(self, name: int, now: float) -> int:
        """A place whose bucket is full; when there is none, the one that is full soonest."""
        places = [(name + step) % PLACES for step in range(TRIES)]
        place = min(places, key=lambda one: self._full_at[one])
        self._names[place] = name
        # What its last owner owed is not the new one's debt.
        self._full_at[place] = now
        return place


def bucket_name(kind: str, name: str) -> int:
    """The number of a bucket, the same in every process."""
    digest = hashlib.blake2b(f"{kind}/{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) or 1


def address_group(address: str) -> str:
    """What is limited together: an IPv4 address, or the /64 that an IPv6 host chooses from."""
    if ":" not in address:
        return address
    try:
        parsed = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(parsed) >> 64 << 64, 64)))


def retry_after(wait_seconds: float) -> int:
    """Whole seconds after which it works, for a Retry-After header."""
    return max(1, math.ceil(wait_seconds))

"""Requests whose every line can be told apart, of all the kinds senders send."""

import gzip
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime

import zstandard

SERVICES = ("checkout", "payments", "catalogue", "search", "shipping")
ENVIRONMENTS = ("production", "production", "production", "staging")
SEVERITIES = ("info", "info", "info", "debug", "warn", "error")
TEXTS = (
    "Order {0} placed in {1} ms",
    "Payment of user-{1} took {0} ms and was refused by the bank",
    "cache miss for product {0:x} on shard {1}",
    "GET /catalogue/{1} answered 200 in {0} us",
)
OLDEST_SECONDS = 7_200
MOST_LINES = 1_000
# Of the requests: what part has a key, is sent twice at once, holds records to be rejected.
KEYED, TWINS, SPOILED = 0.7, 0.05, 0.05


@dataclass(frozen=True)
class Request:
    """One POST. Its lines carry the numbers `first` to `first + lines - 1`; `bad` of them must
    be rejected, the others stored."""

    number: int
    first: int
    lines: int
    bad: tuple[int, ...]
    is_keyed: bool
    has_twin: bool
    body: bytes
    headers: dict[str, str]


class Requests:
    """An endless source of them; the same seed gives the same ones (but for times)."""

    def __init__(self, run: str, seed: int, twins: float = TWINS) -> None:
        self._run = run
        self._random = random.Random(seed)
        self._twins = twins
        self._number = 0
        self._next_line = 1
        self._zstd = zstandard.ZstdCompressor(level=1)

    def next(self) -> Request:
        """The next request."""
        chance = self._random
        self._number += 1
        first, size = self._next_line, self._size()
        self._next_line += size
        bad: tuple[int, ...] = ()
        if chance.random() < SPOILED:
            bad = tuple(sorted(chance.sample(range(first, first + size), min(size, 3))))
        is_keyed = chance.random() < KEYED
        body = b"\n".join(self._records(first, size, set(bad)))
        if size > 1 and chance.random() < 0.2:
            body = b"[" + body.replace(b"\n", b",") + b"]"
        headers = {"Content-Type": "application/x-ndjson"}
        if is_keyed:
            headers["Idempotency-Key"] = f"{self._run}-{self._number}"
        body = self._encoded(body, headers)
        has_twin = is_keyed and chance.random() < self._twins
        return Request(self._number, first, size, bad, is_keyed, has_twin, body, headers)

    def _size(self) -> int:
        kind = self._random.random()
        if kind < 0.6:
            return 1
        return self._random.randint(*((2, 100) if kind < 0.9 else (100, MOST_LINES)))

    def _records(self, first: int, size: int, bad: set[int]) -> list[bytes]:
        chance = self._random
        service = chance.choice(SERVICES)
        environment = chance.choice(ENVIRONMENTS)
        created = ""
        if chance.random() < 0.5:
            moment = datetime.fromtimestamp(time.time() - chance.random() * OLDEST_SECONDS, UTC)
            created = f',"createdAt":"{moment.isoformat()}"'
        records = []
        for number in range(first, first + size):
            text = TEXTS[number % 4].format(chance.getrandbits(20), number % 997)
            # Without a source a record is refused.
            source = "" if number in bad else f'"source":"{service}",'
            records.append(
                f'{{{source}"message":"soak {self._run} {number} {text}",'
                f'"severity":"{SEVERITIES[number % 6]}","environment":"{environment}"{created},'
                f'"metadata":{{"attempt":{number % 7}}}}}'.encode()
            )
        return records

    def _encoded(self, body: bytes, headers: dict[str, str]) -> bytes:
        kind = self._random.random()
        if kind < 0.4:
            return body
        headers["Content-Encoding"] = "gzip" if kind < 0.7 else "zstd"
        return gzip.compress(body, 1) if kind < 0.7 else self._zstd.compress(body)

"""Lines for benches, about 440 bytes of JSON each, as a platform of 30 services writes them.

200 templates, each of one service and severity, some far more frequent than others; messages
hold ids, numbers, users and addresses. Every NEEDLE_LINES-th part of all lines names NEEDLE,
one service (RARE_SERVICE) writes one line in a thousand.
"""

import random
import time
from collections.abc import Iterator
from itertools import accumulate

import msgspec

SERVICES = [f"service-{n:02d}" for n in range(30)]
RARE_SERVICE = "service-rare"
RARE_ONE_IN = 1_000
# Lines that hold it, in all, however many lines there are.
NEEDLE, NEEDLE_LINES = "order-7f3a9c51e0", 7
TRACE = "feedfacefeedfacefeedfacefeedface"
WORD = "overdrawn"
_WORDS = (
    *("request", "order", "payment", "cart", "user", "session", "cache", "index", "shard"),
    *("query", "token", "worker", "batch", "retry", "timeout", "upstream", "gateway"),
    *("stock", "invoice", "parcel"),
)
_TAILS = (
    "for user-{user} took {ms} ms",
    "order-{hex} of user-{user} from 10.{a}.{b}.{c}",
    "id={hex} status={status}",
    "on shard {a} after {b} retries",
    "GET /api/v1/items/{user} {status} {ms}ms",
)
_SEVERITIES = ("debug", "info", "warn", "error")


def make_lines(count: int, *, seed: int = 17, span_seconds: float = 60.0) -> list[bytes]:
    """JSON objects of our own format, ending now, oldest first."""
    return list(each_line(count, seed=seed, span_seconds=span_seconds))


def each_line(count: int, *, seed: int = 17, span_seconds: float = 60.0) -> Iterator[bytes]:
    """The same, one after the other, for counts that do not fit into memory."""
    generator = random.Random(seed)
    templates = _templates(generator)
    weights = list(accumulate(1 / (n + 1) ** 0.8 for n in range(len(templates))))
    needles = {(2 * n + 1) * count // (2 * NEEDLE_LINES) for n in range(NEEDLE_LINES)}
    end = time.time_ns()
    step = span_seconds * 1e9 / count
    trace = ""
    encode = msgspec.json.Encoder().encode
    for n in range(count):
        if n % 7 == 0:
            trace = f"{generator.getrandbits(128):032x}"
        service, severity, template = generator.choices(templates, cum_weights=weights)[0]
        if n % RARE_ONE_IN == RARE_ONE_IN // 2:
            service = RARE_SERVICE
        bits = generator.getrandbits(64)
        user, milliseconds = bits % 50_000, (bits >> 16) % 900
        message = template.format(
            user=user,
            ms=milliseconds,
            hex=f"{bits & 0xFFFFFFFFFF:010x}",
            status=(200, 200, 200, 204, 404, 503)[bits % 6],
            a=(bits >> 24) % 250,
            b=(bits >> 32) % 250,
            c=(bits >> 40) % 250,
        )
        if n in needles:
            message = f"order {NEEDLE} is {WORD}"
        yield encode(
            {
                "source": service,
                "message": message,
                "severity": severity,
                "createdAt": (end - int((count - n) * step)) // 1_000,
                "metadata": {
                    "traceId": TRACE if n in needles else trace,
                    "spanId": f"{bits:016x}",
                    "latency": milliseconds,
                    "host.name": f"pod-{(bits >> 48) % 250}",
                    "user.id": f"u-{user}",
                    "region": "westeurope",
                },
            }
        )


def _templates(generator: random.Random) -> list[tuple[str, str, str]]:
    """(service, severity, message): the first ones are written most."""
    shares = [1 / (n + 1) for n in range(len(SERVICES))]
    templates = []
    for n in range(200):
        service = SERVICES[n] if n < 30 else generator.choices(SERVICES, shares)[0]
        severity = generator.choices(_SEVERITIES, weights=(12, 79, 6, 3))[0]
        words = " ".join(generator.choices(_WORDS, k=generator.randrange(6, 13)))
        templates.append((service, severity, f"{words} {_TAILS[n % len(_TAILS)]}"))
    generator.shuffle(templates)
    return templates

"""Lines for benches: 200 templates, 30 services, about 440 bytes of JSON each."""

import random
import time

import msgspec

SERVICES = [f"service-{n:02d}" for n in range(30)]
_WORDS = (  # noqa: SIM905
    "request order payment cart user session cache index shard query token worker batch "
    "retry timeout upstream gateway stock invoice parcel"
).split()


def make_lines(count: int, *, seed: int = 17, span_seconds: float = 60.0) -> list[bytes]:
    """JSON objects of our own format, ending now, oldest first."""
    generator = random.Random(seed)
    templates = [
        " ".join(generator.choices(_WORDS, k=generator.randrange(8, 16)))
        + " id={} took {} ms from 10.{}.{}.{}"
        for _ in range(200)
    ]
    # A log statement stands in one program and has one level.
    levels = generator.choices(("debug", "info", "warn", "error"), weights=(12, 79, 6, 2), k=200)
    statements = [
        (generator.choice(SERVICES), template, level)
        for template, level in zip(templates, levels, strict=True)
    ]
    end = time.time_ns()
    step = int(span_seconds * 1e9 / count)
    lines = []
    trace = ""
    for n in range(count):
        if n % 7 == 0:
            trace = f"{generator.getrandbits(128):032x}"
        numbers = [generator.randrange(250) for _ in range(5)]
        service, template, level = generator.choice(statements)
        lines.append(
            msgspec.json.encode(
                {
                    "source": service,
                    "message": template.format(*numbers),
                    "severity": level,
                    "createdAt": (end - (count - n) * step) // 1_000,
                    "metadata": {
                        "traceId": trace,
                        "spanId": f"{generator.getrandbits(64):016x}",
                        "latency": numbers[1],
                        "host.name": f"pod-{numbers[0]}",
                        "user.id": f"u-{generator.randrange(50_000)}",
                        "region": "westeurope",
                    },
                }
            )
        )
    return lines

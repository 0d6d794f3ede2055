"""Sends recorded requests to a running service, each damaged in many ways; none may hurt it.

    python -m scripts.mutate_requests requests.jsonl http://127.0.0.1:8000 [--seed N]

Recordings as `scripts.replay_requests` reads them. Ends with 1 on any 5xx, on an answer that
takes more than five seconds, and when the service does not answer afterwards.
"""

import argparse
import base64
import gzip
import http.client
import json
import random
import secrets
import sys
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scripts.replay_requests import OWN_HEADERS

PATIENCE_SECONDS = 5
CUTS, FLIPS = 24, 24
CONTENT_TYPES = (
    "",
    "text/plain",
    "application/json",
    "application/x-protobuf",
    "application/msgpack",
    "application/x-www-form-urlencoded",
    "application/x-ndjson; charset=utf-16",
    "multipart/form-data; boundary=x",
    "é/\xff",
)
CONTENT_ENCODINGS = ("gzip", "deflate", "zstd", "snappy", "br", "gzip, gzip, gzip, gzip", "é")

Headers = dict[str, str]


def main() -> int:
    """1 when the service failed or hung."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recordings", type=Path)
    parser.add_argument("base")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}")
    chance = random.Random(arguments.seed)
    recordings = map(json.loads, arguments.recordings.read_text().splitlines())
    outcomes: Counter[str] = Counter()
    is_bad = False
    for recording in recordings:
        if recording["transport"] != "http":
            continue
        for way, body, headers in damaged(recording, chance):
            outcome = outcome_of(arguments.base, recording, body, headers)
            outcomes[outcome[:1] + "xx" if outcome.isdigit() else outcome] += 1
            if not outcome.isdigit() or outcome[0] == "5":
                is_bad = True
                print(f"{recording['client']} {recording['path']}: {way}: {outcome}")
    is_alive = http_status(arguments.base, "GET", "/health/ready", b"", {}) == 200
    print(f"{outcomes.total()} requests: {dict(sorted(outcomes.items()))}; alive: {is_alive}")
    return 1 if is_bad or not is_alive else 0


def damaged(
    recording: dict[str, Any], chance: random.Random
) -> Iterator[tuple[str, bytes, Headers]]:
    """What was done, with the body and headers that come of it."""
    body = base64.b64decode(recording["body_b64"])
    headers = {
        name: value for name, value in recording["headers"] if name.lower() not in OWN_HEADERS
    }
    for way, made in of_body(body, chance):
        yield way, made, headers
    inner, names = opened(body, headers)
    bare = without(headers, "content-encoding")
    if names:
        for way, made in of_body(inner, chance):
            yield (
                f"inside {names}: {way}",
                gzip.compress(made),
                {**bare, "Content-Encoding": "gzip"},
            )
    text = inner.decode("latin-1")
    for encoding in ("utf-16", "utf-16-be", "utf-32", "utf-8-sig", "utf-8"):
        yield f"Latin-1 read as such, in {encoding}", text.encode(encoding), bare
    for encoding in ("latin-1", "utf-16", "cp037"):
        made = inner.decode("utf-8", "replace").encode(encoding, "replace")
        yield f"text in {encoding}", made, bare
    twice = gzip.compress(gzip.compress(inner))
    for names in ("gzip", "gzip, gzip", "", "identity", "deflate"):
        yield f"gzip twice, called {names!r}", twice, {**bare, "Content-Encoding": names}
    yield "zlib called gzip", zlib.compress(inner), {**bare, "Content-Encoding": "gzip"}
    for name in CONTENT_TYPES:
        kept = without(headers, "content-type")
        yield f"Content-Type {name!r}", body, {**kept, "Content-Type": name}
    for name in CONTENT_ENCODINGS:
        yield f"Content-Encoding {name!r}", inner, {**bare, "Content-Encoding": name}


def of_body(body: bytes, chance: random.Random) -> Iterator[tuple[str, bytes]]:
    """The body cut, with bits turned, with its halves or two bytes exchanged, repeated."""
    size = len(body)
    yield "empty", b""
    for cut in sorted(chance.sample(range(size), min(CUTS, size))):
        yield f"cut at {cut}", body[:cut]
    for _ in range(FLIPS if size else 0):
        made = bytearray(body)
        places = [chance.randrange(size * 8) for _ in range(chance.choice((1, 1, 3, 30)))]
        for place in places:
            made[place // 8] ^= 1 << place % 8
        yield f"bits {places}", bytes(made)
    yield "halves exchanged", body[size // 2 :] + body[: size // 2]
    yield "twice", body + body
    yield "backwards", body[::-1]
    for noise in (b"\x00", b"\xff", b'"', b"\\", b"}", b"\n", chance.randbytes(40)):
        place = chance.randrange(size + 1)
        yield f"{noise!r} at {place}", body[:place] + noise + body[place:]


def opened(body: bytes, headers: Headers) -> tuple[bytes, str]:
    """What a gzip body holds, and the name of the encoding; else the body itself."""
    names = next(
        (value for name, value in headers.items() if name.lower() == "content-encoding"), ""
    )
    try:
        return gzip.decompress(body), names
    except (OSError, EOFError, zlib.error):
        return body, ""


def without(headers: Headers, name: str) -> Headers:
    """The headers without this one."""
    return {key: value for key, value in headers.items() if key.lower() != name}


def outcome_of(base: str, recording: dict[str, Any], body: bytes, headers: Headers) -> str:
    """The status, or what happened instead of an answer in time."""
    started = time.monotonic()
    try:
        status = http_status(base, recording["method"], recording["path"], body, headers)
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
    return "hang" if time.monotonic() - started > PATIENCE_SECONDS else str(status)


def http_status(base: str, method: str, path: str, body: bytes, headers: Headers) -> int:
    """The status of one request over a connection of its own."""
    parts = urlsplit(base)
    connection = http.client.HTTPConnection(
        parts.hostname or "", parts.port, timeout=2 * PATIENCE_SECONDS
    )
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())

"""Sends hostile texts through every format to a running service, and reads them back.

    python -m scripts.hostile DIR http://127.0.0.1:8000

DIR holds blns.json, xss.txt, utf8tests.txt and json-test-suite.jsonl (the Big List of Naughty
Strings, an XSS payload list, utf8tests and JSONTestSuite). Each text is sent as message,
service, attribute name, attribute value and trace id; each JSON test as a whole body. What
was stored must be the text that was sent, byte for byte, except for what PostgreSQL takes
nowhere: NUL, lone surrogates and invalid UTF-8 are U+FFFD. Ends with 1 on any 5xx or
difference.
"""

import base64
import http.client
import json
import secrets
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from logstream.model import normal_trace_id
from scripts.hostile_formats import FORMATS, Format, Sample

PLACES = ("message", "service", "key", "value", "trace_id")
BATCH = 100
LONGEST_NAME = 200
SHOWN_DIFFERENCES = 8


class Client:
    """One kept connection that is opened again when the service has closed it."""

    def __init__(self, base: str) -> None:
        parts = urlsplit(base)
        self._host, self._port = parts.hostname or "", parts.port
        self._connection = self._connect()

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self._host, self._port, timeout=30)

    def ask(
        self, method: str, path: str, body: bytes | None = None, content_type: str = ""
    ) -> tuple[int, bytes]:
        """Status and body of the answer."""
        headers = {"Content-Type": content_type} if content_type else {}
        try:
            self._connection.request(method, path, body, headers)
            answer = self._connection.getresponse()
        except (http.client.HTTPException, ConnectionError):
            self._connection = self._connect()
            self._connection.request(method, path, body, headers)
            answer = self._connection.getresponse()
        return answer.status, answer.read()


def main() -> int:
    """1 when the service failed or a text came back changed."""
    folder, base = Path(sys.argv[1]), sys.argv[2]
    client, run = Client(base), secrets.token_hex(4)
    texts, json_bodies = texts_of(folder), json_tests(folder)
    is_bad = False
    print(f"{len(texts)} texts in {len(PLACES)} places, {len(json_bodies)} JSON bodies; run {run}")
    print(f"{'format':<22}{'sent':>7}{'2xx':>6}{'4xx':>6}{'5xx':>6}{'equal':>7}{'differ':>7}")
    for number, wire in enumerate(FORMATS):
        statuses: Counter[int] = Counter()
        equal, differences = 0, list[str]()
        for place in PLACES:
            samples = [
                Sample(f"p{index}", f"{run}-{number}-{place}", time.time_ns() + index)._replace(
                    **{place: text}
                )
                for index, text in enumerate(texts)
            ]
            statuses += send(client, wire, samples)
            found = stored(client, wire, samples)
            for sample, text in zip(samples, texts, strict=True):
                if sample.probe not in found:
                    continue
                difference = compare(place, text, found[sample.probe])
                equal += difference is None
                if difference is not None:
                    differences.append(f"  {place}: {text!r} came back as {difference!r}")
        for body in json_bodies:
            status, _ = client.ask("POST", wire.path, body, wire.content_type)
            statuses[status // 100] += 1
        sent = len(texts) * len(PLACES) + len(json_bodies)
        print(
            f"{wire.name:<22}{sent:>7}{statuses[2]:>6}{statuses[4]:>6}{statuses[5]:>6}"
            f"{equal:>7}{len(differences):>7}"
        )
        print("\n".join(differences[:SHOWN_DIFFERENCES]), end="\n" if differences else "")
        is_bad = is_bad or bool(differences) or statuses[5] > 0
    return 1 if is_bad else 0


def texts_of(folder: Path) -> list[bytes]:
    """All texts, as bytes: some are no UTF-8."""
    naughty = json.loads((folder / "blns.json").read_text())
    texts = [text.encode("utf-8", "surrogatepass") for text in naughty]
    texts += (folder / "xss.txt").read_bytes().splitlines()
    for line in (folder / "utf8tests.txt").read_text().splitlines():
        _, kind, content, *_ = line.split(":")
        texts.append(bytes.fromhex(content) if kind.endswith("hex") else content.encode())
    return list(dict.fromkeys(texts))


def json_tests(folder: Path) -> list[bytes]:
    """The bodies of JSONTestSuite."""
    lines = (folder / "json-test-suite.jsonl").read_text().splitlines()
    return [base64.b64decode(json.loads(line)["b64"]) for line in lines]


def send(client: Client, wire: Format, samples: list[Sample]) -> Counter[int]:
    """Statuses by hundreds, counted by request."""
    statuses: Counter[int] = Counter()
    step = BATCH if wire.is_batch else 1
    for start in range(0, len(samples), step):
        body = wire.body(samples[start : start + step])
        status, _ = client.ask("POST", wire.path, body, wire.content_type)
        statuses[status // 100] += 1
    return statuses


def stored(client: Client, wire: Format, samples: list[Sample]) -> dict[str, dict[str, Any]]:
    """What is stored of the samples, by probe, in the shape of a line."""
    rows = spans(client, samples) if wire.has_spans else lines(client, samples[0].environment)
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        metadata = row["metadata"]
        # Sentry's events keep what users add to them together.
        trace = metadata.get("contexts", {}).get("trace", {})
        row["metadata"] = metadata = {**metadata, **metadata.get("extra", {}), **trace}
        found[metadata.get("probe", "")] = row
    return found


def lines(client: Client, environment: str) -> Iterator[dict[str, Any]]:
    """All lines of an environment."""
    cursor = ""
    while cursor is not None:
        query = urlencode({"env": environment, "limit": 1000, "cursor": cursor})
        _, body = client.ask("GET", f"/logs/search?{query}")
        page = json.loads(body)
        yield from page["logs"]
        cursor = page["cursor"]


def spans(client: Client, samples: list[Sample]) -> Iterator[dict[str, Any]]:
    """All spans of the samples' traces, with the names that lines have."""
    environment = samples[0].environment
    for trace_id in {sample.trace_id for sample in samples}:
        path = f"/traces/{quote(trace_id, safe='')}?env={environment}"
        status, body = client.ask("GET", path)
        if status != 200:
            continue
        for span in json.loads(body)["spans"]:
            yield {
                "message": span["name"],
                "source": span["service"],
                "metadata": span["attributes"],
                "traceId": trace_id.decode("utf-8", "replace"),
            }


def compare(place: str, sent: bytes, line: dict[str, Any]) -> object:
    """None when the text is there, else what is there instead."""
    text = sent.decode("utf-8", "replace").replace("\x00", "\ufffd")
    metadata = line["metadata"]
    match place:
        case "message":
            return None if line["message"] == text else line["message"]
        case "service":
            name, found = text.strip(), line["source"]
            is_name = 0 < len(name) <= LONGEST_NAME
            is_kept = found == name if is_name else bool(found)
            return None if is_kept or text in metadata.values() else found
        case "key":
            names = (text, f"field_{text}", f"_{text}")
            return None if any(name in metadata for name in names) else sorted(metadata)
        case "value":
            return None if metadata.get("region") == text else metadata.get("region")
        case _:
            # Binary in OTLP's protobuf, so that any bytes are digits afterwards.
            ids = {text, normal_trace_id(text), text.strip(), sent.hex()}
            is_kept = line["traceId"] in ids or not ids.isdisjoint(map(str, metadata.values()))
            return None if is_kept or not text.strip() else (line["traceId"], metadata)


if __name__ == "__main__":
    sys.exit(main())

"""Batches to the running service, retried until they are answered."""

import gzip
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from logstream.errors import LogStreamError

GIVE_UP_AFTER_SECONDS = 60.0
_LONGEST_WAIT_SECONDS = 8.0
_RETRIED = (429, 502, 503, 504)
_TIMEOUT = httpx.Timeout(connect=5.0, read=60.0, write=60.0, pool=60.0)


class NotSent(LogStreamError):
    """The service did not take a batch; what was sent before is stored."""

    code = "not_sent"


@dataclass
class Outcome:
    """The service's answer: how many records it stored, and why not the others."""

    accepted: int = 0
    rejected: int = 0
    reasons: list[str] = field(default_factory=list)

    def add(self, other: "Outcome") -> None:
        """Takes the other's counts in."""
        self.accepted += other.accepted
        self.rejected += other.rejected
        self.reasons += other.reasons


class Sender:
    """Posts NDJSON to `url`/logs/ingest; safe to use from several threads."""

    def __init__(
        self,
        url: str,
        give_up_after_seconds: float = GIVE_UP_AFTER_SECONDS,
        *,
        authorization: Callable[[], dict[str, str]] = dict,
    ) -> None:
        """`authorization` gives the headers that let each request in."""
        self._url = url
        self._authorization = authorization
        self._give_up_after_seconds = give_up_after_seconds
        self._client = httpx.Client(timeout=_TIMEOUT)

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def greet(self) -> None:
        """Raises NotSent when no LogStream answers."""
        try:
            reply = self._client.get(f"{self._url}/health/live")
        except httpx.HTTPError:
            raise self._nobody() from None
        if reply.status_code != 200:
            raise self._nobody()

    def send(self, body: bytes, key: str, records: int) -> Outcome:
        """The answer to one batch. Raises NotSent after about a minute of trying."""
        if records == 0:
            return Outcome()
        reply = self._post(body, key)
        match reply.status_code:
            case 201:
                return _outcome(reply)
            case 400 if "rejected" in _json(reply):
                return _outcome(reply)
            case 413 if records > 1:
                lines = body.splitlines(keepends=True)
                half = len(lines) // 2
                first = self.send(b"".join(lines[:half]), f"{key}.1", half)
                first.add(self.send(b"".join(lines[half:]), f"{key}.2", records - half))
                return first
            case 413:
                return Outcome(0, 1, [_message(reply)])
        raise NotSent(
            f"{self._url} answered {reply.status_code}: {_message(reply)}",
            "what was sent before is stored; run the import again when this is solved",
        )

    def _post(self, body: bytes, key: str) -> httpx.Response:
        headers = {
            "Content-Type": "application/x-ndjson",
            "Content-Encoding": "gzip",
            "Idempotency-Key": key,
        }
        packed = gzip.compress(body, compresslevel=1, mtime=0)
        started = time.monotonic()
        wait = 0.5
        while True:
            problem, pause = "", wait
            headers.update(self._authorization())
            try:
                reply = self._client.post(
                    f"{self._url}/logs/ingest", content=packed, headers=headers
                )
                if reply.status_code not in _RETRIED:
                    return reply
                problem = f"answered {reply.status_code}: {_message(reply)}"
                pause = _retry_after(reply) or wait
            except httpx.HTTPError as error:
                problem = f"cannot be reached ({type(error).__name__})"
            if time.monotonic() - started + pause > self._give_up_after_seconds:
                raise NotSent(
                    f"{self._url} {problem}; given up after {self._give_up_after_seconds:.0f} s",
                    "what was sent before is stored; run the same command again to go on",
                )
            time.sleep(pause)
            wait = min(wait * 2, _LONGEST_WAIT_SECONDS)

    def _nobody(self) -> NotSent:
        return NotSent(
            f"no LogStream answers at {self._url}", "start it with 'make run' or set LOGSTREAM_URL"
        )


def _outcome(reply: httpx.Response) -> Outcome:
    content = _json(reply)
    rejected = content.get("rejected", [])
    reasons = [str(item.get("error", item)) for item in rejected]
    return Outcome(
        int(content.get("accepted", 0)), int(content.get("rejectedTotal", len(rejected))), reasons
    )


def _json(reply: httpx.Response) -> dict[str, Any]:
    try:
        content = reply.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _message(reply: httpx.Response) -> str:
    error = _json(reply).get("error")
    if isinstance(error, dict):
        return str(error.get("message", ""))
    return reply.text[:200]


def _retry_after(reply: httpx.Response) -> float | None:
    text = reply.headers.get("retry-after", "")
    return min(float(text), 30.0) if text.isdigit() else None

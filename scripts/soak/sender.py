"""A sender process that writes down what it sends and what is answered; SIGTERM ends it.

The log is one JSON object a line: `send` before a request leaves, `done` when it will not be
sent again. A request with a key is repeated until it is answered; one without is never sent
twice, so that what becomes of it when no answer comes is the service's doing alone.

    python -m scripts.soak.sender --url http://127.0.0.1:8000 --log sent.jsonl --run a1
"""

import argparse
import asyncio
import json
import signal
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any, BinaryIO

import aiohttp

from scripts.soak.lines import TWINS, Request, Requests

LINES_PER_SECOND = 5_000
CONNECTIONS = 12
ANSWER_WITHIN_SECONDS = 20.0
END_WITHIN_SECONDS = 90.0
_TRY_AGAIN = frozenset((408, 429, 500, 502, 503, 504))


class Sender:
    """Sends over several connections at once, at a steady rate while it is answered."""

    def __init__(self, urls: list[str], requests: Requests, log: BinaryIO, rate: float) -> None:
        self._urls: Iterator[str] = cycle([f"{url}/logs/ingest" for url in urls])
        self._requests = requests
        self._log = log
        self._rate = rate
        self._due = time.monotonic()
        self.stop = asyncio.Event()

    async def run(self) -> None:
        """Until `stop`, and then until all that has a key is answered."""
        timeout = aiohttp.ClientTimeout(total=ANSWER_WITHIN_SECONDS)
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
            workers = [asyncio.create_task(self._work(session)) for _ in range(CONNECTIONS)]
            await self.stop.wait()
            async with asyncio.timeout(END_WITHIN_SECONDS):
                await asyncio.gather(*workers)

    async def _work(self, session: aiohttp.ClientSession) -> None:
        while not self.stop.is_set():
            request = self._requests.next()
            # Time lost while nobody answered is not made up for.
            self._due = max(self._due, time.monotonic() - 1.0) + request.lines / self._rate
            await asyncio.sleep(self._due - time.monotonic())
            self._write(
                send=request.number,
                first=request.first,
                lines=request.lines,
                bad=request.bad,
                keyed=request.is_keyed,
            )
            copies = 2 if request.has_twin else 1
            await asyncio.gather(*(self._deliver(session, request) for _ in range(copies)))

    async def _deliver(self, session: aiohttp.ClientSession, request: Request) -> None:
        pause = 0.05
        while True:
            status, reply = await self._post(session, request)
            if not request.is_keyed or not (status == 0 or status in _TRY_AGAIN):
                break
            if status == 500:
                self._write(odd=request.number, status=status, reply=reply)
            await asyncio.sleep(pause)
            pause = min(0.5, pause * 2)
        self._write(done=request.number, status=status, at=time.time(), **reply)

    async def _post(
        self, session: aiohttp.ClientSession, request: Request
    ) -> tuple[int, dict[str, Any]]:
        """Status and reply; 0 when no whole answer came."""
        try:
            async with session.post(
                next(self._urls), data=request.body, headers=request.headers
            ) as answer:
                reply = await answer.json()
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
            return 0, {}
        kept = ("accepted", "ids", "durable", "rejected", "error")
        return answer.status, {name: reply[name] for name in kept if name in reply}

    def _write(self, **entry: object) -> None:
        # One unbuffered write: what is in the file survives a kill of this process.
        self._log.write(json.dumps(entry, separators=(",", ":")).encode() + b"\n")


async def _main(arguments: argparse.Namespace) -> None:
    requests = Requests(arguments.run, arguments.seed, arguments.twins)
    with arguments.log.open("ab", buffering=0) as log:
        sender = Sender(arguments.url, requests, log, arguments.rate)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, sender.stop.set)
        await sender.run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", action="append", required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--run", required=True, help="a word that no other sender has")
    parser.add_argument("--rate", type=float, default=LINES_PER_SECOND, help="lines a second")
    parser.add_argument("--twins", type=float, default=TWINS, help="share sent twice at once")
    parser.add_argument("--seed", type=int, default=1)
    asyncio.run(_main(parser.parse_args()))

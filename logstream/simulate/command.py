"""`logstream simulate`: the shop's log lines and spans, sent as they happen."""

import argparse
import asyncio
import contextlib
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TextIO

import msgspec

from logstream.errors import SettingsError
from logstream.model import NANOS_PER_SECOND
from logstream.settings import Settings
from logstream.simulate.incidents import INCIDENTS, make_incident
from logstream.simulate.sender import SPANS, Acknowledged, Sender
from logstream.simulate.shop import Recurring, Shop
from logstream.wiring import sender_authorization

TICK_SECONDS = 0.05
STATUS_SECONDS = 10.0
FLUSH_SECONDS = 15.0
FLUSH_SECONDS_WHEN_STOPPED = 1.5
RECURRING_SECONDS = 90.0
LINES_PER_STEP = 2_000
BACKFILL_WAITING_LINES = 10_000
MAX_RATE = 100_000.0

_encode = msgspec.json.Encoder().encode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `logstream simulate`."""
    parser.add_argument(
        "--rate", type=_rate, default=20.0, metavar="N", help="mean log lines a second (default 20)"
    )
    parser.add_argument(
        "--steady", action="store_true", help="the same rate all day, without the daily rhythm"
    )
    parser.add_argument(
        "--incident",
        action="append",
        default=[],
        type=_incident_name,
        metavar="NAME",
        help=f"an incident to play, repeatable: {', '.join(INCIDENTS)}",
    )
    parser.add_argument(
        "--incident-after",
        type=_seconds_or_zero,
        default=30.0,
        metavar="SECONDS",
        help="seconds from the start to the incidents (default 30)",
    )
    parser.add_argument(
        "--incident-for",
        type=_seconds,
        default=180.0,
        metavar="SECONDS",
        help="how long each incident lasts (default 180)",
    )
    parser.add_argument(
        "--incidents-every",
        type=_minutes,
        metavar="MINUTES",
        help=f"a random incident of {RECURRING_SECONDS:.0f} s every so many minutes (at least 2)",
    )
    parser.add_argument(
        "--seed", type=int, metavar="S", help="the same seed and start give the same lines"
    )
    parser.add_argument(
        "--environment", type=_word, default="demo", metavar="ENV", help="default: demo"
    )
    parser.add_argument(
        "--duration", type=_seconds, metavar="SECONDS", help="default: until stopped"
    )
    parser.add_argument(
        "--backfill-minutes",
        type=_seconds_or_zero,
        default=0.0,
        metavar="M",
        help="first send the last M minutes, quickly, with their own times (default 0)",
    )
    parser.add_argument(
        "--truth",
        type=Path,
        metavar="FILE",
        help="append one JSON line for each incident when it ends",
    )
    parser.add_argument(
        "--ack-log",
        type=Path,
        metavar="FILE",
        help="append one JSON line for each acknowledged batch",
    )
    parser.add_argument(
        "--no-spans", action="store_true", help="send log lines only, no spans of the requests"
    )
    parser.add_argument(
        "--senders", type=_count, default=2, metavar="K", help="connections (default 2)"
    )


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Send until the duration is over or SIGINT or SIGTERM comes.

    0 when every line made was accepted, 1 when some were not. Raises SettingsError when a
    file cannot be written.
    """
    with contextlib.ExitStack() as files:
        simulation = _Simulation(
            args,
            settings.url,
            sender_authorization(settings, "simulate"),
            truth=_appending(files, "--truth", args.truth),
            ack_log=_appending(files, "--ack-log", args.ack_log),
        )
        return asyncio.run(simulation.run())


@dataclass
class _Simulation:
    """One run of the command."""

    args: argparse.Namespace
    url: str
    authorization: Callable[[], dict[str, str]]
    truth: TextIO | None
    ack_log: TextIO | None
    told: int = field(default=0, init=False)

    async def run(self) -> int:
        """Everything from the first line to the summary; gives the exit code."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(signal_number, stop.set)
        began = time.monotonic()
        start = time.time_ns()
        shop = self._shop(start)
        to_service = partial(Sender, self.url, authorization=self.authorization, say=_say)
        async with (
            to_service(
                connections=self.args.senders,
                on_acknowledged=self._write_acknowledged if self.ack_log is not None else None,
            ) as lines,
            to_service(feed=SPANS, connections=1) as spans,
        ):
            cursor = await self._send(shop, lines, spans, stop, start)
            within = FLUSH_SECONDS_WHEN_STOPPED if stop.is_set() else FLUSH_SECONDS
            senders = {"lines": lines, "spans": spans}
            flushed = await asyncio.gather(*(one.flush(within) for one in senders.values()))
            self._write_truth(shop, stopped_at=cursor)
            seconds = time.monotonic() - began
            if not self.args.no_spans:
                _say("spans: " + _status(spans, seconds))
            _say("finished: " + _status(lines, seconds))
            for (name, sender), is_flushed in zip(senders.items(), flushed, strict=True):
                if not is_flushed:
                    _say(f"{sender.waiting} {name} were not acknowledged by {self.url} in time")
            counts = [sender.counts for sender in senders.values()]
            is_whole = all(count.accepted == count.offered for count in counts)
            return 0 if all(flushed) and is_whole else 1

    def _shop(self, start: int) -> Shop:
        args = self.args
        seed = args.seed if args.seed is not None else random.SystemRandom().getrandbits(32)
        recurring = args.incidents_every
        shown = f"{args.rate:g} lines/s to {self.url}, environment {args.environment}, seed {seed}"
        _say(shown)
        return Shop(
            seed,
            start - round(args.backfill_minutes * 60 * NANOS_PER_SECOND),
            args.rate,
            environment=args.environment,
            incidents=[
                make_incident(
                    name, start + round(args.incident_after * NANOS_PER_SECOND), args.incident_for
                )
                for name in args.incident
            ],
            recurring=Recurring(recurring * 60, RECURRING_SECONDS) if recurring else None,
            is_steady=args.steady,
        )

    async def _send(
        self, shop: Shop, lines: Sender, spans: Sender, stop: asyncio.Event, start: int
    ) -> int:
        """Offer each line and span when its time has come; the simulated time reached."""
        cursor: int = start - round(self.args.backfill_minutes * 60 * NANOS_PER_SECOND)
        duration: float | None = self.args.duration
        end = None if duration is None else start + round(duration * NANOS_PER_SECOND)
        step = round(max(TICK_SECONDS, LINES_PER_STEP / self.args.rate) * NANOS_PER_SECOND)
        began = next_status = time.monotonic()
        while not stop.is_set() and (end is None or cursor < end):
            if time.monotonic() >= next_status + STATUS_SECONDS:
                next_status += STATUS_SECONDS
                _say(_status(lines, time.monotonic() - began))
            if cursor < start and lines.waiting + spans.waiting > BACKFILL_WAITING_LINES:
                await _wait(stop, TICK_SECONDS)
                continue
            now = time.time_ns()
            target = now if end is None else min(now, end)
            cursor = max(cursor, min(target, cursor + step))
            await lines.offer([_encode(record) for record in shop.lines_until(cursor)])
            if self.args.no_spans:
                shop.forget_spans()
            else:
                await spans.offer(shop.spans_until(cursor))
            self._write_truth(shop)
            is_behind = cursor < target
            await _wait(stop, 0.0 if is_behind else TICK_SECONDS)
        return cursor

    def _write_acknowledged(self, acknowledged: Acknowledged) -> None:
        if self.ack_log is not None:
            self.ack_log.write(_encode(acknowledged).decode() + "\n")
            self.ack_log.flush()

    def _write_truth(self, shop: Shop, stopped_at: int | None = None) -> None:
        """Append the incidents that ended since the last call, or were cut off by the stop."""
        rows = [incident.truth() for incident in shop.finished[self.told :]]
        self.told = len(shop.finished)
        if stopped_at is not None:
            rows += [incident.truth(stopped_at) for incident in shop.running]
        for row in rows:
            _say(f"incident {row['incident']} at {row['service']} {row['from']} to {row['to']}")
            if self.truth is not None:
                self.truth.write(_encode(row).decode() + "\n")
                self.truth.flush()


def _status(sender: Sender, seconds: float) -> str:
    counts = sender.counts
    return (
        f"{counts.offered} sent, {counts.accepted} accepted "
        f"({counts.accepted / max(seconds, 0.001):.1f}/s), {counts.rejected} rejected, "
        f"{counts.retries} retries, {sender.waiting} waiting, {counts.dropped} dropped"
    )


def _say(text: str) -> None:
    print(f"simulate: {text}", flush=True)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    """Sleep, or less when the stop comes."""
    if seconds <= 0:
        await asyncio.sleep(0)
        return
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


def _appending(files: contextlib.ExitStack, option: str, path: Path | None) -> TextIO | None:
    if path is None:
        return None
    try:
        return files.enter_context(path.open("a", encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            f"{option} {path} cannot be written: {error.strerror}", "name a file you may write"
        ) from None


def _incident_name(text: str) -> str:
    if text not in INCIDENTS:
        raise argparse.ArgumentTypeError(
            f"incident '{text}' is not known; use one of {', '.join(INCIDENTS)}"
        )
    return text


def _word(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("an empty name is not an environment; use e.g. demo")
    return text.strip()


def _number(
    what: str, low: float, high: float, *, is_low_allowed: bool = True
) -> Callable[[str], float]:
    """A parser for numbers in a range, whose message names the value and the range."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if low <= value <= high and (is_low_allowed or value > low):
            return value
        over = "" if is_low_allowed else "more than "
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a {what}; give a number from {over}{low:g} to {high:g}"
        )

    return parse


_rate = _number("rate in lines a second", 0, MAX_RATE, is_low_allowed=False)
_seconds = _number("time in seconds", 0, 31_536_000, is_low_allowed=False)
_seconds_or_zero = _number("time", 0, 31_536_000)
_minutes = _number("time in minutes", 2, 525_600)


def _count(text: str) -> int:
    value = _number("number of connections", 1, 64)(text)
    if value != int(value):
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of connections")
    return int(value)

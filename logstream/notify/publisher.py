"""The publisher: tells viewers what landed, at most one frame per environment and window.

`announce` is called on the landing path right after COMMIT, so it only counts. A
background task sends: at once when the environment has been quiet for a window, else at
the end of the window. A lost push costs a moment, never a log line: it is counted, logged
once per outage, and viewers see the hole in the sequence.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from logstream.errors import PushFailed
from logstream.model import LogRecord
from logstream.notify.frames import FrameBuilder, group_of, light
from logstream.ports import Push

WINDOW_SECONDS = 0.1
SEND_TIMEOUT_SECONDS = 2.0
# How soon a hub that failed is asked again though no line lands.
PROBE_SECONDS = 5.0
# A group that nobody is ever in.
PROBE_GROUP = "probe"
_SENDS_AT_ONCE = 16

logger = logging.getLogger(__name__)


def groups_of(environment: str, *, is_light: bool = False) -> tuple[str, str]:
    """Who is told of an environment's lines: its own viewers and those of everything."""
    return group_of(environment, light=is_light), group_of(None, light=is_light)


class Publisher:
    """Coalesces landed records into frames and sends them through a Push.

    While sends are running, what lands keeps coalescing, so nothing piles up behind a slow
    hub. `frames_sent` and `frames_failed` count frames (a frame goes to two groups, and in
    light form to two more); `last_error` and `last_error_at` (Unix seconds) describe the
    latest failure. `has_audience(group)` may say that nobody listens: then that group is sent
    nothing, and a frame without any audience is not even made. Who joins later reads from the
    database. With `probe_seconds` the hub is tried at the start, and again so long after a
    failure, whether or not lines land: so that `problem` is true now.
    """

    def __init__(
        self,
        push: Push,
        *,
        window_seconds: float = WINDOW_SECONDS,
        send_timeout_seconds: float = SEND_TIMEOUT_SECONDS,
        builder: FrameBuilder | None = None,
        has_audience: Callable[[str], bool] = lambda _group: True,
        probe_seconds: float | None = None,
    ) -> None:
        self.frames_sent = 0
        self.frames_failed = 0
        self.last_error: str | None = None
        self.last_error_at: float | None = None
        self._push = push
        self._window_seconds = window_seconds
        self._send_timeout_seconds = send_timeout_seconds
        self._builder = builder or FrameBuilder()
        self._has_audience = has_audience
        self._probe_seconds = probe_seconds
        self._prober: asyncio.Task[None] | None = None
        self._open_at: dict[str, float] = {}
        self._wake = asyncio.Event()
        self._sending = asyncio.Semaphore(_SENDS_AT_ONCE)
        self._task: asyncio.Task[None] | None = None
        self._is_closing = False
        self._is_down = False

    @property
    def lines_skipped(self) -> int:
        """Lines of environments beyond what one frame round holds; never announced."""
        return self._builder.lines_skipped

    @property
    def problem(self) -> str:
        """Why viewers are told nothing now, in one sentence; empty when all is well."""
        return f"pushing fails: {self.last_error}" if self._is_down else ""

    def announce(self, first_id: int, records: Sequence[LogRecord]) -> None:
        """Note landed records, whose ids are consecutive from `first_id`.

        Called in the event loop; never blocks and never raises.
        """
        try:
            if self._builder.add(first_id, records):
                self._wake.set()
        except Exception as error:
            # The rows are committed; whatever goes wrong here must not fail their request.
            self._note_failure(error)

    def name_patterns(self, pattern_of: Callable[[LogRecord], int]) -> None:
        """Let lines of frames carry their pattern: 0 when it is not known; must not block."""
        self._builder.pattern_of = pattern_of

    def start(self) -> None:
        """Begin sending; needs a running event loop."""
        if self._task is None:
            self._is_closing = False
            self._task = asyncio.get_running_loop().create_task(self._run(), name="publisher")
            if self._probe_seconds is not None:
                self._prober = asyncio.create_task(self._probe(self._probe_seconds))

    async def close(self) -> None:
        """Send what is waiting once, then stop."""
        if self._prober is not None:
            self._prober.cancel()
            self._prober = None
        task, self._task = self._task, None
        if task is not None:
            self._is_closing = True
            self._wake.set()
            await task

    async def _run(self) -> None:
        while not self._is_closing:
            await self._wait_until_due()
            await self._send_due()
        await self._send_due()

    async def _wait_until_due(self) -> None:
        while not self._is_closing:
            now = asyncio.get_running_loop().time()
            waits = [self._open_at.get(name, now) - now for name in self._builder.waiting]
            if waits and min(waits) <= 0:
                return
            self._wake.clear()
            try:
                async with asyncio.timeout(min(waits, default=None)):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _send_due(self) -> None:
        now = asyncio.get_running_loop().time()
        self._open_at = {name: at for name, at in self._open_at.items() if at > now}
        due = [
            name for name in self._builder.waiting if self._is_closing or name not in self._open_at
        ]
        for name in due:
            self._open_at[name] = now + self._window_seconds
        heard = [name for name in due if self._is_heard(name)]
        self._builder.drop(set(due).difference(heard))
        try:
            frames = self._builder.take(time.time_ns() // 1_000_000, heard)
        except Exception as error:
            self._note_failure(error)
            return
        await asyncio.gather(*(self._send(frame) for frame in frames))

    async def _send(self, frame: dict[str, Any]) -> None:
        try:
            async with self._sending, asyncio.timeout(self._send_timeout_seconds):
                outcomes = await asyncio.gather(
                    *(self._push.send(group, told) for group, told in self._tellings(frame)),
                    return_exceptions=True,
                )
            for outcome in outcomes:
                if isinstance(outcome, BaseException):
                    raise outcome
        except Exception as error:
            # Any failure of any transport: a push is a hint, the database holds the truth.
            self._note_failure(error)
        else:
            self.frames_sent += 1
            self._note_success()

    def _is_heard(self, environment: str) -> bool:
        groups = groups_of(environment) + groups_of(environment, is_light=True)
        return any(map(self._has_audience, groups))

    def _tellings(self, frame: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each group to be told, and its form of the frame."""
        for is_light in (False, True):
            groups = groups_of(frame["environment"], is_light=is_light)
            heard = [group for group in groups if self._has_audience(group)]
            told = light(frame) if is_light and heard else frame
            yield from ((group, told) for group in heard)

    async def _probe(self, seconds: float) -> None:
        is_untried = True
        while True:
            if self._is_down or (is_untried and not self.frames_sent):
                is_untried = False
                try:
                    async with asyncio.timeout(self._send_timeout_seconds):
                        await self._push.send(PROBE_GROUP, {"type": "probe"})
                except Exception as error:
                    self._note_outage(error)
                else:
                    self._note_success()
            await asyncio.sleep(seconds)

    def _note_success(self) -> None:
        if self._is_down:
            self._is_down = False
            logger.warning("pushing works again; %d frames failed so far", self.frames_failed)

    def _note_failure(self, error: Exception) -> None:
        self.frames_failed += 1
        self._note_outage(error)

    def _note_outage(self, error: Exception) -> None:
        if isinstance(error, TimeoutError):
            self.last_error = f"no answer within {self._send_timeout_seconds:g} s"
        elif isinstance(error, PushFailed):
            self.last_error = error.message
        else:
            self.last_error = f"{type(error).__name__}: {error}"
        self.last_error_at = time.time()
        # While closing, a built-in hub may be gone already: nothing anybody should act on.
        if not self._is_down and not self._is_closing:
            self._is_down = True
            logger.warning(
                "pushing to viewers fails (%s); lines are stored, pages poll until it works again",
                self.last_error,
            )

"""The publisher: tells viewers what landed, at most one frame per environment and window.

`announce` is called on the landing path right after COMMIT, so it only counts. A
background task sends: at once when the environment has been quiet for a window, else at
the end of the window. A lost push costs a moment, never a log line: it is counted, logged
once per outage, and viewers see the hole in the sequence.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from logstream.model import LogRecord
from logstream.notify.frames import FrameBuilder, group_of
from logstream.ports import Push

WINDOW_SECONDS = 0.1
SEND_TIMEOUT_SECONDS = 2.0
_SENDS_AT_ONCE = 16

logger = logging.getLogger(__name__)


def groups_of(environment: str) -> tuple[str, str]:
    """Who is told of an environment's lines: its own viewers and those of everything."""
    return group_of(environment), group_of(None)


class Publisher:
    """Coalesces landed records into frames and sends them through a Push.

    While sends are running, what lands keeps coalescing, so nothing piles up behind a slow
    hub. `frames_sent` and `frames_failed` count frames (a frame goes to two groups);
    `last_error` and `last_error_at` (Unix seconds) describe the latest failure.
    `has_audience(group)` may say that nobody listens: then that group is sent nothing, and
    a frame without any audience is not even made. Who joins later reads from the database.
    """

    def __init__(
        self,
        push: Push,
        *,
        window_seconds: float = WINDOW_SECONDS,
        send_timeout_seconds: float = SEND_TIMEOUT_SECONDS,
        builder: FrameBuilder | None = None,
        has_audience: Callable[[str], bool] = lambda _group: True,
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

    def start(self) -> None:
        """Begin sending; needs a running event loop."""
        if self._task is None:
            self._is_closing = False
            self._task = asyncio.get_running_loop().create_task(self._run(), name="publisher")

    async def close(self) -> None:
        """Send what is waiting once, then stop."""
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
        heard = [name for name in due if any(map(self._has_audience, groups_of(name)))]
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
                    *(
                        self._push.send(group, frame)
                        for group in groups_of(frame["environment"])
                        if self._has_audience(group)
                    ),
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
            if self._is_down:
                self._is_down = False
                logger.warning("pushing works again; %d frames failed so far", self.frames_failed)

    def _note_failure(self, error: Exception) -> None:
        self.frames_failed += 1
        self.last_error = (
            f"no answer within {self._send_timeout_seconds:g} s"
            if isinstance(error, TimeoutError)
            else f"{type(error).__name__}: {error}"
        )
        self.last_error_at = time.time()
        # While closing, a built-in hub may be gone already: nothing anybody should act on.
        if not self._is_down and not self._is_closing:
            self._is_down = True
            logger.warning(
                "pushing to viewers fails (%s); lines are stored, pages poll until it works again",
                self.last_error,
            )

"""One answer for all who ask the same within a second.

A hundred viewers of one page cost one query: whoever asks while the answer is on its way
waits for it, whoever asks soon after gets it again. Errors are not kept. What was received
long ago does not change by what lands now, so answers about that are kept for longer.
"""

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from logstream.model import NANOS_PER_SECOND
from logstream.ports import Received

FRESH_SECONDS = 1.0
MAX_ANSWERS = 200
# What was received so long ago has landed; only a spool may still bring more.
PAST_SECONDS = 10.0
PAST_FRESH_SECONDS = 60.0
# Of the past, answers that hold no more lines than these together.
MAX_PAST_LINES = 50_000
# How often in a row, and then per second, landing may end the life of all answers.
_MAX_FORGETTINGS = 20.0
_FORGETTINGS_PER_SECOND = 1.0

Answer = TypeVar("Answer")


@dataclass
class _Kept:
    answer: "Future[Any]"
    until: float
    is_of_past: bool
    lines: int = 0

    def is_stale(self) -> bool:
        return self.answer.done() and time.monotonic() >= self.until


class SharedAnswers:
    """Answers by their questions; safe to share between threads.

    Answers are shared, so nobody may change them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[Hashable, _Kept] = {}
        self._forgettings = _MAX_FORGETTINGS
        self._forgotten_at = time.monotonic()

    def forget(self) -> None:
        """Something landed in this process: who sent it and asks for it must see it.

        Under steady traffic this is heeded once a second, or nothing would ever be shared.
        """
        with self._lock:
            now = time.monotonic()
            earned = (now - self._forgotten_at) * _FORGETTINGS_PER_SECOND
            self._forgettings = min(_MAX_FORGETTINGS, self._forgettings + earned)
            self._forgotten_at = now
            if self._forgettings >= 1:
                self._forgettings -= 1
                self._kept = {
                    question: kept for question, kept in self._kept.items() if kept.is_of_past
                }

    def of(
        self,
        question: Hashable,
        ask: Callable[[], Answer],
        received_before: int | None = None,
    ) -> Answer:
        """The kept answer, or a new one; longer kept when it is all of lines received long ago."""
        is_of_past = (
            received_before is not None
            and received_before < time.time_ns() - PAST_SECONDS * NANOS_PER_SECOND
        )
        seconds = PAST_FRESH_SECONDS if is_of_past else FRESH_SECONDS
        with self._lock:
            kept = self._kept.get(question)
            if kept is None or kept.is_stale():
                kept = None
                self._make_room()
                answer: Future[Answer] = Future()
                mine = _Kept(answer, time.monotonic() + seconds, is_of_past)
                self._kept[question] = mine
        if kept is not None:
            shared: Answer = kept.answer.result()
            return shared
        try:
            found = ask()
        except BaseException as error:
            with self._lock:
                if self._kept.get(question) is mine:
                    del self._kept[question]
            answer.set_exception(error)
            raise
        if is_of_past:
            mine.lines = len(getattr(found, "lines", ()))
            # The next line may come any moment.
            if isinstance(found, Received) and found.next_unix_nano is None:
                mine.until, mine.is_of_past = time.monotonic() + FRESH_SECONDS, False
        answer.set_result(found)
        return found

    def _make_room(self) -> None:
        for question in [one for one, kept in self._kept.items() if kept.is_stale()]:
            del self._kept[question]
        lines = sum(kept.lines for kept in self._kept.values())
        while len(self._kept) >= MAX_ANSWERS or lines > MAX_PAST_LINES:
            lines -= self._kept.pop(next(iter(self._kept))).lines

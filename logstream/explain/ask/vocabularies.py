"""Vocabularies kept for a while, one for each scope: reading one asks the store a lot."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from logstream.errors import LogStreamError
from logstream.explain.ask.vocabulary import Vocabulary

FRESH_SECONDS = 30.0
# An older one is served while it is read anew, up to this age.
USABLE_SECONDS = 900.0
MOST_SCOPES = 50

# The only environment that the asker may read (None: any), and the one whose aliases count.
Scope = tuple[str | None, str | None]


@dataclass
class _Kept:
    vocabulary: Vocabulary
    read_at: float
    is_being_read: bool = False


class Vocabularies:
    """Safe to share between threads; nobody waits for a vocabulary but the first who asks."""

    def __init__(
        self, read: Callable[[Scope], Vocabulary], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._read = read
        self._clock = clock
        self._lock = threading.Lock()
        self._reading: dict[Scope, threading.Lock] = {}
        self._kept: dict[Scope, _Kept] = {}
        self._times_forgotten = 0

    def of(self, scope: Scope, most_seconds: float = USABLE_SECONDS) -> Vocabulary:
        """The vocabulary of a scope, at most so old; raises what reading the store raises."""
        now = self._clock()
        with self._lock:
            kept = self._kept.get(scope)
            one_at_a_time = self._reading.setdefault(scope, threading.Lock())
            if kept is not None and now - kept.read_at < most_seconds:
                if now - kept.read_at >= FRESH_SECONDS and not kept.is_being_read:
                    kept.is_being_read = True
                    threading.Thread(
                        target=self._renew, args=(scope, kept), name="vocabulary", daemon=True
                    ).start()
                return kept.vocabulary
        with one_at_a_time:
            with self._lock:
                other = self._kept.get(scope)
            if other is not None and other is not kept:
                return other.vocabulary
            return self._read_and_keep(scope)

    def forget(self) -> None:
        """Read anew what is asked for from now on: what words mean has changed."""
        with self._lock:
            self._kept.clear()
            self._times_forgotten += 1

    def _renew(self, scope: Scope, kept: _Kept) -> None:
        try:
            self._read_and_keep(scope)
        except LogStreamError:
            pass  # the old one serves until it is too old
        finally:
            kept.is_being_read = False

    def _read_and_keep(self, scope: Scope) -> Vocabulary:
        read_at, times_forgotten = self._clock(), self._times_forgotten
        vocabulary = self._read(scope)
        with self._lock:
            if times_forgotten != self._times_forgotten:
                return vocabulary  # what was forgotten may still be in it
            if scope not in self._kept and len(self._kept) >= MOST_SCOPES:
                oldest = min(self._kept, key=lambda one: self._kept[one].read_at)
                del self._kept[oldest]
            self._kept[scope] = _Kept(vocabulary, read_at)
        return vocabulary

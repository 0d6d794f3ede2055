"""How many refused records are kept, and the note that one was sent again.

Whoever may send may send rubbish: what is kept of it is bounded per minute here and in
all by upkeep, so that a flood fills neither the table nor the disk. All of it is counted.
"""

import time
from collections.abc import Callable, Sequence

import psycopg

from logstream.errors import StoreUnavailable
from logstream.model import Reject

# Kept from one request.
MAX_REJECTS_KEPT = 100
MAX_BYTES_A_MINUTE = 16 * 1024 * 1024
# What a row costs beside its texts.
_ROW_BYTES = 200


class RejectBudget:
    """What one writer may keep in a minute."""

    def __init__(
        self, max_bytes: int = MAX_BYTES_A_MINUTE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._max_bytes = max_bytes
        self._clock = clock
        self._minute = 0
        self._used = 0

    def kept(self, rejects: Sequence[Reject]) -> Sequence[Reject]:
        """The first rejects of a request, as many as are still kept in this minute."""
        if not rejects:
            return rejects
        minute = int(self._clock() // 60)
        if minute != self._minute:
            self._minute, self._used = minute, 0
        for position, reject in enumerate(rejects[:MAX_REJECTS_KEPT]):
            self._used += len(reject.raw) + len(reject.error) + _ROW_BYTES
            if self._used > self._max_bytes:
                return rejects[:position]
        return rejects[:MAX_REJECTS_KEPT]


def mark_resent(database_url: str, reject_id: int) -> None:
    """Note that a refused record was sent again and taken; raises StoreUnavailable."""
    try:
        with psycopg.connect(database_url, connect_timeout=5, autocommit=True) as connection:
            connection.execute(
                "UPDATE rejects SET resent_at = coalesce(resent_at, now()) WHERE id = %s",
                [reject_id],
            )
    except psycopg.OperationalError as error:
        raise StoreUnavailable("the database does not answer", "try again soon") from error

"""The seams of LogStream: what each part may rely on and must promise.

Writing is async, reading is sync (the ingest service calls a reader from a worker
thread). Adapters take plain arguments; `wiring.py` chooses them.
"""

from collections.abc import Sequence
from typing import Any, Literal, Protocol

import msgspec

from logstream.filter import LogFilter
from logstream.model import Decoded, LogLine, LogRecord, Reject, TrendBucket


class Batch(msgspec.Struct, frozen=True, gc=False):
    """What one request asks to be landed together.

    `key` makes a retry harmless: landing two batches with one key stores the rows once
    and gives both callers the first reply. `size_bytes` is the body's size, for limits;
    `environment` is the default its rejects are filed under.
    """

    records: Sequence[LogRecord]
    rejects: Sequence[Reject] = ()
    key: str | None = None
    size_bytes: int = 0
    environment: str = ""


class Landed(msgspec.Struct, frozen=True, gc=False):
    """The outcome of a batch that is durable: committed, or kept in the spool.

    Ids are given in the order of the records; `first_id` and `last_id` are inclusive and
    None when no record was stored, or none has an id yet (`durable` is `spool`).
    `rejects` holds the decoder's and the store's own.
    `is_replay` is True when the key was seen before and nothing new was stored.
    """

    first_id: int | None
    last_id: int | None
    accepted: int
    rejects: Sequence[Reject] = ()
    is_replay: bool = False
    durable: Literal["database", "spool"] = "database"


class Decoder(Protocol):
    """Turns the bytes of one body into records; pure, no I/O, no clock of its own."""

    def __call__(
        self, body: bytes, *, received_unix_nano: int, default_environment: str
    ) -> Decoded:
        """Good records and rejects of a body (already decompressed).

        Raises DecodeError when the body as a whole cannot be read.
        """
        ...


class LogWriter(Protocol):
    """Lands batches durably. May keep the batch until `land` returns."""

    async def land(self, batch: Batch) -> Landed:
        """Returns once the batch is durable: after COMMIT, or after an fsync into the spool.

        Raises StoreUnavailable when the rows are not stored and will not be.
        """
        ...


class Push(Protocol):
    """Tells viewers what is new. A push is a hint; the database holds the truth."""

    async def send(self, group: str, frame: dict[str, Any]) -> None:
        """Deliver a JSON frame to everybody in the group; may raise, never retried."""
        ...


class LogReader(Protocol):
    """Answers questions from what is stored; sync, safe to call from many threads.

    Every method raises StoreUnavailable when the database cannot be reached and
    QueryTimeout when the statement timeout ends the question. `now_unix_nano` is what a
    relative range counts back from.
    """

    def recent(
        self,
        log_filter: LogFilter,
        *,
        limit: int,
        now_unix_nano: int,
        before: tuple[int, int] | None = None,
    ) -> list[LogLine]:
        """Newest matching lines first, ordered by (timestamp, id) descending.

        A reader with memory may answer the newest lines it knows while the database is away, with
        id 0 for a line in the spool.

        `before` is the (timestamp_unix_nano, id) of the last line of the page before.
        """
        ...

    def lines_by_id_range(
        self, log_filter: LogFilter, first_id: int, last_id: int, *, limit: int, now_unix_nano: int
    ) -> list[LogLine]:
        """Matching lines with first_id <= id <= last_id, newest id first (fills a gap)."""
        ...

    def line(self, line_id: int) -> LogLine | None:
        """One line, whole; None when it does not exist (any more)."""
        ...

    def why_missing(self, line_id: int) -> tuple[str, str]:
        """(what happened, what else to know) for an id that `line` did not find."""
        ...

    def severity_breakdown(
        self, log_filter: LogFilter, *, now_unix_nano: int
    ) -> list[tuple[str, int]]:
        """(severity word, count), gravest first, the six groups always, zeros included."""
        ...

    def trend(
        self, log_filter: LogFilter, *, bucket_seconds: int, now_unix_nano: int
    ) -> list[TrendBucket]:
        """Buckets aligned to the UTC clock, oldest first, empty ones included as zero."""
        ...

    def facet(
        self, log_filter: LogFilter, field: str, *, limit: int, now_unix_nano: int
    ) -> list[tuple[str, int]]:
        """(value, count) of `service`, `severity` or `env`, most frequent first.

        The filter's own condition on that field is left out, so that a facet never
        narrows its own options.
        """
        ...

    def environments(self) -> list[str]:
        """Every environment that has ever sent a line, alphabetical."""
        ...

    def system(self) -> dict[str, Any]:
        """Facts about the store for the System page: version, sizes, segments, rejects."""
        ...

    def segment_care(self) -> dict[str, Any]:
        """How far sealing and retention are: segments by state, what waits, what was removed."""
        ...

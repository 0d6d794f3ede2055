"""The seams of LogStream: what each part may rely on and must promise.

Writing is async, reading is sync (the ingest service calls a reader from a worker
thread). Adapters take plain arguments; `wiring.py` chooses them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol

import msgspec

from logstream.filter import LogFilter
from logstream.kept_reject import KeptReject, RejectCount, RejectFilter
from logstream.model import Decoded, LogLine, LogRecord, Reject, Span, TrendBucket
from logstream.saved_view import SavedView

FACETS = ("severity", "service", "env")


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """One body as a decoder sees it: decompressed, with what else the sender said.

    `content_type` is the media type alone, in lower case; `path` is percent-decoded. Of a
    parameter or header given twice the last counts; names of headers are in lower case.
    Values of headers are text as Latin-1 reads it. With `wants_origins` the decoder says
    where each field came from. A body of more than `max_records` is refused as a whole.
    """

    body: bytes
    received_unix_nano: int
    default_environment: str
    naive_timezone: str = "UTC"
    content_type: str = ""
    path: str = ""
    parameters: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    wants_origins: bool = False
    max_records: int = 100_000


class Batch(msgspec.Struct, frozen=True, gc=False):
    """What one request asks to be landed together.

    `key` makes a retry harmless: landing two batches with one key stores the rows once
    and gives both callers the first reply. `size_bytes` is the body's size, for limits;
    `environment` is the default its rejects are filed under, `format` the wire format and
    `sender` the visible part of the API key that they came with.
    """

    records: Sequence[LogRecord]
    rejects: Sequence[Reject] = ()
    key: str | None = None
    size_bytes: int = 0
    environment: str = ""
    spans: Sequence[Span] = ()
    format: str = "native"
    sender: str = ""

    @property
    def row_count(self) -> int:
        """Records and spans."""
        return len(self.records) + len(self.spans)


class Landed(msgspec.Struct, frozen=True, gc=False):
    """The outcome of a batch that is durable: committed, or kept in the spool.

    Ids are given in the order of the records; `first_id` and `last_id` are inclusive and
    None when no record was stored, or none has an id yet (`durable` is `spool`). `accepted`
    counts records and spans.
    `rejects` holds the decoder's and the store's own.
    `is_replay` is True when the key was seen before and nothing new was stored.
    """

    first_id: int | None
    last_id: int | None
    accepted: int
    rejects: Sequence[Reject] = ()
    is_replay: bool = False
    durable: Literal["database", "spool"] = "database"


class SearchPage(msgspec.Struct, frozen=True):
    """Matching lines, newest first, and how far the search came.

    `before` continues it: the (timestamp_unix_nano, id) that the next page lies before; None
    exactly when no older line matches. Everything down to `searched_to_unix_nano` was
    searched (None: everything there is). `is_complete` is False when time was over before
    the page was full: there may be older lines that nobody has looked at.
    """

    lines: Sequence[LogLine]
    before: tuple[int, int] | None
    searched_to_unix_nano: int | None
    is_complete: bool


class LineContext(msgspec.Struct, frozen=True):
    """A line with its neighbours, all newest first."""

    before: Sequence[LogLine]
    line: LogLine
    after: Sequence[LogLine]


class ReceivedCount(msgspec.Struct, frozen=True, gc=False):
    """How many lines of one kind were received in one part of an interval.

    `minute_unix_seconds` is the beginning of the minute of the lines' own timestamps.
    """

    slot: int
    environment: str
    service_name: str
    severity: str
    minute_unix_seconds: int
    count: int


class Received(msgspec.Struct, frozen=True):
    """What was received in an interval: lines ordered by (receipt, id), and counts of all.

    `lines` is an even sample when it holds fewer than `total`. No line was received from the
    end of the interval up to `next_unix_nano`, where the next one was; or, when looking for a
    rare one took too long, where looking goes on. None: none was received after the interval.
    """

    lines: Sequence[LogLine]
    total: int
    counts: Sequence[ReceivedCount]
    next_unix_nano: int | None

    @property
    def is_sample(self) -> bool:
        """True when there are more lines than these."""
        return len(self.lines) < self.total


class FieldFacts(msgspec.Struct, frozen=True, gc=False):
    """One attribute among the lines looked at.

    `name` is a member of the attributes, dots for steps into nested objects. `lines` carry it,
    with `distinct` values, of which `values` are the most frequent, as text; a long one is cut
    and says so. `kind` is `text`, `number`, `flag`, `mixed`, or `structured`: arrays and objects,
    whose values no search can name, so that there are none here.
    """

    name: str
    lines: int
    distinct: int
    values: Sequence[tuple[str, int]]
    kind: str


class Fields(msgspec.Struct, frozen=True):
    """Every attribute of the `looked` newest lines of the `total` that match.

    Most widespread first. Exact for all matching lines when the two are equal.
    """

    fields: Sequence[FieldFacts]
    looked: int
    total: int


class SeverityBucket(msgspec.Struct, frozen=True, gc=False):
    """Lines of one piece of time by severity: all six words, gravest first, zeros included.

    `previous` is how many there were in the piece as far back as the time asked about is long;
    None when that was not asked.
    """

    start_unix_seconds: int
    end_unix_seconds: int
    counts: Mapping[str, int]
    previous: int | None = None

    @property
    def total(self) -> int:
        """Lines of any severity."""
        return sum(self.counts.values())


class PatternCount(msgspec.Struct, frozen=True, gc=False):
    """One pattern among the lines meant.

    `template` is its text with typed places: `order <num> packed in <duration>`. `severity` is
    the gravest word that it occurs with. `trend` counts by bucket, oldest first. `is_new`: never
    seen before the time asked about.
    """

    id: int
    template: str
    example: str
    count: int
    severity: str
    severities: Mapping[str, int]
    services: Sequence[str]
    first_seen: datetime
    last_seen: datetime
    is_new: bool
    trend: Sequence[int]


class Patterns(msgspec.Struct, frozen=True):
    """The most frequent patterns, exactly counted; `total` lines match in all."""

    patterns: Sequence[PatternCount]
    pattern_count: int
    total: int
    bucket_seconds: int
    first_bucket_unix_seconds: int


class PlaceValues(msgspec.Struct, frozen=True, gc=False):
    """What stands at one typed place of a template, most frequent first, of `distinct` values."""

    kind: str
    values: Sequence[tuple[str, int]]
    distinct: int


class PatternValues(msgspec.Struct, frozen=True):
    """The places of a template from left to right, over the `looked` newest of its lines."""

    places: Sequence[PlaceValues]
    looked: int
    total: int


class Difference(msgspec.Struct, frozen=True, gc=False):
    """One value that is more (or less) frequent in a selection than in its baseline.

    `field` is `severity`, `service`, `env`, `pattern` or `attribute:NAME`; `label` is the value
    for people (a pattern's template). Shares are of all lines of each side. `lift` is share by
    baseline share; `p_value` of the difference, corrected for the number of values compared.
    """

    field: str
    value: str
    label: str
    count: int
    share: float
    baseline_count: int
    baseline_share: float
    lift: float
    p_value: float


class Differences(msgspec.Struct, frozen=True):
    """What a selection has more of than its baseline: most telling first."""

    differences: Sequence[Difference]
    total: int
    baseline_total: int
    looked: int
    baseline_looked: int


class Decoder(Protocol):
    """Turns the bytes of one body into records and spans; pure, no I/O, no clock of its own."""

    def __call__(self, arrival: Arrival) -> Decoded:
        """What the body holds: good records beside rejects, each of which says why.

        Raises DecodeError when the body as a whole cannot be read, and TooLarge when it holds
        too many records, as far as possible before it has made them.
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


class ChatMessage(msgspec.Struct, frozen=True):
    """One turn of a conversation with a model."""

    role: Literal["system", "user", "assistant"]
    content: str


class ChatAnswer(msgspec.Struct, frozen=True):
    """What a model said, and what it cost; tokens are None where the server does not say."""

    text: str
    model: str
    prompt_tokens: int | None = None
    answer_tokens: int | None = None


class ChatModel(Protocol):
    """A language model that answers in JSON, as far as it can. Its answer is untrusted text."""

    @property
    def name(self) -> str:
        """What people call it: the model, or the deployment."""
        ...

    @property
    def rest_seconds(self) -> float:
        """How long it had better not be asked, since it failed a moment ago; 0 when it may."""
        ...

    async def complete(
        self, messages: Sequence[ChatMessage], schema: Mapping[str, Any], *, seconds: float
    ) -> ChatAnswer:
        """The model's next turn, which should be a JSON object as `schema` says; check it.

        Raises ModelUnavailable when none came within so many seconds, retries included.
        """
        ...

    async def close(self) -> None:
        """Give back all connections."""
        ...


class LogReader(Protocol):
    """Answers questions from what is stored; sync, safe to call from many threads.

    Every method raises StoreUnavailable when the database cannot be reached and
    QueryTimeout when the statement timeout ends the question. `now_unix_nano` is what a
    relative range counts back from. Answers may be shared: nobody may change one.
    """

    def close(self) -> None:
        """Give back all connections."""
        ...

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

    def search(
        self,
        log_filter: LogFilter,
        *,
        limit: int,
        now_unix_nano: int,
        before: tuple[int, int] | None = None,
        budget_seconds: float | None = 2.0,
    ) -> SearchPage:
        """A page of matching lines, newest first by (timestamp, id), and what is known of the rest.

        Pages that follow each other's `before` give every line once, also while others land.
        A search of text that no index answers ends when `budget_seconds` are over.
        """
        ...

    def context(
        self,
        line_id: int,
        *,
        before: int,
        after: int,
        within: LogFilter | None = None,
        at: datetime | None = None,
    ) -> LineContext | None:
        """A line between its neighbours of the same service and environment.

        `within` names other neighbours; LogFilter() means every line. With `at` only those
        that were received before it.

        None when the line does not exist (any more).
        """
        ...

    def lines_by_id_range(
        self, log_filter: LogFilter, first_id: int, last_id: int, *, limit: int, now_unix_nano: int
    ) -> list[LogLine]:
        """Matching lines with first_id <= id <= last_id, newest id first (fills a gap)."""
        ...

    def received(
        self,
        log_filter: LogFilter,
        start_unix_nano: int,
        end_unix_nano: int,
        *,
        limit: int,
        slots: int,
    ) -> Received:
        """What the filter means of the lines with start <= time of receipt < end.

        Counts are by `slots` equal parts of the interval. The filter's own times (range, start,
        end, at) do not count. A line that waited in a spool appears when it has landed, at the
        time of its receipt.
        """
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

    def trend_by_severity(
        self,
        log_filter: LogFilter,
        *,
        bucket_seconds: int,
        now_unix_nano: int,
        zone: str = "UTC",
        with_previous: bool = False,
    ) -> list[SeverityBucket]:
        """Buckets as the zone's clock cuts its days, oldest first, empty ones included.

        Weeks begin on Mondays; the day of a clock change has 23 or 25 hours. The buckets before
        are counted as far as the present one has come, so that the two sums compare.
        """
        ...

    def facet(
        self, log_filter: LogFilter, field: str, *, limit: int, now_unix_nano: int
    ) -> list[tuple[str, int]]:
        """(value, count) of `service`, `severity` or `env`, most frequent first.

        The filter's own condition on that field is left out, so that a facet never
        narrows its own options.
        """
        ...

    def facets(
        self,
        log_filter: LogFilter,
        *,
        limit: int,
        now_unix_nano: int,
        fields: tuple[str, ...] = FACETS,
    ) -> dict[str, list[tuple[str, int]]]:
        """`facet` of each field, counted once for all: FACETS, `pattern`, `attribute:NAME`.

        Values of attributes are as text, of the newest 20,000 lines; those of `pattern` are ids.
        A field's own terms in `q` are left out too: of patterns and attributes there are no other.
        """
        ...

    def fields(
        self, log_filter: LogFilter, *, values: int, now_unix_nano: int, most_lines: int = 20_000
    ) -> Fields:
        """Every attribute of the newest `most_lines` matching lines, `values` values of each."""
        ...

    def patterns(
        self, log_filter: LogFilter, *, limit: int, buckets: int, now_unix_nano: int
    ) -> Patterns:
        """The most frequent patterns of the lines meant, with a trend of about `buckets` pieces."""
        ...

    def pattern_values(
        self, log_filter: LogFilter, pattern_id: int, *, values: int, now_unix_nano: int
    ) -> PatternValues | None:
        """What stands at the places of one pattern; None when there is no such pattern."""
        ...

    def differences(
        self, log_filter: LogFilter, baseline: LogFilter, *, limit: int, now_unix_nano: int
    ) -> Differences:
        """What distinguishes the lines of one filter from those of another (a spike, explained)."""
        ...

    def environments(self) -> list[str]:
        """Every environment that has ever sent a line, alphabetical."""
        ...

    def system(self) -> dict[str, Any]:
        """Facts about the store for the System page: version, sizes, segments."""
        ...

    def rejects(
        self, wanted: RejectFilter, *, limit: int, before_id: int | None = None
    ) -> list[KeptReject]:
        """Refused records that are kept, newest first, with the beginning of their bytes.

        `before_id` is the id of the last one of the page before.
        """
        ...

    def reject(self, reject_id: int) -> KeptReject | None:
        """One refused record with all bytes kept of it; None when it is not there (any more)."""
        ...

    def reject_counts(self, wanted: RejectFilter) -> list[RejectCount]:
        """Refused records that are kept, by format, reason and sender, most first."""
        ...

    def saved_views(self) -> list[SavedView]:
        """Every saved view, by name."""
        ...

    def saved_view(self, view_id: str) -> SavedView | None:
        """One saved view; None when there is none (any more)."""
        ...

    def segment_care(self) -> dict[str, Any]:
        """How far sealing and retention are: segments by state, what waits, what was removed."""
        ...

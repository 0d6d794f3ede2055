"""Every number LogStream tells about itself, by Prometheus' naming conventions.

`GET /metrics` shows these; the System page draws the same ones. One registry a process;
`totals.py` adds up those of several.
"""

import functools
import time
from bisect import bisect_left
from collections import Counter as Counts
from collections import deque
from collections.abc import Sequence
from math import isinf

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (
    0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075,
    0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0, 10.0, 30.0,
)  # fmt: skip
_FEW_SECONDS = (0.001, 0.005, 0.02, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_ROWS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)

LINES_ACCEPTED = Counter(
    "logstream_lines_accepted_total", "Log records committed.", ["format", "environment"]
)
SPANS_ACCEPTED = Counter(
    "logstream_spans_accepted_total", "Spans committed.", ["format", "environment"]
)
LINES_REJECTED = Counter(
    "logstream_lines_rejected_total", "Log records and spans refused.", ["format", "reason"]
)
BODY_BYTES = Counter("logstream_body_bytes_total", "Bytes of request bodies read.", ["format"])
REQUESTS = Counter(
    "logstream_requests_total", "Requests that bring records, by their answer.",
    ["format", "status"],
)  # fmt: skip
REQUEST_SECONDS = Histogram(
    "logstream_request_seconds", "From the head of such a request to its answer, in seconds.",
    ["format"], buckets=_FEW_SECONDS,
)  # fmt: skip
SLOW_REQUESTS = Counter(
    "logstream_slow_requests_total", "Requests answered 408: head or body came too slowly."
)
DATAGRAMS_DROPPED = Counter(
    "logstream_datagrams_dropped_total",
    "Datagrams that were not read: no room, a foreign network, or a message never completed.",
    ["listener", "reason"],
)
CONNECTIONS_REFUSED = Counter(
    "logstream_connections_refused_total",
    "TCP connections to a listener that were closed: a foreign network, or too many.",
    ["listener", "reason"],
)
REPLAYS = Counter(
    "logstream_replayed_batches_total", "Batches answered from an earlier one with the same key."
)
LAND_SECONDS = Histogram(
    "logstream_land_seconds", "From a decoded body to its COMMIT, in seconds.", buckets=_SECONDS
)
COMMIT_SECONDS = Histogram(
    "logstream_commit_seconds", "One group commit, in seconds.", buckets=_SECONDS
)
COMMIT_ROWS = Histogram("logstream_commit_rows", "Rows in one group commit.", buckets=_ROWS)
LAND_RETRIES = Counter(
    "logstream_land_retries_total", "Group commits tried again after losing the database."
)
PENDING_BYTES = Gauge("logstream_pending_bytes", "Bytes of bodies waiting to be landed.")
SPOOL_BYTES = Gauge("logstream_spool_bytes", "Bytes in the spool, waiting for the database.")
SPOOLED_LINES = Counter(
    "logstream_spooled_lines_total", "Log records and spans that went into the spool."
)
SPOOL_LINES = Gauge("logstream_spool_lines", "Log records and spans in the spool.")
SPOOL_MAX_BYTES = Gauge("logstream_spool_max_bytes", "Largest size of the spool, in bytes.")
SPOOL_NEARLY_FULL = Gauge("logstream_spool_nearly_full", "1 from 80 % of the largest size on.")
SPOOL_OLDEST_SECONDS = Gauge(
    "logstream_spool_oldest_seconds", "Age of the oldest group in the spool, 0 when empty."
)
SPOOL_DAMAGED_FILES = Gauge(
    "logstream_spool_damaged_files", "Spool files in which bytes could not be read."
)
SPOOL_FOLDERS_TAKEN_OVER = Gauge(
    "logstream_spool_folders_taken_over", "Spools of ended processes found at start."
)
DATABASE_UP = Gauge("logstream_database_up", "1 when lines can be landed in the database.")
PUSH_CLIENTS = Gauge("logstream_push_clients", "Viewers connected to the built-in hub.")
PUSH_SLOW_CLIENTS = Gauge(
    "logstream_push_slow_clients", "Viewers of the built-in hub that are a second behind or more."
)
PUSH_CLIENTS_CLOSED = Gauge(
    "logstream_push_clients_closed",
    "Viewers closed as too slow by the built-in hub since start.",
)
PUSH_MESSAGES_DROPPED = Gauge(
    "logstream_push_messages_dropped",
    "Messages that the built-in hub left out for viewers that were too slow, since start.",
)
FRAMES_SENT = Gauge("logstream_frames_sent", "Frames given to Web PubSub since start.")
FRAMES_FAILED = Gauge("logstream_frames_failed", "Frames that Web PubSub did not take.")
PROCESSES = Gauge("logstream_processes", "Ingest processes that answer.")
# Read from the database's catalogue, because another process seals and removes.
SEGMENTS = Gauge("logstream_segments", "Segments by state.", ["state"])
SEAL_WAITING_LINES = Gauge(
    "logstream_seal_waiting_lines", "Lines in closed segments that are not sealed yet."
)
SEAL_WAITING_SECONDS = Gauge(
    "logstream_seal_waiting_seconds", "Time since the oldest of them was closed, in seconds."
)
SEAL_STEP_SECONDS = Gauge(
    "logstream_seal_step_seconds", "Each step of the newest sealing, in seconds.", ["step"]
)
REMOVED_LINES = Gauge("logstream_retention_removed_lines", "Lines that retention has ever removed.")
AI_SECONDS = Histogram(
    "logstream_ai_seconds", "Answers of the language model, in seconds.", buckets=_FEW_SECONDS
)
QUERY_SECONDS = Histogram(
    "logstream_query_seconds", "Questions asked of the database, in seconds.", ["question"],
    buckets=_SECONDS,
)  # fmt: skip


@functools.cache
def counter_of(counter: Counter, *labels: str) -> Counter:
    """The counter with its labels' values; remembered, since the library looks it up slowly."""
    return counter.labels(*labels)


@functools.cache
def histogram_of(histogram: Histogram, *labels: str) -> Histogram:
    """The histogram with its labels' values, remembered likewise."""
    return histogram.labels(*labels)


def add(counter: Counter, amount: float = 1) -> None:
    """Count up, without the library's checks on every call."""
    counter._value.inc(amount)


def observe(histogram: Histogram, value: float) -> None:
    """Observe one value, which the library does slower."""
    histogram._buckets[bisect_left(histogram._upper_bounds, value)].inc(1)
    histogram._sum.inc(value)


def observe_all(histogram: Histogram, values: Sequence[float]) -> None:
    """Observe many values at once, which the library does one by one and slower."""
    bounds = histogram._upper_bounds
    for position, count in Counts(bisect_left(bounds, value) for value in values).items():
        histogram._buckets[position].inc(count)
    histogram._sum.inc(sum(values))


def sample_count(histogram: Histogram) -> int:
    """How many values were observed."""
    return int(sum(bucket.get() for bucket in histogram._buckets))


def quantile(histogram: Histogram, q: float) -> float | None:
    """The q-quantile estimated from the histogram's buckets; see `bucket_quantile`."""
    counts = [bucket.get() for bucket in histogram._buckets]
    return bucket_quantile(list(zip(histogram._upper_bounds, counts, strict=True)), q)


def bucket_quantile(buckets: Sequence[tuple[float, float]], q: float) -> float | None:
    """The q-quantile of (upper bound, count) pairs (linear inside one); None without samples.

    The estimate is never below the lower bound of the bucket it falls into, and a value
    beyond the last finite bound is given as that bound.
    """
    total = sum(in_bucket for _, in_bucket in buckets)
    if not total:
        return None
    rank, seen, lower = q * total, 0.0, 0.0
    for upper, in_bucket in buckets:
        if in_bucket and seen + in_bucket >= rank:
            if isinf(upper):
                return lower
            return float(lower + (upper - lower) * (rank - seen) / in_bucket)
        seen, lower = seen + in_bucket, upper
    return lower


class SecondRates:
    """How many lines each of the last seconds brought, for the System page."""

    def __init__(self, keep_seconds: int = 600) -> None:
        self._counts: deque[tuple[int, int]] = deque(maxlen=keep_seconds)

    def add(self, lines: int, now: float | None = None) -> None:
        """Count `lines` into the current second."""
        second = int(time.time() if now is None else now)
        if self._counts and self._counts[-1][0] == second:
            self._counts[-1] = (second, self._counts[-1][1] + lines)
        else:
            self._counts.append((second, lines))

    def series(self, seconds: int = 600, now: float | None = None) -> list[tuple[int, int]]:
        """(unix second, lines), oldest first, silent seconds as zero, the current one left out."""
        end = int(time.time() if now is None else now)
        known = dict(self._counts)
        return [(second, known.get(second, 0)) for second in range(end - seconds, end)]


ACCEPTED_PER_SECOND = SecondRates()

"""The last lines this process accepted, kept in memory for questions while the database is away."""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from logstream.filter import LogFilter
from logstream.model import LogLine, LogRecord
from logstream.ports import Batch

MAX_LINES = 5_000
MAX_BYTES = 16 * 1024 * 1024
# Id of a line that waits in the spool: it gets its own when it lands.
NO_ID = 0


@dataclass(eq=False)
class _Run:
    """Records with consecutive ids, or none yet; `key` is the sender's."""

    first_id: int
    records: Sequence[LogRecord]
    key: str | None = None


class RecentLines:
    """The newest accepted lines, bounded by count and bytes; safe to use from any thread."""

    def __init__(self, max_lines: int = MAX_LINES, max_bytes: int = MAX_BYTES) -> None:
        self._max_lines = max_lines
        self._max_bytes = max_bytes
        self._runs: deque[_Run] = deque()
        self._lines = 0
        self._bytes = 0
        # Runs that wait in the spool, by their last record, and their senders' keys.
        self._spooled: dict[LogRecord, list[_Run]] = {}
        self._keys: set[str] = set()
        self._lock = threading.Lock()

    def landed(self, first_id: int, records: Sequence[LogRecord]) -> None:
        """Keep committed lines; those known from the spool get their ids."""
        with self._lock:
            if not (self._spooled and self._give_ids(first_id, records)):
                self._add(_Run(first_id, records))

    def spooled(self, batches: Sequence[Batch]) -> None:
        """Keep lines that are safe in the spool; a batch that is sent again is kept once."""
        with self._lock:
            for batch in batches:
                if not batch.records or batch.key in self._keys:
                    continue
                run = _Run(NO_ID, batch.records, batch.key)
                self._spooled.setdefault(batch.records[-1], []).append(run)
                if batch.key is not None:
                    self._keys.add(batch.key)
                self._add(run)

    def matching(self, log_filter: LogFilter, now_unix_nano: int) -> list[LogLine]:
        """Every line kept that the filter means, newest first by timestamp, then by arrival."""
        with self._lock:
            runs = [(run.first_id, run.records) for run in self._runs]
        lines = [
            _line(first_id + number if first_id else NO_ID, record)
            for first_id, records in runs
            for number, record in enumerate(records)
        ]
        found = [line for line in reversed(lines) if log_filter.matches(line, now_unix_nano)]
        found.sort(key=lambda line: line.timestamp_unix_nano, reverse=True)
        return found

    def line(self, line_id: int) -> LogLine | None:
        """The line with this id when it is among those kept."""
        with self._lock:
            for run in self._runs:
                if run.first_id and run.first_id <= line_id < run.first_id + len(run.records):
                    return _line(line_id, run.records[line_id - run.first_id])
        return None

    def _add(self, run: _Run) -> None:
        self._runs.append(run)
        self._lines += len(run.records)
        self._bytes += _bytes(run.records)
        while self._lines > self._max_lines or self._bytes > self._max_bytes:
            self._forget_some()

    def _forget_some(self) -> None:
        """Drop the older half of the oldest run."""
        run = self._runs[0]
        dropped = (len(run.records) + 1) // 2
        self._lines -= dropped
        self._bytes -= _bytes(run.records[:dropped])
        if dropped == len(run.records):
            self._runs.popleft()
            if not run.first_id:
                self._no_longer_spooled(run)
        if run.first_id:
            run.first_id += dropped
        run.records = run.records[dropped:]

    def _give_ids(self, first_id: int, records: Sequence[LogRecord]) -> bool:
        """Whether these records were the ones of a batch in the spool, in the same order."""
        for run in self._spooled.get(records[-1], ()):
            older = len(records) - len(run.records)
            if older >= 0 and list(run.records) == list(records[older:]):
                self._no_longer_spooled(run)
                run.first_id = first_id + older
                return True
        return False

    def _no_longer_spooled(self, run: _Run) -> None:
        last = run.records[-1]
        self._spooled[last].remove(run)
        if not self._spooled[last]:
            del self._spooled[last]
        if run.key is not None:
            self._keys.discard(run.key)


def _bytes(records: Sequence[LogRecord]) -> int:
    return sum(len(record.body) + len(record.attributes) for record in records)


def _line(line_id: int, record: LogRecord) -> LogLine:
    return LogLine(
        id=line_id,
        timestamp_unix_nano=record.timestamp_unix_nano,
        observed_unix_nano=record.observed_unix_nano,
        environment=record.environment,
        service_name=record.service_name,
        severity_number=record.severity_number,
        body=record.body,
        severity_text=record.severity_text,
        trace_id=record.trace_id,
        span_id=record.span_id,
        duration_ms=record.duration_ms,
        attributes=msgspec.json.decode(record.attributes),
    )

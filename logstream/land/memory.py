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
# Forgetting is put off until so many are too many, because landing pays for it.
SLACK = 1.25


@dataclass(eq=False, slots=True)
class _Run:
    """Records with consecutive ids, or none yet; `key` is the sender's.

    `lines` are the records as answers need them, made when first asked for.
    """

    first_id: int
    records: Sequence[LogRecord]
    bytes: int
    key: str | None = None
    lines: list[LogLine] | None = None


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
            if self._spooled and self._give_ids(first_id, records):
                return
            older = max(0, len(records) - self._max_lines)
            if older:
                first_id, records = first_id + older, records[older:]
            self._add(_Run(first_id, records, _bytes(records)))

    def spooled(self, batches: Sequence[Batch]) -> None:
        """Keep lines that are safe in the spool; a batch that is sent again is kept once."""
        with self._lock:
            for batch in batches:
                if not batch.records or batch.key in self._keys:
                    continue
                run = _Run(NO_ID, batch.records, _bytes(batch.records), batch.key)
                self._spooled.setdefault(batch.records[-1], []).append(run)
                if batch.key is not None:
                    self._keys.add(batch.key)
                self._add(run)

    def matching(self, log_filter: LogFilter, now_unix_nano: int) -> list[LogLine]:
        """Every line kept that the filter means, newest first by timestamp, then by arrival."""
        with self._lock:
            self._trim()
            lines = [line for run in self._runs for line in _lines(run)]
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
        self._bytes += run.bytes
        if self._lines > self._max_lines * SLACK or self._bytes > self._max_bytes:
            self._trim()

    def _trim(self) -> None:
        while self._lines > self._max_lines:
            oldest = self._runs[0]
            self._forget(oldest, min(len(oldest.records), self._lines - self._max_lines))
        while self._bytes > self._max_bytes:
            oldest = self._runs[0]
            self._forget(oldest, (len(oldest.records) + 1) // 2)

    def _forget(self, run: _Run, count: int) -> None:
        """Drop so many of the oldest records, which are those of this run."""
        size = run.bytes if count == len(run.records) else _bytes(run.records[:count])
        self._lines -= count
        self._bytes -= size
        if count == len(run.records):
            self._runs.popleft()
            if not run.first_id:
                self._no_longer_spooled(run)
            return
        if run.first_id:
            run.first_id += count
        run.records, run.bytes, run.lines = run.records[count:], run.bytes - size, None

    def _give_ids(self, first_id: int, records: Sequence[LogRecord]) -> bool:
        """Whether these records were the ones of a batch in the spool, in the same order."""
        for run in self._spooled.get(records[-1], ()):
            older = len(records) - len(run.records)
            if older >= 0 and list(run.records) == list(records[older:]):
                self._no_longer_spooled(run)
                run.first_id, run.lines = first_id + older, None
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
    return sum([len(record.body) + len(record.attributes) for record in records])


def _lines(run: _Run) -> list[LogLine]:
    if run.lines is None:
        run.lines = [
            _line(run.first_id + number if run.first_id else NO_ID, record)
            for number, record in enumerate(run.records)
        ]
    return run.lines


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

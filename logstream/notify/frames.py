"""Frames: what viewers are told about newly landed lines. Pure, no clock, no I/O.

One frame covers one environment and one window of time. It counts everything that
landed and carries the newest lines up to a cap; a viewer that wants the others, or that
sees a hole in the sequence, asks the database.
"""

import re
import secrets
from collections import Counter, deque
from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from logstream.model import LogLine, LogRecord, Severity

EVERYBODY = "logs"
# Carries every line up to 2,000 lines a second, more than anybody reads.
MAX_LINES = 200
MAX_FRAME_BYTES = 256 * 1024
MAX_FIELD_BYTES = 8 * 1024
MAX_PENDING_ENVIRONMENTS = 1000
# The fixed fields of a frame, with room for long numbers.
_ENVELOPE_BYTES = 512

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")
_ESCAPED = re.compile(r"(?:\.[0-9a-f]{2})+")


def group_of(environment: str | None) -> str:
    """The Web PubSub group of one environment; None means the group of them all.

    Every character outside [A-Za-z0-9_-] becomes `.` and two hexadecimal digits for each
    of its UTF-8 bytes, because group names travel in REST paths.
    """
    if environment is None:
        return EVERYBODY
    return f"{EVERYBODY}." + _UNSAFE.sub(
        lambda match: "".join(f".{byte:02x}" for byte in match[0].encode()), environment
    )


def environment_of(group: str) -> str | None:
    """The inverse of `group_of`; raises ValueError when the group is none of ours."""
    if group == EVERYBODY:
        return None
    prefix, dot, escaped = group.partition(".")
    if prefix != EVERYBODY or not dot:
        raise ValueError(f"group '{group}' does not begin with '{EVERYBODY}.'")
    environment = _ESCAPED.sub(
        lambda match: bytes.fromhex(match[0].replace(".", "")).decode(), escaped
    )
    if group_of(environment) != group:
        raise ValueError(f"group '{group}' is not an escaped environment")
    return environment


class _Carried(msgspec.Struct, gc=False):
    """A line to be drawn, its long fields already cut; sizes are those before the cut."""

    id: int
    record: LogRecord
    message_bytes: int | None
    metadata_bytes: int | None


class _Pending:
    """What landed in one environment since its last frame."""

    def __init__(self, max_lines: int) -> None:
        self.first_id: int | None = None
        self.last_id = 0
        self.counts: Counter[tuple[str, int]] = Counter()
        self.newest: deque[_Carried] = deque(maxlen=max_lines)

    def stretch(self, first_id: int, last_id: int) -> None:
        self.first_id = first_id if self.first_id is None else min(self.first_id, first_id)
        self.last_id = max(self.last_id, last_id)


class FrameBuilder:
    """Gathers landed records and turns them into frames when asked.

    Adding counts every record and keeps only the newest `max_lines` of an environment, so
    its cost and memory do not depend on how long the frame has to wait. The sequence of
    (publisher, environment) starts at 1 and has no holes but for what was not announced:
    records that could not be kept, and frames that could not be sent.
    """

    def __init__(
        self,
        publisher: str | None = None,
        *,
        max_lines: int = MAX_LINES,
        max_frame_bytes: int = MAX_FRAME_BYTES,
        max_pending_environments: int = MAX_PENDING_ENVIRONMENTS,
    ) -> None:
        self.publisher = publisher or secrets.token_hex(4)
        self.lines_skipped = 0
        self._max_lines = max_lines
        self._max_frame_bytes = max_frame_bytes
        self._max_pending = max_pending_environments
        self._pending: dict[str, _Pending] = {}
        self._sequence: Counter[str] = Counter()

    @property
    def waiting(self) -> list[str]:
        """Environments for which there is something to send."""
        return list(self._pending)

    def add(self, first_id: int, records: Sequence[LogRecord]) -> bool:
        """Count the records, whose ids are consecutive from `first_id`.

        True when an environment that had nothing to send now has.
        """
        counts = Counter(
            [
                (record.environment, record.service_name, record.severity_number)
                for record in records
            ]
        )
        places: dict[str, _Pending] = {}
        before = len(self._pending)
        for (environment, service, severity_number), count in counts.items():
            place = places.get(environment) or self._place(environment)
            if place is None:
                self.lines_skipped += count
                continue
            places[environment] = place
            place.counts[service, severity_number] += count
        if len(places) == 1 and len({environment for environment, _, _ in counts}) == 1:
            (place,) = places.values()
            place.stretch(first_id, first_id + len(records) - 1)
            start = max(0, len(records) - self._max_lines)
            place.newest.extend(
                _cut(first_id + index, records[index]) for index in range(start, len(records))
            )
        else:
            self._add_mixed(first_id, records, places)
        return len(self._pending) > before

    def take(self, now_unix_ms: int, environments: Collection[str]) -> list[dict[str, Any]]:
        """One frame for each of the environments that has something to send."""
        frames = []
        for environment in environments:
            pending = self._pending.pop(environment, None)
            if pending is not None:
                self._sequence[environment] += 1
                frames.append(self._frame(environment, pending, now_unix_ms))
        return frames

    def drop(self, environments: Collection[str]) -> None:
        """Forget what waits for these; no number is used up, for nobody was listening."""
        for environment in environments:
            self._pending.pop(environment, None)

    def _place(self, environment: str) -> _Pending | None:
        pending = self._pending.get(environment)
        if pending is None:
            if len(self._pending) >= self._max_pending:
                # A number is used up, so that its viewers notice the gap and ask.
                self._sequence[environment] += 1
                return None
            pending = self._pending[environment] = _Pending(self._max_lines)
        return pending

    def _add_mixed(
        self, first_id: int, records: Sequence[LogRecord], places: dict[str, _Pending]
    ) -> None:
        newest: dict[str, list[int]] = {}
        for index, record in enumerate(records):
            newest.setdefault(record.environment, []).append(index)
        for environment, place in places.items():
            indexes = newest[environment]
            place.stretch(first_id + indexes[0], first_id + indexes[-1])
            place.newest.extend(
                _cut(first_id + index, records[index]) for index in indexes[-self._max_lines :]
            )

    def _frame(self, environment: str, pending: _Pending, now_unix_ms: int) -> dict[str, Any]:
        counts, counts_bytes = _rendered_counts(pending.counts, self._max_frame_bytes // 4)
        room = self._max_frame_bytes - _ENVELOPE_BYTES - counts_bytes
        lines: list[dict[str, Any]] = []
        for carried in sorted(pending.newest, key=lambda carried: carried.id, reverse=True):
            line = _rendered(carried)
            room -= len(msgspec.json.encode(line)) + 1
            if room < 0:
                break
            lines.append(line)
        lines.reverse()
        frame = {
            "type": "frame",
            "environment": environment,
            "publisher": self.publisher,
            "sequence": self._sequence[environment],
            "firstId": pending.first_id,
            "lastId": pending.last_id,
            "total": pending.counts.total(),
            "counts": counts,
            "lines": lines,
            "sentUnixMs": now_unix_ms,
        }
        counted = sum(entry["count"] for entry in counts)
        if counted < pending.counts.total():
            # So that nobody concludes from `counts` that a service sent nothing.
            frame["uncounted"] = pending.counts.total() - counted
        return frame


def _cut(line_id: int, record: LogRecord) -> _Carried:
    # A character takes at most four bytes, so short texts need no encoding to be known short.
    body = record.body
    message_bytes = None
    if len(body) > MAX_FIELD_BYTES // 4:
        encoded = body.encode("utf-8", "replace")
        if len(encoded) > MAX_FIELD_BYTES:
            message_bytes = len(encoded)
            body = encoded[:MAX_FIELD_BYTES].decode("utf-8", "ignore")
    metadata_bytes = len(record.attributes) if len(record.attributes) > MAX_FIELD_BYTES else None
    if message_bytes is not None or metadata_bytes is not None:
        attributes = b"{}" if metadata_bytes is not None else record.attributes
        record = msgspec.structs.replace(record, body=body, attributes=attributes)
    return _Carried(line_id, record, message_bytes, metadata_bytes)


def _rendered(carried: _Carried) -> dict[str, Any]:
    record, metadata_bytes = carried.record, carried.metadata_bytes
    try:
        attributes = msgspec.json.decode(record.attributes, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        # JSON that a browser could not hold either, such as 1e999: the line's page shows it.
        attributes, metadata_bytes = {}, len(record.attributes)
    line = LogLine(
        id=carried.id,
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
        attributes=attributes,
    ).to_api()
    if carried.message_bytes is not None:
        line["messageBytes"] = carried.message_bytes
    if metadata_bytes is not None:
        line["metadataBytes"] = metadata_bytes
    return line


def _rendered_counts(
    counts: Counter[tuple[str, int]], room: int
) -> tuple[list[dict[str, Any]], int]:
    """Counts by service and severity group, most frequent first, as many as fit; their size."""
    by_group: Counter[tuple[str, Severity]] = Counter()
    for (service, severity_number), count in counts.items():
        by_group[service, Severity.of(severity_number)] += count
    rendered: list[dict[str, Any]] = []
    used = 0
    for (service, severity), count in by_group.most_common():
        entry = {"source": service, "severity": severity.word, "count": count}
        size = len(msgspec.json.encode(entry)) + 1
        if used + size > room:
            break
        used += size
        rendered.append(entry)
    return rendered, used

"""Frames: what viewers are told about newly landed lines. Pure, no clock, no I/O.

One frame covers one environment and one window of time. It counts everything that landed,
by service, severity and minute of the lines' own timestamps, and carries the lines: all of
them up to a cap, above it an even sample. A viewer that wants the others, or that sees a
hole in the sequence, asks the database. docs/realtime.md has every field.
"""

import re
import secrets
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from operator import itemgetter
from random import getrandbits
from typing import Any

import msgspec

from logstream.model import (
    NANOS_PER_MINUTE,
    NANOS_PER_SECOND,
    LogLine,
    LogRecord,
    Severity,
)
from logstream.notify.sampling import Sample, evenly

EVERYBODY = "logs"
LIGHT = "logs-light"
# Carries every line up to 2,000 lines a second, more than anybody reads.
MAX_LINES = 200
# Above that a frame carries only so small a part of it: 500 lines a second.
SAMPLED_SHARE = 4
MAX_FRAME_BYTES = 256 * 1024
MAX_FIELD_BYTES = 8 * 1024
MAX_PENDING_ENVIRONMENTS = 1000
MAX_COUNTS = 20_000
# Ten light frames a second are 40 KB, which a slow telephone line carries.
MAX_LIGHT_LINES = 20
MAX_LIGHT_BYTES = 4 * 1024
MAX_LIGHT_CHARACTERS = 200
# The fixed fields of a frame, with room for long numbers.
_ENVELOPE_BYTES = 512

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")
_ESCAPED = re.compile(r"(?:\.[0-9a-f]{2})+")


def group_of(environment: str | None, *, light: bool = False) -> str:
    """The Web PubSub group of one environment; None means the group of them all.

    Every character outside [A-Za-z0-9_-] becomes `.` and two hexadecimal digits for each
    of its UTF-8 bytes, because group names travel in REST paths. The light group of an
    environment is told the same in light frames.
    """
    prefix = LIGHT if light else EVERYBODY
    if environment is None:
        return prefix
    return f"{prefix}." + _UNSAFE.sub(
        lambda match: "".join(f".{byte:02x}" for byte in match[0].encode()), environment
    )


def environment_of(group: str) -> str | None:
    """The inverse of `group_of`; raises ValueError when the group is none of ours."""
    if group in (EVERYBODY, LIGHT):
        return None
    prefix, dot, escaped = group.partition(".")
    if prefix not in (EVERYBODY, LIGHT) or not dot:
        raise ValueError(f"group '{group}' does not begin with '{EVERYBODY}.' or '{LIGHT}.'")
    environment = _ESCAPED.sub(
        lambda match: bytes.fromhex(match[0].replace(".", "")).decode(), escaped
    )
    if group_of(environment, light=prefix == LIGHT) != group:
        raise ValueError(f"group '{group}' is not an escaped environment")
    return environment


# A line to be drawn, its long fields already cut: id, record, and of the message and of the
# metadata the bytes before the cut, None when whole.
_Carried = tuple[int, LogRecord, int | None, int | None]
# Service, severity number and minute since the epoch.
_Counted = tuple[str, int, int]


class _Pending:
    """What landed in one environment since its last frame."""

    def __init__(self, max_lines: int) -> None:
        self.first_id: int | None = None
        self.last_id = 0
        self.total = 0
        self.counts: dict[_Counted, int] = {}
        self.sample: Sample[_Carried] = Sample(max_lines, getrandbits(32))

    def count(self, service: str, severity_number: int, minute: int, count: int) -> None:
        self.total += count
        counted = (service, severity_number, minute)
        known = self.counts.get(counted, 0)
        if known or len(self.counts) < MAX_COUNTS:
            self.counts[counted] = known + count

    def keep(self, first_id: int, records: Sequence[LogRecord], indexes: Sequence[int]) -> None:
        """Note the records at these indexes, whose ids are first_id + index."""
        lowest, highest = first_id + indexes[0], first_id + indexes[-1]
        if self.first_id is None or lowest < self.first_id:
            self.first_id = lowest
        if highest > self.last_id:
            self.last_id = highest
        chosen = self.sample.chosen(len(indexes))
        if chosen:
            # Cut here, because a frame may wait, and a line may have megabytes. A character
            # takes at most four bytes, so short texts need no encoding to be known short.
            self.sample.kept += [
                (first_id + index, record, None, None)
                if len((record := records[index := indexes[place]]).body) <= MAX_FIELD_BYTES // 4
                and len(record.attributes) <= MAX_FIELD_BYTES
                else _cut(first_id + index, record)
                for place in chosen
            ]


class FrameBuilder:
    """Gathers landed records and turns them into frames when asked.

    Adding counts every record and keeps an even sample of an environment's lines, at most
    `max_lines`, so its cost and memory do not depend on how long the frame has to wait.
    The sequence of
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
        # The pattern of a record that has landed; 0: not known.
        self.pattern_of: Callable[[LogRecord], int] = lambda _record: 0
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
        before = len(self._pending)
        if len(records) == 1:
            self._add_one(first_id, records[0])
        elif records:
            self._add_many(first_id, records)
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

    def _add_one(self, first_id: int, record: LogRecord) -> None:
        place = self._place(record.environment)
        if place is None:
            self.lines_skipped += 1
            return
        minute = record.timestamp_unix_nano // NANOS_PER_MINUTE
        place.count(record.service_name, record.severity_number, minute, 1)
        place.keep(first_id, (record,), (0,))

    def _add_many(self, first_id: int, records: Sequence[LogRecord]) -> None:
        times = [record.timestamp_unix_nano for record in records]
        minute = min(times) // NANOS_PER_MINUTE
        is_one_minute = max(times) // NANOS_PER_MINUTE == minute
        places: dict[str, _Pending | None] = {}
        counts = _counted(records) if is_one_minute else _counted_by_minute(records)
        for key, count in counts.items():
            environment, service, severity_number = key[:3]
            own = minute if is_one_minute else key[3]
            if environment not in places:
                places[environment] = self._place(environment)
            place = places[environment]
            if place is None:
                self.lines_skipped += count
            else:
                place.count(service, severity_number, own, count)
        if len(places) == 1:
            (place,) = places.values()
            if place is not None:
                place.keep(first_id, records, range(len(records)))
            return
        indexes: dict[str, list[int]] = {}
        for index, record in enumerate(records):
            indexes.setdefault(record.environment, []).append(index)
        for environment, place in places.items():
            if place is not None:
                place.keep(first_id, records, indexes[environment])

    def _place(self, environment: str) -> _Pending | None:
        pending = self._pending.get(environment)
        if pending is None:
            if len(self._pending) >= self._max_pending:
                # A number is used up, so that its viewers notice the gap and ask.
                self._sequence[environment] += 1
                return None
            pending = self._pending[environment] = _Pending(self._max_lines)
        return pending

    def _frame(self, environment: str, pending: _Pending, now_unix_ms: int) -> dict[str, Any]:
        counts, counts_bytes = _rendered_counts(pending.counts, self._max_frame_bytes // 4)
        room = self._max_frame_bytes - _ENVELOPE_BYTES - counts_bytes
        carried = sorted(pending.sample.kept, key=itemgetter(0))
        if pending.total > self._max_lines:
            # Too fast to be read anyway, and every viewer is sent it.
            carried = evenly(carried, max(1, self._max_lines // SAMPLED_SHARE))
        lines = _fitting([_rendered(*one, self.pattern_of) for one in carried], room)
        frame = {
            "type": "frame",
            "environment": environment,
            "publisher": self.publisher,
            "sequence": self._sequence[environment],
            "firstId": pending.first_id,
            "lastId": pending.last_id,
            "total": pending.total,
            "counts": counts,
            "lines": lines,
            "sentUnixMs": now_unix_ms,
        }
        _tell_uncounted(frame)
        if len(lines) < pending.total:
            frame["isSample"] = True
        return frame


def light(frame: dict[str, Any]) -> dict[str, Any]:
    """The same frame for a slow line: fewer and shorter lines, the most frequent counts."""
    counts, counts_bytes = _first_fitting(frame["counts"], MAX_LIGHT_BYTES // 4)
    lines = [_lightened(line) for line in evenly(frame["lines"], MAX_LIGHT_LINES)]
    lines = _fitting(lines, MAX_LIGHT_BYTES - counts_bytes - _ENVELOPE_BYTES // 2)
    small = {**frame, "counts": counts, "lines": lines, "isLight": True}
    _tell_uncounted(small)
    if len(lines) < frame["total"]:
        small["isSample"] = True
    return small


def _tell_uncounted(frame: dict[str, Any]) -> None:
    """So that nobody concludes from `counts` that a service sent nothing."""
    counted = sum(entry["count"] for entry in frame["counts"])
    if counted < frame["total"]:
        frame["uncounted"] = frame["total"] - counted


def _lightened(line: dict[str, Any]) -> dict[str, Any]:
    small = {name: value for name, value in line.items() if value is not None}
    message = line["message"]
    if len(message) > MAX_LIGHT_CHARACTERS:
        small["message"] = message[:MAX_LIGHT_CHARACTERS]
        small.setdefault("messageBytes", len(message.encode("utf-8", "replace")))
    if line["metadata"]:
        small["metadata"] = {}
        small.setdefault("metadataBytes", len(msgspec.json.encode(line["metadata"])))
    return small


def _fitting(lines: list[dict[str, Any]], room: int) -> list[dict[str, Any]]:
    """All lines when they fit into so many bytes, else evenly chosen ones that do."""
    sized = [(line, len(msgspec.json.encode(line)) + 1) for line in lines]
    used = sum(size for _, size in sized)
    while used > room and sized:
        wanted = min(len(sized) - 1, max(0, room) * len(sized) // used)
        sized = evenly(sized, wanted)
        used = sum(size for _, size in sized)
    return [line for line, _ in sized]


def _counted(records: Sequence[LogRecord]) -> Counter[tuple[Any, ...]]:
    """How many by environment, service and severity number."""
    return Counter(
        [(record.environment, record.service_name, record.severity_number) for record in records]
    )


def _counted_by_minute(records: Sequence[LogRecord]) -> Counter[tuple[Any, ...]]:
    """How many by environment, service, severity number and minute: twice as dear."""
    return Counter(
        [
            (
                record.environment,
                record.service_name,
                record.severity_number,
                record.timestamp_unix_nano // NANOS_PER_MINUTE,
            )
            for record in records
        ]
    )


def _cut(line_id: int, record: LogRecord) -> _Carried:
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
    return line_id, record, message_bytes, metadata_bytes


def _rendered(
    line_id: int,
    record: LogRecord,
    message_bytes: int | None,
    metadata_bytes: int | None,
    pattern_of: Callable[[LogRecord], int],
) -> dict[str, Any]:
    try:
        attributes = msgspec.json.decode(record.attributes, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        # JSON that a browser could not hold either, such as 1e999: the line's page shows it.
        attributes, metadata_bytes = {}, len(record.attributes)
    line = LogLine(
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
        attributes=attributes,
        # Of a message that was cut nobody can tell any more.
        pattern_id=0 if message_bytes is not None else pattern_of(record),
    ).to_api()
    if message_bytes is not None:
        line["messageBytes"] = message_bytes
    if metadata_bytes is not None:
        line["metadataBytes"] = metadata_bytes
    return line


def _rendered_counts(counts: dict[_Counted, int], room: int) -> tuple[list[dict[str, Any]], int]:
    """Counts by service, severity group and minute, most frequent first; see _first_fitting."""
    by_group: Counter[tuple[str, Severity, int]] = Counter()
    for (service, severity_number, minute), count in counts.items():
        by_group[service, Severity.of(severity_number), minute] += count
    entries = [
        {
            "source": service,
            "severity": severity.word,
            "minute": minute * (NANOS_PER_MINUTE // NANOS_PER_SECOND),
            "count": count,
        }
        # No entry is smaller than this, so that thousands too many are not even rendered.
        for (service, severity, minute), count in by_group.most_common(room // 40)
    ]
    return _first_fitting(entries, room)


def _first_fitting(entries: list[dict[str, Any]], room: int) -> tuple[list[dict[str, Any]], int]:
    """The first entries that fit into so many bytes, and their size."""
    used = 0
    for place, entry in enumerate(entries):
        size = len(msgspec.json.encode(entry)) + 1
        if used + size > room:
            return entries[:place], used
        used += size
    return entries, used

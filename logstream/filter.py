"""LogFilter: which lines are meant. One value, four faces.

URL parameters (`from_url`, `to_url`), SQL (`logstream/query/conditions.py` builds it from
the fields), a predicate for live records (`matches`), and words for people (`words`).
The browser's twin of `matches` is in `show/live_feed/`; a test holds both to the same cases.
What `q` means is in `text_query/`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property

from logstream.errors import FilterError
from logstream.model import (
    NANOS_PER_MINUTE,
    NANOS_PER_SECOND,
    SEVERITY_WORDS,
    LogLine,
    Severity,
    normal_trace_id,
    to_unix_nano,
)
from logstream.text_query import TextQuery

RANGE_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
FIELDS = ("env", "service", "severity", "trace", "q", "range", "from", "to", "at")
NANOS_AHEAD = 86_400 * NANOS_PER_SECOND
_RANGE = re.compile(r"^([1-9]\d{0,5})([smhdw])$")


@dataclass(frozen=True)
class Choice:
    """Values to keep and values to leave out; both empty means any value."""

    only: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.only or self.excluded)

    def allows(self, value: str) -> bool:
        """True when the value is meant."""
        return (not self.only or value in self.only) and value not in self.excluded

    def to_url(self) -> str:
        """`a,b,-c`; a comma, backslash or leading dash inside a value is escaped."""
        return ",".join(
            [_escape(value) for value in self.only]
            + [f"-{_escape(value)}" for value in self.excluded]
        )

    @classmethod
    def from_url(cls, text: str) -> "Choice":
        """The inverse of `to_url`; empty parts fall away, repeats are kept once."""
        only: dict[str, None] = {}
        excluded: dict[str, None] = {}
        for part in re.findall(r"(?:\\.|[^,\\])+", text, flags=re.DOTALL):
            is_excluded = part.startswith("-")
            value = re.sub(r"\\(.)", r"\1", part[is_excluded:], flags=re.DOTALL).strip()
            if value:
                (excluded if is_excluded else only)[value] = None
        return cls(tuple(only), tuple(excluded))


@dataclass(frozen=True)
class LogFilter:
    """The fields every page and every GET share; the default means every line.

    `range_text` (`15m`) is relative to the moment of asking and wins over nothing: it and
    `start`/`end` (aware UTC datetimes, start inclusive, end exclusive) exclude each other.
    With `at` the store is meant as it looked at that moment: only lines received before it,
    and a relative range counts back from it.
    """

    environment: Choice = field(default_factory=Choice)
    service: Choice = field(default_factory=Choice)
    severity: Choice = field(default_factory=Choice)
    trace_id: str = ""
    q: str = ""
    range_text: str = ""
    start: datetime | None = None
    end: datetime | None = None
    at: datetime | None = None

    @cached_property
    def text(self) -> TextQuery:
        """`q` parsed; raises FilterError for a broken one, which no URL gives."""
        return TextQuery.parse(self.q)

    @property
    def needs_rows(self) -> bool:
        """True when counting needs the rows themselves (a rollup knows no text or trace)."""
        return bool(self.trace_id) or self.text.needs_rows

    @property
    def at_unix_nano(self) -> int | None:
        """`at` in nanoseconds."""
        return None if self.at is None else to_unix_nano(self.at)

    def moment_unix_nano(self, now_unix_nano: int) -> int:
        """The moment a relative range counts back from: `at`, or else now."""
        return now_unix_nano if self.at is None else to_unix_nano(self.at)

    def window_unix_nano(self, now_unix_nano: int) -> tuple[int | None, int | None]:
        """(start inclusive, end exclusive) in nanoseconds; None where open.

        A relative range of two minutes or more starts on a whole minute, so that lists,
        which read rows, and charts, which read counts by minute, mean the same lines:
        `15m` is the current minute and the fourteen before it. It reaches a day ahead of
        now, because a sender's clock may be fast and its lines must not stay unseen.
        """
        if self.range_text:
            now_unix_nano = self.moment_unix_nano(now_unix_nano)
            seconds = range_seconds(self.range_text)
            start = now_unix_nano - seconds * NANOS_PER_SECOND
            if seconds >= 120:
                start = -(-start // NANOS_PER_MINUTE) * NANOS_PER_MINUTE
            return start, (now_unix_nano + NANOS_AHEAD) // NANOS_PER_MINUTE * NANOS_PER_MINUTE
        return (
            None if self.start is None else to_unix_nano(self.start),
            None if self.end is None else to_unix_nano(self.end),
        )

    def matches(self, line: LogLine, now_unix_nano: int) -> bool:
        """The predicate for live lines; agrees with the SQL of the same filter."""
        start, end = self.window_unix_nano(now_unix_nano)
        at = self.at_unix_nano
        return (
            self.environment.allows(line.environment)
            and self.service.allows(line.service_name)
            and self.severity.allows(Severity.of(line.severity_number).word)
            and (not self.trace_id or line.trace_id == self.trace_id)
            and (start is None or line.timestamp_unix_nano >= start)
            and (end is None or line.timestamp_unix_nano < end)
            and (at is None or line.observed_unix_nano < at)
            and self.text.matches(line)
        )

    def without(self, name: str) -> "LogFilter":
        """This filter with one URL field (see FIELDS) at its default."""
        match name:
            case "env":
                return replace(self, environment=Choice())
            case "service":
                return replace(self, service=Choice())
            case "severity":
                return replace(self, severity=Choice())
            case "trace":
                return replace(self, trace_id="")
            case "q":
                return replace(self, q="")
            case "range" | "from" | "to":
                return replace(self, range_text="", start=None, end=None)
            case "at":
                return replace(self, at=None)
        raise ValueError(f"{name} is not a filter field")

    def to_url(self) -> dict[str, str]:
        """URL parameters that differ from the default, in the order of FIELDS."""
        values = {
            "env": self.environment.to_url(),
            "service": self.service.to_url(),
            "severity": self.severity.to_url(),
            "trace": self.trace_id,
            "q": self.q,
            "range": self.range_text,
            "from": _moment_text(self.start),
            "to": _moment_text(self.end),
            "at": _moment_text(self.at),
        }
        return {name: value for name, value in values.items() if value}

    @classmethod
    def from_url(cls, parameters: Mapping[str, str | Sequence[str]]) -> "LogFilter":
        """The filter named by URL parameters; names that are not FIELDS are ignored.

        Raises FilterError for the first value that cannot be understood.
        """
        log_filter, problems = cls.read_url(parameters)
        if problems:
            raise problems[0]
        return log_filter

    @classmethod
    def read_url(
        cls, parameters: Mapping[str, str | Sequence[str]]
    ) -> tuple["LogFilter", list[FilterError]]:
        """Like `from_url`, but bad values are left out and returned as errors (for pages)."""
        problems: list[FilterError] = []

        def text(name: str) -> str:
            value = parameters.get(name, "")
            joined = value if isinstance(value, str) else ",".join(value)
            if "\x00" in joined:
                problems.append(FilterError(name, f"{name} holds a NUL character", "remove it"))
                return ""
            return joined.encode("utf-8", "replace").decode().strip()

        range_text, start, end = text("range").lower(), None, None
        if range_text and not _RANGE.match(range_text):
            problems.append(
                FilterError(
                    "range", f"range '{range_text}' is not a time range", "use 15m, 1h or 7d"
                )
            )
            range_text = ""
        if not range_text:
            start = _moment("from", text("from"), problems)
            end = _moment("to", text("to"), problems)
            if start is not None and end is not None and start >= end:
                problems.append(
                    FilterError("from", f"from {start} is not before to {end}", "swap them")
                )
                start = end = None
        return cls(
            environment=Choice.from_url(text("env")),
            service=Choice.from_url(text("service")),
            severity=_severities(Choice.from_url(text("severity")), problems),
            trace_id=normal_trace_id(text("trace")),
            q=_query(text("q"), problems),
            range_text=range_text,
            start=start,
            end=end,
            at=_moment("at", text("at"), problems),
        ), problems

    def words(self) -> str:
        """The filter as a phrase, for example `error and fatal of checkout, last 15m`."""
        parts = [
            _choice_words(self.severity) or "all lines",
            f"of {_choice_words(self.service)}" if self.service else "",
            f"in {_choice_words(self.environment)}" if self.environment else "",
            f"of trace {self.trace_id}" if self.trace_id else "",
            self.text.words(),
        ]
        if self.range_text:
            when = f"last {self.range_text}"
        elif self.start is not None or self.end is not None:
            when = f"{_moment_text(self.start) or '…'} to {_moment_text(self.end) or 'now'}"
        else:
            when = ""
        as_of = f"as of {_moment_text(self.at)}" if self.at is not None else ""
        return ", ".join(part for part in (" ".join(filter(None, parts)), when, as_of) if part)


def range_seconds(range_text: str) -> int:
    """Seconds of a relative range such as `15m`; raises FilterError when it is none."""
    match = _RANGE.match(range_text)
    if match is None:
        raise FilterError("range", f"range '{range_text}' is not a time range", "use 15m, 1h or 7d")
    return int(match[1]) * RANGE_UNITS[match[2]]


def _severities(choice: Choice, problems: list[FilterError]) -> Choice:
    def known(values: tuple[str, ...]) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for value in values:
            group = Severity.named(value)
            if group is not None:
                found[group.word] = None
            else:
                problems.append(
                    FilterError(
                        "severity",
                        f"severity '{value}' is not known",
                        f"use {', '.join(SEVERITY_WORDS)}",
                    )
                )
        return tuple(found)

    return Choice(known(choice.only), known(choice.excluded))


def _query(q: str, problems: list[FilterError]) -> str:
    try:
        TextQuery.parse(q)
    except FilterError as problem:
        problems.append(problem)
        return ""
    return q


def _moment(name: str, text: str, problems: list[FilterError]) -> datetime | None:
    if not text:
        return None
    try:
        # A "+" of a UTC offset arrives as a space when the sender did not encode it.
        moment = datetime.fromisoformat(re.sub(r" (\d\d:?\d\d)$", r"+\1", text))
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        problems.append(
            FilterError(
                name, f"{name} '{text}' is not a time", "use ISO 8601: 2026-01-31T14:05:00Z"
            )
        )
        return None
    return moment


def _moment_text(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat().replace("+00:00", "Z")


def _escape(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace(",", "\\,")
    return f"\\{escaped}" if escaped.startswith("-") else escaped


def _choice_words(choice: Choice) -> str:
    kept = " and ".join(choice.only)
    left_out = " or ".join(choice.excluded)
    return f"{kept}{' ' if kept and left_out else ''}{f'not {left_out}' if left_out else ''}"

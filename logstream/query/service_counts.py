"""What the counts say of every service in a time: calls, errors, durations, lines.

Spans are told apart by what they are to a service: its calls are its server and consumer spans,
if it has any, otherwise all its spans; if it sends none, its log lines.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import sqlalchemy as sa

from logstream.filter import LogFilter
from logstream.query.service_sums import (
    ENTRY_KINDS,
    LINE_KIND,
    LINES,
    SPANS,
    ServiceSums,
    by_nothing,
    by_piece,
    by_step,
)
from logstream.query.whole_time import WholeTime

# What a count is of; a service is told by the first that it has any of.
Told = Literal["entries", "spans", "lines"]


@dataclass
class Tally:
    """Counts of one kind: errors, durations by step, and both by piece of time."""

    calls: int = 0
    errors: int = 0
    # Not Counters: making thousands of those takes longer than all the rest.
    steps: dict[int, int] = field(default_factory=dict)
    pieces: dict[int, int] = field(default_factory=dict)
    error_pieces: dict[int, int] = field(default_factory=dict)

    def add(self, row: sa.Row[Any]) -> None:
        """A row of sums by step."""
        total = sum(row.totals)
        self.calls += total
        self.errors += total if row.is_error else 0
        _add(self.steps, row)

    def add_pieces(self, row: sa.Row[Any]) -> None:
        """A row of sums by piece of time."""
        _add(self.pieces, row)
        if row.is_error:
            _add(self.error_pieces, row)


@dataclass
class ServiceCounts:
    """One service in one time. Of lines the steps are those of the lines with a duration."""

    entries: Tally = field(default_factory=Tally)
    # Every other span.
    others: Tally = field(default_factory=Tally)
    # Lines that carry a duration.
    timed_lines: Tally = field(default_factory=Tally)
    lines: Tally = field(default_factory=Tally)

    @property
    def told_by(self) -> Told:
        """What its calls are."""
        if self.entries.calls:
            return "entries"
        return "spans" if self.others.calls else "lines"

    def calls(self, told_by: Told) -> Tally:
        """Its calls, when they are told by that."""
        match told_by:
            case "entries":
                return self.entries
            case "spans":
                return self.others
        lines = self.lines
        steps = self.timed_lines.steps
        return Tally(lines.calls, lines.errors, steps, lines.pieces, lines.error_pieces)

    def of_kind(self, kind: str) -> Tally:
        """Where spans of a kind are counted."""
        if kind in ENTRY_KINDS:
            return self.entries
        return self.timed_lines if kind == LINE_KIND else self.others

    @property
    def sends_spans(self) -> bool:
        """False when log lines alone tell of it."""
        return bool(self.entries.calls or self.others.calls)

    @property
    def is_anything(self) -> bool:
        """False when everything it sent was removed again."""
        return self.sends_spans or bool(self.lines.calls)


Counted = defaultdict[str, ServiceCounts]


def count_services(
    connection: sa.Connection,
    log_filter: LogFilter,
    known: Iterable[str],
    time: WholeTime,
    before: WholeTime | None = None,
    *,
    begins: Sequence[int] = (),
    by_minute: bool = False,
) -> tuple[Counted, Counted]:
    """Every service in a time, and in the one before it; with `begins` (Unix seconds) by piece.

    `known` are all services there are. A piece is named by its place among `begins`, from 1 on.
    `by_minute` where pieces are shorter than an hour. Other spans are counted where there are no
    entries; pieces, and lines before, where a service is told by them.
    """
    known = list(known)
    sums = ServiceSums(connection, log_filter)
    now = _spans(sums, time, known)
    for row in sums.of(LINES, time, by_nothing):
        now[row.service_name].lines.add(row)
    if begins:
        piece = by_piece(begins)
        others, lines = _told_by(now, "spans"), _told_by(now, "lines")
        for row in (
            *sums.of(SPANS, time, piece, is_entry=True, by_minute=by_minute),
            *sums.of(SPANS, time, piece, is_entry=False, services=others, by_minute=by_minute),
        ):
            now[row.service_name].of_kind(row.kind).add_pieces(row)
        for row in sums.of(LINES, time, piece, services=lines, by_minute=by_minute):
            now[row.service_name].lines.add_pieces(row)
    then: Counted = defaultdict(ServiceCounts)
    if before is not None:
        then = _spans(sums, before, known)
        # Those that lines tell of now, or told of then.
        silent = {*_told_by(now, "lines"), *(name for name in now if name not in then)}
        for row in sums.of(LINES, before, by_nothing, services=silent | {*_told_by(then, "lines")}):
            then[row.service_name].lines.add(row)
    return now, then


def _spans(sums: ServiceSums, time: WholeTime, known: Iterable[str]) -> Counted:
    """Most rows are of spans that answer nobody: few services need them."""
    counted: Counted = defaultdict(ServiceCounts)
    for row in sums.of(SPANS, time, by_step, is_entry=True):
        counted[row.service_name].of_kind(row.kind).add(row)
    rest = [name for name in known if name not in counted or not counted[name].entries.calls]
    for row in sums.of(SPANS, time, by_step, is_entry=False, services=rest):
        counted[row.service_name].of_kind(row.kind).add(row)
    return counted


def _add(counts: dict[int, int], row: sa.Row[Any]) -> None:
    for place, count in zip(row.places, row.totals, strict=True):
        counts[place] = counts.get(place, 0) + count


def _told_by(counted: Counted, told_by: Told) -> list[str]:
    return [name for name, counts in counted.items() if counts.told_by == told_by]

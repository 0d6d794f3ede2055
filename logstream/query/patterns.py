"""Patterns of the lines meant, counted exactly from the rollups."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import sqlalchemy as sa

from logstream.filter import LogFilter
from logstream.model import NANOS_PER_SECOND, Severity, to_datetime, to_unix_nano
from logstream.ports import PatternCount, Patterns, PatternValues, PlaceValues
from logstream.query.catalogue import Segment
from logstream.query.counted import counted
from logstream.query.lines import Order
from logstream.query.pattern_facts import (
    members_of,
    named_patterns,
    pattern_of,
    sightings,
)
from logstream.query.scope import Scope, resolve
from logstream.query.search import search
from logstream.tables import log_counts_daily, skeletons
from logstream.template import kinds_of_places, values_at_places

# The newest lines of a pattern whose places are looked at, and how long that may take.
MOST_LINES = 5_000
VALUES_SECONDS = 2.0
# Of a longer value, such as the frames of a stack trace, the beginning.
MAX_VALUE_CHARACTERS = 200
# Above a minute only such widths as the counts by hour or day can serve: reading minutes for
# more than some hours takes longer than a trend so fine is worth.
_WIDTHS = (60, 120, 300, 600, 900, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 604_800)

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass
class _Counted:
    """One pattern as its rows add up."""

    id: int
    count: int
    severities: Counter[Severity] = field(default_factory=Counter)
    services: Counter[str] = field(default_factory=Counter)
    pieces: Counter[int] = field(default_factory=Counter)
    newest: datetime = _LONG_AGO


def patterns(
    connection: sa.Connection,
    segments: list[Segment],
    log_filter: LogFilter,
    *,
    limit: int,
    buckets: int,
    now_unix_nano: int,
) -> Patterns:
    """See LogReader.patterns."""
    scope = resolve(connection, log_filter, now_unix_nano)
    start, end = _span(connection, scope, log_filter.moment_unix_nano(now_unix_nano))
    width = width_for((end - start) / NANOS_PER_SECOND, buckets)
    first = start // NANOS_PER_SECOND // width * width
    last = max(first, (end - 1) // NANOS_PER_SECOND // width * width)
    found, pattern_count, total = _count(connection, scope, segments, width, first, last, limit)
    ids = [one.id for one in found]
    members = members_of(connection, ids)
    seen = sightings(connection, scope, members)
    names = named_patterns(connection, members, log_filter.environment)
    return Patterns(
        [
            PatternCount(
                id=one.id,
                template=names[one.id].template,
                example=names[one.id].example,
                count=one.count,
                severity=max(one.severities).word,
                severities={group.word: one.severities[group] for group in sorted(one.severities)},
                services=[service for service, _ in one.services.most_common()],
                first_seen=(since := seen.first.get(one.id, one.newest)),
                last_seen=max(seen.last.get(one.id, one.newest), one.newest),
                is_new=scope.start is not None and to_unix_nano(since) >= scope.start,
                trend=[one.pieces[piece] for piece in range(first, last + 1, width)],
            )
            for one in found
        ],
        pattern_count,
        total,
        width,
        first,
    )


def pattern_values(
    connection: sa.Connection,
    segments: list[Segment],
    log_filter: LogFilter,
    pattern_id: int,
    *,
    values: int,
    now_unix_nano: int,
) -> PatternValues | None:
    """See LogReader.pattern_values. The id may be of any skeleton of the pattern."""
    own = pattern_of(connection, pattern_id)
    if own is None:
        return None
    members = members_of(connection, [own])
    template = named_patterns(connection, members, log_filter.environment)[own].template
    scope = resolve(connection, log_filter, now_unix_nano, members[own])
    lines = counted(connection, scope, segments)
    total = int(connection.scalar(sa.select(sa.func.sum(lines.c.count))) or 0)
    page = search(
        connection,
        segments,
        log_filter,
        limit=MOST_LINES,
        now_unix_nano=now_unix_nano,
        order=Order(),
        budget_seconds=VALUES_SECONDS,
        skeleton_ids=members[own],
    )
    kinds = kinds_of_places(template)
    counts: list[Counter[str]] = [Counter() for _ in kinds]
    looked = 0
    for line in page.lines:
        found = values_at_places(template, line.body)
        if found is None:
            continue
        looked += 1
        for count, value in zip(counts, found, strict=True):
            count[value[:MAX_VALUE_CHARACTERS]] += 1
    places = [
        PlaceValues(kind, _most_common(count, values), len(count))
        for kind, count in zip(kinds, counts, strict=True)
    ]
    return PatternValues(places, looked, total)


def width_for(span_seconds: float, buckets: int) -> int:
    """The finest width of a piece, in seconds, of which at most `buckets` cover a span."""
    for seconds in _WIDTHS:
        if span_seconds / seconds <= buckets:
            return seconds
    weeks = -(-span_seconds // (buckets * _WIDTHS[-1]))
    return int(weeks) * _WIDTHS[-1]


def _span(connection: sa.Connection, scope: Scope, now: int) -> tuple[int, int]:
    """What the trend shows: the time meant, up to now; without a beginning, all there is."""
    start = scope.start
    end = now + 1 if scope.end is None or scope.log_filter.range_text else scope.end
    if start is None:
        oldest = connection.scalar(sa.select(sa.func.min(log_counts_daily.c.bucket)))
        start = end - 900 * NANOS_PER_SECOND if oldest is None else to_unix_nano(oldest)
    return min(start, end - 1), end


def _count(
    connection: sa.Connection,
    scope: Scope,
    segments: list[Segment],
    width: int,
    first: int,
    last: int,
    limit: int,
) -> tuple[list[_Counted], int, int]:
    """The most frequent patterns by service, severity and piece; how many in all; all lines."""
    lines = counted(connection, scope, segments, bucket_seconds=width, by_skeleton=True)
    pattern = sa.func.coalesce(skeletons.c.pattern_id, lines.c.skeleton_id).label("pattern_id")
    step = sa.func.make_interval(0, 0, 0, 0, 0, 0, width)
    piece = sa.func.date_bin(step, lines.c.bucket, to_datetime(0))
    # Lines outside the trend's time (a clock that is ahead) count in its nearest piece.
    piece = sa.func.greatest(
        sa.func.least(piece, to_datetime(last * NANOS_PER_SECOND)),
        to_datetime(first * NANOS_PER_SECOND),
    )
    labels = (
        pattern,
        lines.c.service_name,
        lines.c.severity_number,
        piece.label("piece"),
    )
    summed = (
        sa.select(
            *labels,
            sa.func.sum(lines.c.count).label("lines"),
            sa.func.max(lines.c.bucket).label("newest"),
        )
        .select_from(lines.outerjoin(skeletons, skeletons.c.skeleton_id == lines.c.skeleton_id))
        .group_by(*labels)
        .cte("summed")
    )
    of_pattern = sa.func.sum(summed.c.lines)
    ranked = (
        sa.select(summed.c.pattern_id, of_pattern.label("total"))
        .group_by(summed.c.pattern_id)
        .having(of_pattern > 0)
        .cte("ranked")
    )
    top = (
        sa.select(ranked).order_by(ranked.c.total.desc(), ranked.c.pattern_id).limit(limit)
    ).subquery()
    statement = sa.select(
        summed,
        top.c.total,
        sa.select(sa.func.count()).select_from(ranked).scalar_subquery().label("pattern_count"),
        sa.select(sa.func.sum(ranked.c.total)).scalar_subquery().label("all_lines"),
    ).join(top, top.c.pattern_id == summed.c.pattern_id)
    found: dict[int, _Counted] = {}
    pattern_count = total = 0
    for row in connection.execute(statement):
        pattern_count, total = row.pattern_count, int(row.all_lines)
        one = found.setdefault(row.pattern_id, _Counted(row.pattern_id, int(row.total)))
        count = int(row.lines)
        one.severities[Severity.of(row.severity_number)] += count
        one.services[row.service_name] += count
        one.pieces[int(row.piece.timestamp())] += count
        if count > 0:
            one.newest = max(one.newest, row.newest)
    for one in found.values():
        one.severities, one.services = +one.severities, +one.services
    return sorted(found.values(), key=lambda one: (-one.count, one.id)), pattern_count, total


def _most_common(counts: Counter[str], most: int) -> Sequence[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most]

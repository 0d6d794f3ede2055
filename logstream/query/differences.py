"""What distinguishes the lines of one filter from those of another.

Severities, services, environments and patterns of all lines by the counts; attributes of the
newest lines of both sides. Of every value: which share of each side has it, whether that can
be chance, and how much it tells (see significance.py).
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from logstream.filter import LogFilter
from logstream.model import Severity
from logstream.ports import Difference, Differences
from logstream.query.attributes import MOST_LINES, newest_attributes
from logstream.query.catalogue import Segment
from logstream.query.counted import counted
from logstream.query.fields import Tally
from logstream.query.narrowing import ATTRIBUTE, PATTERN
from logstream.query.pattern_facts import members_of, named_patterns
from logstream.query.scope import resolve
from logstream.query.significance import corrected, divergence, p_value
from logstream.tables import skeletons

# A difference is named when chance is less likely, and when a line tells at least so many bits
# by it: 50 % beside 53 %, or 1 % beside 1.7 %.
MOST_P_VALUE = 0.01
LEAST_BITS = 0.0005
# Values of fewer lines on both sides are not compared.
LEAST_COUNT, LEAST_SHARE = 2, 0.001
# An attribute with more values than this part of its lines is an id.
_MOST_DISTINCT = 0.5
_FIELDS = ("severity", "service", "env", PATTERN)


@dataclass(frozen=True)
class _Side:
    """How many of `lines` have each value, by field; of `looked` where it is an attribute."""

    lines: int
    looked: int
    counts: Mapping[str, Counter[str]]
    attributes: Tally

    def of(self, field: str) -> tuple[Counter[str], int]:
        if field.startswith(ATTRIBUTE):
            return self.attributes.counts(field.removeprefix(ATTRIBUTE)), self.looked
        return self.counts[field], self.lines


@dataclass(frozen=True)
class _Pair:
    field: str
    value: str
    count: int
    total: int
    base_count: int
    base_total: int

    @property
    def share(self) -> float:
        return self.count / self.total

    @property
    def base_share(self) -> float:
        return self.base_count / self.base_total

    @property
    def bits(self) -> float:
        return divergence(self.share, self.base_share)

    @property
    def is_worth_comparing(self) -> bool:
        return (
            max(self.count, self.base_count) >= LEAST_COUNT
            and max(self.share, self.base_share) >= LEAST_SHARE
        )


def differences(
    connection: sa.Connection,
    segments: list[Segment],
    log_filter: LogFilter,
    baseline: LogFilter,
    *,
    limit: int,
    now_unix_nano: int,
) -> Differences:
    """See LogReader.differences."""
    side = _side(connection, segments, log_filter, now_unix_nano)
    base = _side(connection, segments, baseline, now_unix_nano)
    pairs = [pair for pair in _pairs(side, base) if pair.is_worth_comparing]
    p_values = corrected(
        [p_value(one.count, one.total, one.base_count, one.base_total) for one in pairs]
    )
    telling = [
        (pair, p)
        for pair, p in zip(pairs, p_values, strict=True)
        if p <= MOST_P_VALUE and pair.bits >= LEAST_BITS
    ]
    # Where several tell as much: what grew before what shrank, and in the order of the fields.
    telling.sort(key=lambda item: (-round(item[0].bits, 9), item[0].share < item[0].base_share))
    labels = _templates(connection, [pair for pair, _ in telling[:limit]], log_filter)
    return Differences(
        [
            Difference(
                field=pair.field,
                value=pair.value,
                label=labels.get((pair.field, pair.value), pair.value),
                count=pair.count,
                share=pair.share,
                baseline_count=pair.base_count,
                baseline_share=pair.base_share,
                lift=pair.share / pair.base_share if pair.base_count else math.inf,
                p_value=p,
            )
            for pair, p in telling[:limit]
        ],
        total=side.lines,
        baseline_total=base.lines,
        looked=side.looked,
        baseline_looked=base.looked,
    )


def _pairs(side: _Side, base: _Side) -> Iterable[_Pair]:
    names = dict.fromkeys([*side.attributes.names, *base.attributes.names])
    for field in (*_FIELDS, *(f"{ATTRIBUTE}{name}" for name in names)):
        counts, total = side.of(field)
        base_counts, base_total = base.of(field)
        values = counts.keys() | base_counts.keys()
        is_id = field.startswith(ATTRIBUTE) and len(values) > _MOST_DISTINCT * (
            counts.total() + base_counts.total()
        )
        if total and base_total and not is_id:
            for value in sorted(values):
                yield _Pair(field, value, counts[value], total, base_counts[value], base_total)


def _side(
    connection: sa.Connection, segments: list[Segment], log_filter: LogFilter, now_unix_nano: int
) -> _Side:
    counts = _counts(connection, segments, log_filter, now_unix_nano)
    lines, _ = newest_attributes(
        connection, segments, log_filter, now_unix_nano=now_unix_nano, most_lines=MOST_LINES
    )
    attributes = Tally(lines)
    return _Side(counts["severity"].total(), attributes.looked, counts, attributes)


def _counts(
    connection: sa.Connection, segments: list[Segment], log_filter: LogFilter, now_unix_nano: int
) -> dict[str, Counter[str]]:
    scope = resolve(connection, log_filter, now_unix_nano)
    lines = counted(connection, scope, segments, by_skeleton=True)
    group = (lines.c.severity_number - 1) // 4 * 4 + 1
    by_name = {
        "severity": group.label("severity"),
        "service": lines.c.service_name.label("service"),
        "env": lines.c.environment.label("env"),
        PATTERN: sa.func.coalesce(skeletons.c.pattern_id, lines.c.skeleton_id).label(PATTERN),
    }
    statement = (
        sa.select(*by_name.values(), sa.func.sum(lines.c.count).label("count"))
        .select_from(lines.outerjoin(skeletons, skeletons.c.skeleton_id == lines.c.skeleton_id))
        .group_by(sa.func.grouping_sets(*by_name.values()))
    )
    counts: dict[str, Counter[str]] = {name: Counter() for name in _FIELDS}
    for row in connection.execute(statement).mappings():
        name = next((name for name in _FIELDS if row[name] is not None), None)
        if name is None:
            continue
        value: Any = row[name]
        counts[name][Severity.of(value).word if name == "severity" else str(value)] += int(
            row["count"]
        )
    # What landed before there were skeletons has no pattern.
    del counts[PATTERN]["0"]
    return counts


def _templates(
    connection: sa.Connection, pairs: list[_Pair], log_filter: LogFilter
) -> dict[tuple[str, str], str]:
    """Of patterns, by (field, value)."""
    ids = [int(pair.value) for pair in pairs if pair.field == PATTERN]
    names = named_patterns(connection, members_of(connection, ids), log_filter.environment)
    return {(PATTERN, str(one)): named.template for one, named in names.items()}

"""Which values a field has among the lines meant, and how often."""

from collections import Counter, defaultdict
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from logstream.errors import FilterError
from logstream.filter import LogFilter
from logstream.model import Severity
from logstream.ports import FACETS
from logstream.query.attributes import MOST_LINES, each_object, newest_attributes, values_of
from logstream.query.catalogue import Segment
from logstream.query.conditions import chosen_conditions
from logstream.query.counted import counted
from logstream.query.counts import LABELS
from logstream.query.fields import most_frequent
from logstream.query.narrowing import ATTRIBUTE, PATTERN
from logstream.query.scope import resolve
from logstream.tables import services, skeletons
from logstream.text_query import without_key

Counts = list[tuple[str, int]]


def facets(
    connection: sa.Connection,
    segments: list[Segment],
    log_filter: LogFilter,
    *,
    limit: int,
    now_unix_nano: int,
    fields: tuple[str, ...] = FACETS,
) -> dict[str, Counts]:
    """See LogReader.facets."""
    found: dict[str, Counts] = {}
    for own, names in _by_own_filter(log_filter, fields).items():
        attributes = [name for name in names if name.startswith(ATTRIBUTE)]
        in_counts = [name for name in names if not name.startswith(ATTRIBUTE)]
        if in_counts:
            found |= _of_counts(connection, segments, own, in_counts, limit, now_unix_nano)
        if attributes:
            lines, _ = newest_attributes(
                connection, segments, own, now_unix_nano=now_unix_nano, most_lines=MOST_LINES
            )
            counts: dict[str, Counter[str]] = {name: Counter() for name in attributes}
            for line in each_object(lines):
                for name, values in counts.items():
                    values.update(values_of(line, name.removeprefix(ATTRIBUTE)))
            found |= {name: most_frequent(values, limit) for name, values in counts.items()}
    return {name: found[name] for name in fields}


def _by_own_filter(log_filter: LogFilter, fields: tuple[str, ...]) -> dict[LogFilter, list[str]]:
    """Fields by the filter without their own terms in `q`; those of one filter are counted once."""
    groups: dict[LogFilter, list[str]] = defaultdict(list)
    for name in dict.fromkeys(fields):
        key = name.removeprefix(ATTRIBUTE)
        if name not in (*FACETS, PATTERN) and (key == name or not key):
            raise FilterError(
                "fields",
                f"'{name}' is no field that has values",
                f"use {', '.join(FACETS)}, {PATTERN} or {ATTRIBUTE}NAME",
            )
        own = (
            log_filter if name in FACETS else replace(log_filter, q=without_key(log_filter.q, key))
        )
        groups[own].append(name)
    return groups


def _of_counts(
    connection: sa.Connection,
    segments: list[Segment],
    log_filter: LogFilter,
    names: list[str],
    limit: int,
    now_unix_nano: int,
) -> dict[str, Counts]:
    """Lines are counted once, by all fields together.

    Each facet leaves out its own condition, so what is counted meets all the other ones of
    at least one facet; `q` all of it does.
    """
    # What q asks is met by all lines counted, and a part of it only where they are counted.
    labels_only = replace(log_filter, q="")
    wider = {name: labels_only if name == PATTERN else labels_only.without(name) for name in names}
    open_filter = log_filter
    for name in names:
        open_filter = open_filter if name == PATTERN else open_filter.without(name)
    lines = counted(
        connection,
        resolve(connection, open_filter, now_unix_nano),
        segments,
        by_skeleton=PATTERN in names,
    )
    labels = [lines.c[name] for name in LABELS]
    if PATTERN in names:
        labels.append(lines.c.skeleton_id)
    counts = (
        sa.select(*labels, sa.func.sum(lines.c.count).label("count"))
        .where(
            sa.or_(*(sa.and_(sa.true(), *chosen_conditions(one, lines)) for one in wider.values()))
        )
        .group_by(*labels)
        .cte("counts")
    )
    # Severities are in the order of their words, which only become words here.
    most = max(limit, len(Severity))
    parts: list[sa.Select[Any]] = [_one_facet(counts, name, wider[name], most) for name in names]
    found: dict[str, Counts] = {name: [] for name in names}
    for name, value, count in connection.execute(sa.union_all(*parts)):
        word = Severity.of(int(value)).word if name == "severity" else value
        found[name].append((word, int(count)))
    return {
        name: sorted(values, key=lambda item: (-item[1], item[0]))[:limit]
        for name, values in found.items()
    }


def _one_facet(counts: sa.CTE, name: str, meant: LogFilter, limit: int) -> sa.Select[Any]:
    table: sa.FromClause = counts
    match name:
        case "severity":
            group = (counts.c.severity_number - 1) // 4 * 4 + 1
            value: sa.ColumnElement[Any] = sa.cast(group, sa.Text)
        case "service":
            value = counts.c.service_name
        case "env":
            value = counts.c.environment
        case _:
            table = counts.outerjoin(skeletons, skeletons.c.skeleton_id == counts.c.skeleton_id)
            pattern = sa.func.coalesce(skeletons.c.pattern_id, counts.c.skeleton_id)
            value = sa.cast(pattern, sa.Text)
    count = sa.func.sum(counts.c.count).label("count")
    values = (
        sa.select(value.label("value"), count)
        .select_from(table)
        .where(*chosen_conditions(meant, counts))
        .group_by(value)
        .having(count > 0)
    )
    if name == PATTERN:
        # What landed before there were skeletons has none.
        values = values.where(counts.c.skeleton_id != 0)
    best = values.order_by(count.desc(), value.collate("C")).limit(limit).subquery()
    return sa.select(sa.literal(name).label("name"), best.c.value, best.c.count)


def environments(connection: sa.Connection) -> list[str]:
    """See LogReader.environments."""
    statement = sa.select(services.c.environment).distinct().order_by(services.c.environment)
    return list(connection.scalars(statement))

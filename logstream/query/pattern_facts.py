"""What is known of single patterns: their skeletons, their text, when they were seen."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from logstream.filter import Choice
from logstream.query.conditions import choice_conditions, time_conditions
from logstream.query.scope import Scope
from logstream.tables import log_counts, patterns, skeleton_examples, skeletons
from logstream.template import RARE_MESSAGES, UNNAMED, masked

_IDS = sa.ARRAY(sa.BigInteger)


@dataclass(frozen=True)
class Sightings:
    """The first minute ever, and the last one of the time meant, by pattern."""

    first: Mapping[int, datetime]
    last: Mapping[int, datetime]


@dataclass(frozen=True)
class Named:
    """A pattern's text, and one of its messages."""

    template: str
    example: str


def pattern_of(connection: sa.Connection, skeleton_id: int) -> int | None:
    """The pattern that a skeleton belongs to; None when there is no such skeleton."""
    columns = skeletons.c
    statement = sa.select(columns.skeleton_id, columns.pattern_id).where(
        columns.skeleton_id == skeleton_id
    )
    row = connection.execute(statement).first()
    if row is None:
        return None
    return int(row.skeleton_id if row.pattern_id is None else row.pattern_id)


def members_of(connection: sa.Connection, ids: Sequence[int]) -> dict[int, list[int]]:
    """The skeletons of each pattern; of one that is not stored, itself."""
    columns = skeletons.c
    wanted = sa.literal(list(ids), _IDS)
    alone = sa.and_(columns.skeleton_id == sa.func.any(wanted), columns.pattern_id.is_(None))
    statement = sa.select(columns.skeleton_id, columns.pattern_id).where(
        sa.or_(columns.pattern_id == sa.func.any(wanted), alone)
    )
    members: dict[int, list[int]] = {one: [] for one in ids}
    for skeleton_id, pattern_id in connection.execute(statement):
        members[skeleton_id if pattern_id is None else pattern_id].append(skeleton_id)
    return {one: sorted(found) or [one] for one, found in members.items()}


def sightings(
    connection: sa.Connection, scope: Scope, members: Mapping[int, Sequence[int]]
) -> Sightings:
    """By the environments and services of the scope; a few looks into an index for each skeleton.

    Of lines, not of skeletons: what is imported late was seen when it was written.
    """
    owner = {skeleton: one for one, found in members.items() for skeleton in found}
    if not owner:
        return Sightings({}, {})
    log_filter = scope.log_filter
    ids = sa.func.unnest(sa.literal(sorted(owner), _IDS))
    named = ids.table_valued(sa.column("id", sa.BigInteger)).render_derived("named")
    of_skeleton = sa.select(log_counts.c.bucket).where(
        log_counts.c.skeleton_id == named.c.id,
        *choice_conditions(log_counts.c.environment, log_filter.environment),
        *choice_conditions(log_counts.c.service_name, log_filter.service),
    )
    bucket = log_counts.c.bucket
    first = of_skeleton.order_by(bucket).limit(1)
    last = (
        of_skeleton.where(
            *scope.counted_conditions(log_counts), *time_conditions(bucket, None, scope.end)
        )
        .order_by(bucket.desc())
        .limit(1)
    )
    # Rows say when, where counts cannot; as of a moment the counts know too much.
    knows_last = not log_filter.needs_rows and log_filter.at is None
    statement = sa.select(
        named.c.id,
        first.correlate(named).scalar_subquery().label("first"),
        last.correlate(named).scalar_subquery().label("last") if knows_last else sa.null(),
    )
    firsts: dict[int, datetime] = {}
    lasts: dict[int, datetime] = {}
    for skeleton, earliest, latest in connection.execute(statement):
        one = owner[skeleton]
        if earliest is not None and (one not in firsts or earliest < firsts[one]):
            firsts[one] = earliest
        if latest is not None and (one not in lasts or latest > lasts[one]):
            lasts[one] = latest
    return Sightings(firsts, lasts)


def named_patterns(
    connection: sa.Connection, members: Mapping[int, Iterable[int]], environment: Choice
) -> dict[int, Named]:
    """Template and example of each pattern; only examples of these environments are shown."""
    owner = {skeleton: one for one, found in members.items() for skeleton in found}
    wanted = sa.literal(sorted(owner), _IDS)
    named: dict[int, Named] = {}
    examples: dict[int, str] = {}
    shown = {
        one.pattern_id: one.template
        for one in connection.execute(
            sa.select(patterns.c.pattern_id, patterns.c.template).where(
                patterns.c.pattern_id == sa.func.any(sa.literal(sorted(members), _IDS))
            )
        )
    }
    more = sa.select(
        skeleton_examples.c.skeleton_id,
        skeleton_examples.c.environment,
        skeleton_examples.c.example,
    ).where(skeleton_examples.c.skeleton_id == sa.func.any(wanted))
    columns = skeletons.c
    first = sa.select(
        columns.skeleton_id, columns.environment, columns.example, columns.is_overflow
    ).where(columns.skeleton_id == sa.func.any(wanted))
    for skeleton, where, example, is_overflow in connection.execute(
        first.order_by(columns.skeleton_id)
    ):
        one = owner[skeleton]
        if is_overflow:
            shown[one] = RARE_MESSAGES
        else:
            shown.setdefault(one, masked(example))
        if environment.allows(where) and (skeleton == one or one not in examples):
            examples[one] = example
    lacking = {one for one in members if one not in examples}
    if lacking:
        for skeleton, where, example in connection.execute(more.order_by(*more.selected_columns)):
            one = owner[skeleton]
            if one in lacking and environment.allows(where):
                examples.setdefault(one, example)
    for one in members:
        template = shown.get(one, UNNAMED)
        named[one] = Named(template, examples.get(one) or template)
    return named

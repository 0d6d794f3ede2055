"""What was refused: newest first, one, and how many by format, reason and sender."""

from typing import Any

import sqlalchemy as sa

from logstream.kept_reject import KeptReject, RejectCount, RejectFilter
from logstream.model import to_unix_nano
from logstream.tables import rejects

# Of each record in a list; `one` gives all of it.
PREVIEW_BYTES = 2_000
MAX_COUNTS = 200


def newest(
    connection: sa.Connection, wanted: RejectFilter, *, limit: int, before_id: int | None = None
) -> list[KeptReject]:
    """Those of the filter, newest first, with the beginning of their bytes."""
    question = _select(sa.func.substring(rejects.c.raw, 1, PREVIEW_BYTES))
    question = question.where(*_conditions(wanted)).order_by(rejects.c.id.desc()).limit(limit)
    if before_id is not None:
        question = question.where(rejects.c.id < before_id)
    return [_kept(row) for row in connection.execute(question)]


def one(connection: sa.Connection, reject_id: int) -> KeptReject | None:
    """One, with all its bytes; None when it does not exist (any more)."""
    row = connection.execute(_select(rejects.c.raw).where(rejects.c.id == reject_id)).one_or_none()
    return None if row is None else _kept(row)


def summary(connection: sa.Connection, wanted: RejectFilter) -> list[RejectCount]:
    """Counts by format, reason and sender, most first."""
    count = sa.func.count().label("found")
    groups = (rejects.c.format, rejects.c.reason, rejects.c.sender)
    rows = connection.execute(
        sa.select(*groups, count, sa.func.max(rejects.c.rejected_at))
        .where(*_conditions(wanted))
        .group_by(*groups)
        .order_by(count.desc(), *groups)
        .limit(MAX_COUNTS)
    )
    return [
        RejectCount(format, reason, sender, found, to_unix_nano(newest_at))
        for format, reason, sender, found, newest_at in rows
    ]


def _select(raw: sa.ColumnElement[bytes]) -> sa.Select[Any]:
    return sa.select(
        rejects.c.id,
        rejects.c.rejected_at,
        rejects.c.environment,
        rejects.c.format,
        rejects.c.reason,
        rejects.c.sender,
        rejects.c.record_index,
        rejects.c.error,
        raw.label("raw"),
        sa.func.octet_length(rejects.c.raw).label("size_bytes"),
        rejects.c.resent_at,
    )


def _conditions(wanted: RejectFilter) -> list[sa.ColumnElement[bool]]:
    return [
        rejects.c[name] == value
        for name in ("format", "reason", "sender", "environment")
        if (value := getattr(wanted, name)) is not None
    ]


def _kept(row: sa.Row[Any]) -> KeptReject:
    return KeptReject(
        id=row.id,
        rejected_unix_nano=to_unix_nano(row.rejected_at),
        environment=row.environment,
        format=row.format,
        reason=row.reason,
        sender=row.sender,
        record_index=row.record_index,
        error=row.error,
        raw=row.raw,
        size_bytes=row.size_bytes,
        resent_unix_nano=None if row.resent_at is None else to_unix_nano(row.resent_at),
    )

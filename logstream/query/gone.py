"""Why a line is not there: removed by retention, never written, or not yet."""

import sqlalchemy as sa

from logstream.tables import segment_contents, segments

_SETTINGS = "LOGSTREAM_RETENTION_DAYS and LOGSTREAM_RETENTION_RULES say how long lines are kept"


def why_missing(connection: sa.Connection, line_id: int) -> tuple[str, str]:
    """(what happened, what else to know) for an id that `feed.line` did not find.

    Ids have holes, so of a segment that retention thinned out nobody can say whether the
    line was removed or never written.
    """
    segment = connection.execute(
        sa.select(segments).where(segments.c.first_id <= line_id, segments.c.end_id > line_id)
    ).one_or_none()
    if segment is None:
        newest = connection.scalar(sa.select(sa.func.max(segments.c.end_id))) or 0
        if line_id >= newest:
            return f"line {line_id} is not there yet", "no line has been given so high an id"
        return f"line {line_id} never existed", "check the number"
    if segment.state == "dropped":
        days = (segment.dropped_at - segment.closed_at).days
        before = f"{days} days" if days != 1 else "a day"
        return (
            f"line {line_id} was removed on {segment.dropped_at:%Y-%m-%d}: "
            f"it was received more than {before} before",
            _SETTINGS,
        )
    if segment.state == "open":
        return f"line {line_id} is not there", "no line has this id, or not yet"
    removed_at = connection.scalar(
        sa.select(sa.func.max(segment_contents.c.removed_at)).where(
            segment_contents.c.first_id == segment.first_id
        )
    )
    if removed_at is not None:
        return (
            f"line {line_id} is not there; lines like it were removed on {removed_at:%Y-%m-%d}",
            _SETTINGS,
        )
    return f"line {line_id} never existed", "not every id is used"

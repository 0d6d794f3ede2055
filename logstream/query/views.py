"""Saved views: all of them, or one."""

import sqlalchemy as sa

from logstream.saved_view import SavedView
from logstream.tables import saved_views

# Far more than a list for people can hold; the table refuses to grow beyond it.
MOST_VIEWS = 2_000


def every_view(connection: sa.Connection) -> list[SavedView]:
    """By name; at most MOST_VIEWS."""
    by_name = sa.func.lower(saved_views.c.name), saved_views.c.view_id
    question = sa.select(saved_views).order_by(*by_name).limit(MOST_VIEWS)
    return [to_view(row) for row in connection.execute(question)]


def one_view(connection: sa.Connection, view_id: str) -> SavedView | None:
    """The view with this id; None when there is none (any more)."""
    question = sa.select(saved_views).where(saved_views.c.view_id == view_id)
    row = connection.execute(question).one_or_none()
    return None if row is None else to_view(row)


def to_view(row: sa.Row[tuple[object, ...]]) -> SavedView:
    """A row of `saved_views` as a value."""
    return SavedView(
        row.view_id,
        row.name,
        row.owner,
        row.is_team,
        row.state,
        row.created_at,
        row.updated_at,
    )

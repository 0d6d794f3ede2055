"""Saved views: names for what a page shows."""

from alembic import op

revision = "0005"
down_revision = "0004"

STATEMENTS = (
    # Small, and asked for by id: on Citus a reference table, whose unique keys are free.
    """
    CREATE TABLE saved_views (
        view_id     text PRIMARY KEY,
        name        text NOT NULL,
        owner       text NOT NULL,
        is_team     boolean NOT NULL,
        state       json NOT NULL,
        created_at  timestamptz NOT NULL DEFAULT now(),
        updated_at  timestamptz NOT NULL DEFAULT now()
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE saved_views")

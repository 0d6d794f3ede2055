"""Patterns: groups of skeletons with a template, and examples enough to find them."""

from alembic import op

revision = "0006"
down_revision = "0005"

STATEMENTS = (
    # Written by the worker alone; a skeleton without a group is a pattern of its own.
    """
    CREATE TABLE patterns (
        pattern_id      bigint PRIMARY KEY,
        service_name    text NOT NULL,
        template        text NOT NULL,
        skeleton_count  integer NOT NULL,
        first_seen      timestamptz NOT NULL DEFAULT now(),
        changed_at      timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX patterns_service ON patterns (service_name)",
    # Beside `skeletons.example`, the first one.
    """
    CREATE TABLE skeleton_examples (
        skeleton_id  bigint NOT NULL,
        place        smallint NOT NULL,
        environment  text NOT NULL,
        example      text NOT NULL,
        PRIMARY KEY (skeleton_id, place)
    )
    """,
    "CREATE INDEX patterns_changed ON patterns (changed_at)",
    "ALTER TABLE skeletons ADD COLUMN looks smallint NOT NULL DEFAULT 0,"
    " ADD COLUMN is_grouped boolean NOT NULL DEFAULT false",
    "CREATE INDEX skeletons_pattern ON skeletons (pattern_id)",
    "CREATE INDEX skeletons_service ON skeletons (service_name)",
    "CREATE INDEX skeletons_ungrouped ON skeletons (service_name) WHERE NOT is_grouped",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("UPDATE skeletons SET pattern_id = NULL")
    op.execute("DROP INDEX skeletons_pattern")
    op.execute("DROP INDEX skeletons_service")
    op.execute("ALTER TABLE skeletons DROP COLUMN looks, DROP COLUMN is_grouped")
    op.execute("DROP TABLE skeleton_examples")
    op.execute("DROP TABLE patterns")

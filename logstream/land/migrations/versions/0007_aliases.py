"""Aliases: what a word means in questions asked in plain words."""

from alembic import op

revision = "0007"
down_revision = "0006"

STATEMENTS = (
    """
    CREATE TABLE aliases (
        word text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('service', 'term')),
        value text NOT NULL,
        environment text,
        created_at timestamptz NOT NULL DEFAULT now(),
        created_by text NOT NULL DEFAULT ''
    )
    """,
    # One meaning in an environment, and one everywhere else.
    "CREATE UNIQUE INDEX aliases_word ON aliases (word, (coalesce(environment, '')))",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE aliases")

"""Lines by the time of their receipt: an index for each segment, and what each one holds."""

from alembic import op

revision = "0004"
down_revision = "0003"

STATEMENTS = (
    # Segments made from now on have it. Those there are get it from the worker, one by one
    # (logstream/land/receipts.py): building it here would keep landing waiting.
    "CREATE INDEX logs_observed_brin ON ONLY logs USING brin (observed_timestamp)"
    " WITH (pages_per_range = 32, autosummarize = on)",
    "ALTER TABLE segments ADD COLUMN received tstzrange",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP INDEX logs_observed_brin")
    op.execute("ALTER TABLE segments DROP COLUMN received")

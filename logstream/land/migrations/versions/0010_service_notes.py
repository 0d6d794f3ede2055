"""Notes about services: who owns them, and links."""

from alembic import op

revision = "0010"
down_revision = "0009"

STATEMENT = """
CREATE TABLE service_notes (
    service_name text PRIMARY KEY,
    owner        text NOT NULL,
    links        json NOT NULL,
    updated_at   timestamptz NOT NULL DEFAULT now()
)
"""


def upgrade() -> None:
    op.execute(STATEMENT)


def downgrade() -> None:
    op.execute("DROP TABLE service_notes")

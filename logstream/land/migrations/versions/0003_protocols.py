"""Protocols: spans, API keys, and what a refused record came in and with."""

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS = (
    """
    CREATE TABLE spans (
        id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        start               timestamptz NOT NULL,
        observed_timestamp  timestamptz NOT NULL,
        duration_ns         bigint NOT NULL,
        start_nanos         smallint NOT NULL,
        trace_id            text NOT NULL,
        span_id             text NOT NULL,
        parent_span_id      text,
        environment         text NOT NULL,
        service_name        text NOT NULL,
        name                text NOT NULL,
        kind                text NOT NULL,
        status              text NOT NULL,
        status_message      text,
        attributes          json NOT NULL,
        events              json NOT NULL,
        links               json NOT NULL
    )
    """,
    "CREATE INDEX spans_trace_id ON spans (trace_id)",
    "CREATE INDEX spans_observed ON spans USING brin (observed_timestamp)"
    " WITH (autosummarize = on)",
    """
    CREATE TABLE api_keys (
        prefix           text PRIMARY KEY,
        name             text NOT NULL DEFAULT '',
        role             text NOT NULL,
        environment      text,
        salt             bytea NOT NULL,
        hash             bytea NOT NULL,
        rate_per_second  double precision,
        created_at       timestamptz NOT NULL DEFAULT now(),
        expires_at       timestamptz,
        revoked_at       timestamptz,
        last_used_at     timestamptz,
        line_count       bigint NOT NULL DEFAULT 0,
        byte_count       bigint NOT NULL DEFAULT 0,
        rejected_count   bigint NOT NULL DEFAULT 0
    )
    """,
    """
    ALTER TABLE rejects
        ADD COLUMN format     text NOT NULL DEFAULT 'native',
        ADD COLUMN reason     text NOT NULL DEFAULT 'bad_record',
        ADD COLUMN sender     text NOT NULL DEFAULT '',
        ADD COLUMN resent_at  timestamptz
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE spans")
    op.execute("DROP TABLE api_keys")
    op.execute(
        "ALTER TABLE rejects DROP COLUMN format, DROP COLUMN reason, DROP COLUMN sender,"
        " DROP COLUMN resent_at"
    )

"""The spine: logs in segments, their counts, batches, rejects, services."""

from alembic import op

revision = "0001"
down_revision = None

STATEMENTS = (
    # One value is a block of ids; see logstream/land/id_blocks.py.
    "CREATE SEQUENCE log_id_blocks MINVALUE 0 START 0",
    """
    CREATE TABLE logs (
        id                  bigint NOT NULL,
        timestamp           timestamptz NOT NULL,
        observed_timestamp  timestamptz NOT NULL,
        duration_ms         double precision,
        skeleton_id         bigint NOT NULL DEFAULT 0,
        severity_number     smallint NOT NULL,
        timestamp_nanos     smallint NOT NULL DEFAULT 0,
        environment         text NOT NULL,
        service_name        text NOT NULL,
        severity_text       text,
        trace_id            text,
        span_id             text,
        body                text NOT NULL,
        attributes          json NOT NULL
    ) PARTITION BY RANGE (id)
    """,
    "CREATE INDEX logs_id_brin ON logs USING brin (id) WITH (pages_per_range = 32)",
    "CREATE INDEX logs_timestamp_brin ON logs USING brin (timestamp)"
    " WITH (pages_per_range = 32, autosummarize = on)",
    "CREATE INDEX logs_trace_id_bloom ON logs USING brin (trace_id text_bloom_ops)"
    " WITH (pages_per_range = 64, autosummarize = on)",
    """
    CREATE TABLE segments (
        first_id    bigint PRIMARY KEY,
        end_id      bigint NOT NULL,
        name        text NOT NULL,
        state       text NOT NULL DEFAULT 'open',
        created_at  timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TABLE log_counts (
        bucket           timestamptz NOT NULL,
        environment      text NOT NULL,
        service_name     text NOT NULL,
        severity_number  smallint NOT NULL,
        skeleton_id      bigint NOT NULL DEFAULT 0,
        count            bigint NOT NULL,
        is_folded        boolean NOT NULL DEFAULT false
    ) WITH (
        autovacuum_vacuum_scale_factor = 0.05,
        autovacuum_vacuum_threshold = 5000,
        autovacuum_vacuum_cost_delay = 0
    )
    """,
    "CREATE INDEX log_counts_bucket ON log_counts (bucket)",
    "CREATE INDEX log_counts_unfolded ON log_counts (bucket) WHERE NOT is_folded",
    """
    CREATE TABLE batches (
        batch_id   uuid PRIMARY KEY,
        landed_at  timestamptz NOT NULL DEFAULT now(),
        is_keyed   boolean NOT NULL,
        first_id   bigint,
        last_id    bigint,
        accepted   integer NOT NULL
    )
    """,
    "CREATE INDEX batches_landed_at ON batches USING brin (landed_at)",
    """
    CREATE TABLE rejects (
        id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        rejected_at   timestamptz NOT NULL DEFAULT now(),
        environment   text NOT NULL,
        record_index  integer NOT NULL,
        error         text NOT NULL,
        raw           bytea NOT NULL
    )
    """,
    """
    CREATE TABLE services (
        environment   text NOT NULL,
        service_name  text NOT NULL,
        first_seen    timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (environment, service_name)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for table in ("services", "rejects", "batches", "log_counts", "segments", "logs"):
        op.execute(f"DROP TABLE {table} CASCADE")
    op.execute("DROP SEQUENCE log_id_blocks")

"""Traces: a summary of each, operations and calls counted by duration."""

from alembic import op

revision = "0008"
down_revision = "0007"

STATEMENTS = (
    # Written by landing and corrected by the worker; docs/traces.md says what each column means.
    """
    CREATE TABLE trace_summaries (
        environment    text NOT NULL,
        trace_id       text NOT NULL,
        start          timestamptz NOT NULL,
        duration_ns    bigint NOT NULL,
        root_service   text,
        root_name      text,
        span_count     integer NOT NULL DEFAULT 0,
        error_count    integer NOT NULL DEFAULT 0,
        line_count     integer NOT NULL DEFAULT 0,
        error_line_count integer NOT NULL DEFAULT 0,
        services       text[] NOT NULL DEFAULT '{}',
        first_span     bigint,
        last_span      bigint,
        spans_hash     bigint,
        touched_at     timestamptz NOT NULL DEFAULT now(),
        needs_review   boolean NOT NULL DEFAULT true,
        calls          json,
        PRIMARY KEY (trace_id, environment)
    ) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05)
    """,
    "CREATE INDEX trace_summaries_start ON trace_summaries (start)",
    "CREATE INDEX trace_summaries_review ON trace_summaries (touched_at) WHERE needs_review",
    # Per block of log ids, up to which id the worker has told traces of their lines.
    "CREATE TABLE trace_line_marks (block bigint PRIMARY KEY, last_id bigint NOT NULL)",
    *(
        statement
        for table, names in (
            ("operation_counts", ("service_name", "operation", "kind")),
            ("call_counts", ("source", "target", "kind")),
        )
        for columns in (", ".join(f"{name} text NOT NULL" for name in names),)
        for keys in (", ".join(names),)
        for statement in (
            f"""
            CREATE TABLE {table} (
                bucket         timestamptz NOT NULL,
                environment    text NOT NULL,
                {columns},
                is_error       boolean NOT NULL,
                duration_step  smallint NOT NULL,
                count          bigint NOT NULL,
                is_folded      boolean NOT NULL DEFAULT false
            ) WITH (
                autovacuum_vacuum_scale_factor = 0.05,
                autovacuum_vacuum_threshold = 5000,
                autovacuum_vacuum_cost_delay = 0
            )
            """,
            f"CREATE INDEX {table}_bucket ON {table} (bucket)",
            f"CREATE INDEX {table}_unfolded ON {table} (bucket) WHERE NOT is_folded",
            f"""
            CREATE TABLE {table}_hourly (
                bucket         timestamptz NOT NULL,
                environment    text NOT NULL,
                {columns},
                is_error       boolean NOT NULL,
                duration_step  smallint NOT NULL,
                count          bigint NOT NULL,
                PRIMARY KEY (bucket, environment, {keys}, is_error, duration_step)
            ) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05)
            """,
        )
    ),
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for table in ("operation_counts", "call_counts"):
        op.execute(f"DROP TABLE {table}")
        op.execute(f"DROP TABLE {table}_hourly")
    op.execute("DROP TABLE trace_line_marks")
    op.execute("DROP TABLE trace_summaries")

"""Landing: segments with a life, token filters, skeletons, counts by hour and day."""

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = (
    # See docs/decisions/0002-landing-and-questions.md for the states.
    """
    ALTER TABLE segments
        ADD COLUMN closed_at        timestamptz,
        ADD COLUMN sealed_at        timestamptz,
        ADD COLUMN row_count        bigint,
        ADD COLUMN byte_count       bigint,
        ADD COLUMN first_timestamp  timestamptz,
        ADD COLUMN last_timestamp   timestamptz,
        ADD COLUMN hours            tstzmultirange,
        ADD COLUMN has_trigram      boolean NOT NULL DEFAULT false,
        ADD COLUMN has_attribute_index  boolean NOT NULL DEFAULT false,
        ADD COLUMN seal_seconds     json,
        ADD COLUMN dropped_at       timestamptz
    """,
    # What a closed segment held when it was closed, and which of it retention removed.
    """
    CREATE TABLE segment_contents (
        first_id         bigint NOT NULL,
        environment      text NOT NULL,
        severity_number  smallint NOT NULL,
        line_count       bigint NOT NULL,
        removed_at       timestamptz,
        PRIMARY KEY (first_id, environment, severity_number)
    )
    """,
    "CREATE INDEX logs_skeleton_id_bloom ON logs USING brin (skeleton_id int8_bloom_ops)"
    " WITH (pages_per_range = 32, autosummarize = on)",
    # 256 positions of 32 bytes (one bit for each block of ids) in a row, read by substring.
    # Compression does nothing to a full filter and makes that of a small segment small.
    """
    CREATE TABLE token_filters (
        first_id  bigint NOT NULL,
        chunk     smallint NOT NULL,
        bits      bytea NOT NULL,
        PRIMARY KEY (first_id, chunk)
    )
    """,
    """
    CREATE TABLE skeletons (
        skeleton_id   bigint PRIMARY KEY,
        environment   text NOT NULL,
        service_name  text NOT NULL,
        key           text NOT NULL,
        example       text NOT NULL,
        is_overflow   boolean NOT NULL DEFAULT false,
        pattern_id    bigint,
        first_seen    timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX log_counts_skeleton ON log_counts (skeleton_id, bucket)",
    *(
        statement
        for table in ("log_counts_hourly", "log_counts_daily")
        for statement in (
            f"""
            CREATE TABLE {table} (
                bucket           timestamptz NOT NULL,
                environment      text NOT NULL,
                service_name     text NOT NULL,
                severity_number  smallint NOT NULL,
                skeleton_id      bigint NOT NULL,
                count            bigint NOT NULL,
                PRIMARY KEY (bucket, environment, service_name, severity_number, skeleton_id)
            ) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05)
            """,
            f"CREATE INDEX {table}_skeleton ON {table} (skeleton_id, bucket)",
        )
    ),
    # What 0001 folded is in no hour yet: fold it again, upwards this time.
    "UPDATE log_counts SET is_folded = false WHERE is_folded",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for table in (
        "log_counts_daily",
        "log_counts_hourly",
        "skeletons",
        "token_filters",
        "segment_contents",
    ):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP INDEX log_counts_skeleton")
    op.execute("DROP INDEX logs_skeleton_id_bloom")
    op.execute(
        "ALTER TABLE segments DROP COLUMN closed_at, DROP COLUMN sealed_at, DROP COLUMN row_count,"
        " DROP COLUMN byte_count, DROP COLUMN first_timestamp, DROP COLUMN last_timestamp,"
        " DROP COLUMN hours, DROP COLUMN has_trigram, DROP COLUMN dropped_at,"
        " DROP COLUMN has_attribute_index, DROP COLUMN seal_seconds"
    )

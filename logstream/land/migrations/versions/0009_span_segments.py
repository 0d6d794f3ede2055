"""Spans in segments, like lines; what was stored of them before is summed up by trace."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

# As they were when this was written; see logstream/land/segments.py and id_blocks.py.
_IDS_PER_SEGMENT = 1_000_000
_IDS_PER_BLOCK = 10_000

_COLUMNS = """
    id                  bigint NOT NULL,
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
"""
# The old table becomes the first segment as it is: its rows are not written again.
_SET_ASIDE = (
    "ALTER TABLE spans RENAME TO spans_000000",
    "ALTER INDEX spans_trace_id RENAME TO spans_000000_trace_id_idx",
    "ALTER INDEX spans_observed RENAME TO spans_000000_observed_timestamp_idx",
    "ALTER TABLE spans_000000 DROP CONSTRAINT spans_pkey, ALTER COLUMN id DROP IDENTITY",
    "ALTER TABLE spans_000000 ALTER COLUMN id SET NOT NULL",
)
_MAKE = (
    f"CREATE TABLE spans ({_COLUMNS}) PARTITION BY RANGE (id)",
    "CREATE INDEX spans_trace_id ON spans (trace_id)",
    "CREATE INDEX spans_observed_brin ON spans USING brin (observed_timestamp)"
    " WITH (pages_per_range = 32, autosummarize = on)",
    "CREATE INDEX spans_start_brin ON spans USING brin (start)"
    " WITH (pages_per_range = 32, autosummarize = on)",
    """
    CREATE TABLE span_segments (
        first_id      bigint PRIMARY KEY,
        end_id        bigint NOT NULL,
        name          text NOT NULL,
        state         text NOT NULL DEFAULT 'open',
        created_at    timestamptz NOT NULL DEFAULT now(),
        closed_at     timestamptz,
        sealed_at     timestamptz,
        dropped_at    timestamptz,
        row_count     bigint,
        byte_count    bigint,
        first_start   timestamptz,
        last_start    timestamptz,
        received      tstzrange,
        environments  json
    )
    """,
)
# Closed, so what it holds is counted by the worker; its age is that of its newest span.
_CATALOGUE = """
INSERT INTO span_segments (first_id, end_id, name, state, closed_at)
SELECT 0, :end_id, 'spans_000000', 'closed', max(observed_timestamp) FROM spans_000000
"""
_SUMMARIES = """
INSERT INTO trace_summaries (environment, trace_id, start, duration_ns, root_service, root_name,
    span_count, error_count, services, first_span, last_span, touched_at)
SELECT environment, trace_id, min(start),
    least(max(nanos + greatest(duration_ns, 0)) - min(nanos), 9223372036854775807),
    (array_agg(service_name ORDER BY nanos) FILTER (WHERE parent_span_id IS NULL))[1],
    (array_agg(name ORDER BY nanos) FILTER (WHERE parent_span_id IS NULL))[1],
    count(*), count(*) FILTER (WHERE status = 'error'),
    array_agg(DISTINCT service_name), min(id), max(id), max(observed_timestamp)
FROM (
    SELECT *, extract(epoch FROM start) * 1000000000 + start_nanos AS nanos FROM spans_000000
) told
GROUP BY environment, trace_id ON CONFLICT DO NOTHING
"""
# The steps of logstream/durations.py, the names of logstream/land/operation_rows.py.
_OPERATIONS = """
INSERT INTO operation_counts
    (bucket, environment, service_name, operation, kind, is_error, duration_step, count)
SELECT date_trunc('minute', start, 'UTC'), environment, service_name,
    CASE WHEN place <= 1000 THEN operation ELSE '(other)' END, kind, status = 'error',
    CASE WHEN duration_ns < 1000 THEN -1
        ELSE least(160, floor(ln(duration_ns / 1000::float8) / ln(2::float8) * 4)) END,
    count(*)
FROM spans_000000 JOIN (
    SELECT service_name, left(name, 200) AS operation,
        row_number() OVER (PARTITION BY service_name ORDER BY count(*) DESC) AS place
    FROM spans_000000 GROUP BY 1, 2
) names USING (service_name)
WHERE left(name, 200) = operation
GROUP BY 1, 2, 3, 4, 5, 6, 7
"""


def upgrade() -> None:
    for statement in (*_SET_ASIDE, *_MAKE):
        op.execute(statement)
    bind = op.get_bind()
    last_id = bind.scalar(sa.text("SELECT max(id) FROM spans_000000"))
    if last_id is None:
        op.execute("DROP TABLE spans_000000")
        op.execute("CREATE SEQUENCE span_id_blocks MINVALUE 0 START 0")
        return
    end_id = (last_id // _IDS_PER_SEGMENT + 1) * _IDS_PER_SEGMENT
    op.execute(f"ALTER TABLE spans ATTACH PARTITION spans_000000 FOR VALUES FROM (0) TO ({end_id})")
    op.execute(f"CREATE SEQUENCE span_id_blocks MINVALUE 0 START {end_id // _IDS_PER_BLOCK}")
    bind.execute(sa.text(_CATALOGUE), {"end_id": end_id})
    op.execute(_SUMMARIES)
    op.execute(_OPERATIONS)


def downgrade() -> None:
    op.execute("ALTER TABLE spans RENAME TO segmented_spans")
    op.execute("ALTER INDEX spans_trace_id RENAME TO segmented_spans_trace_id")
    op.execute(f"CREATE TABLE spans ({_COLUMNS})")
    op.execute("INSERT INTO spans SELECT * FROM segmented_spans")
    op.execute(
        "ALTER TABLE spans ADD PRIMARY KEY (id), ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY"
    )
    op.execute(
        "SELECT setval(pg_get_serial_sequence('spans', 'id'), max(id)) FROM spans"
        " HAVING max(id) IS NOT NULL"
    )
    op.execute("CREATE INDEX spans_trace_id ON spans (trace_id)")
    op.execute(
        "CREATE INDEX spans_observed ON spans USING brin (observed_timestamp)"
        " WITH (autosummarize = on)"
    )
    op.execute("DROP TABLE segmented_spans")
    op.execute("DROP TABLE span_segments")
    op.execute("DROP SEQUENCE span_id_blocks")
    # Nothing fills these before this migration, which makes them anew.
    op.execute(
        "TRUNCATE trace_summaries, trace_line_marks, operation_counts, operation_counts_hourly,"
        " call_counts, call_counts_hourly"
    )

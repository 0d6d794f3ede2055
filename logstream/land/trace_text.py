"""The statement by which landed spans are added to the summaries of their traces."""

from collections.abc import Sequence

import msgspec
import psycopg
from psycopg import sql

from logstream.land.trace_parts import MAX_SERVICES, LandedTrace

# A trace of which only lines had been seen takes start, duration and root from its spans. The
# same spans sent again right after each other are counted once.
_ADD = """
INSERT INTO trace_summaries AS kept (environment, trace_id, start, duration_ns, root_service,
    root_name, span_count, error_count, services, first_span, last_span, spans_hash)
SELECT * FROM json_to_recordset({rows}) AS landed (environment text, trace_id text,
    start timestamptz, duration_ns bigint, root_service text, root_name text, span_count int,
    error_count int, services text[], first_span bigint, last_span bigint, spans_hash bigint)
ON CONFLICT (trace_id, environment) DO UPDATE SET
    start = CASE WHEN kept.span_count = 0 THEN excluded.start
        ELSE least(kept.start, excluded.start) END,
    duration_ns = CASE WHEN kept.span_count = 0 THEN excluded.duration_ns
        ELSE least(9223372036854775807, greatest({end_of_kept}, {end_of_new})) END,
    root_service = CASE WHEN {is_root_new} THEN excluded.root_service ELSE kept.root_service END,
    root_name = CASE WHEN {is_root_new} THEN excluded.root_name ELSE kept.root_name END,
    span_count = kept.span_count
        + CASE WHEN kept.spans_hash = excluded.spans_hash THEN 0 ELSE excluded.span_count END,
    error_count = kept.error_count
        + CASE WHEN kept.spans_hash = excluded.spans_hash THEN 0 ELSE excluded.error_count END,
    services = CASE WHEN kept.services @> excluded.services THEN kept.services
        ELSE ARRAY(SELECT DISTINCT unnest(kept.services || excluded.services)
                   ORDER BY 1 LIMIT {services}) END,
    first_span = least(kept.first_span, excluded.first_span),
    last_span = greatest(kept.last_span, excluded.last_span),
    spans_hash = excluded.spans_hash,
    touched_at = now(),
    needs_review = true;
"""
# From the earlier of the two starts, in nanoseconds.
_END_OF = (
    "extract(epoch FROM {one}.start - least(kept.start, excluded.start)) * 1000000000"
    " + {one}.duration_ns"
)
_IS_ROOT_NEW = sql.SQL(
    "kept.span_count = 0 OR kept.root_service IS NULL"
    " OR (excluded.root_service IS NOT NULL AND excluded.start < kept.start)"
)


def add_to_traces(connection: psycopg.AsyncConnection, traces: Sequence[LandedTrace]) -> bytes:
    """In the order of their ids, as everybody locks these rows; nothing for no trace.

    One text for all of them: a literal a value would cost more than the spans.
    """
    if not traces:
        return b""
    statement = sql.SQL(_ADD).format(
        rows=sql.Literal(msgspec.json.encode(traces).decode()),
        end_of_kept=sql.SQL(_END_OF.format(one="kept")),
        end_of_new=sql.SQL(_END_OF.format(one="excluded")),
        is_root_new=_IS_ROOT_NEW,
        services=MAX_SERVICES,
    )
    return statement.as_bytes(connection)

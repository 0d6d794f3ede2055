"""Facts about stored spans for the System page."""

from typing import Any

import sqlalchemy as sa

from logstream.query.trace_backlog import backlog

_FACTS = sa.text(
    # An estimate, as old as the last ANALYZE; counting them would read all.
    "SELECT coalesce(sum(greatest(reltuples, 0)), 0)::bigint AS spans, count(*) AS segments,"
    " coalesce(sum(pg_total_relation_size(relid)), 0)::bigint AS bytes,"
    " (SELECT min(start) FROM trace_summaries) AS oldest"
    " FROM pg_partition_tree('spans') JOIN pg_class ON pg_class.oid = relid WHERE isleaf"
)


def span_facts(connection: sa.Connection) -> dict[str, Any]:
    """See TraceReader.system."""
    facts = connection.execute(_FACTS).one()
    return {
        "spansEstimate": facts.spans,
        "segments": facts.segments,
        "bytes": facts.bytes,
        "oldest": None if facts.oldest is None else facts.oldest.isoformat(),
        "review": backlog(connection),
    }

"""How far the worker is with traces, for the System page."""

from typing import Any

import sqlalchemy as sa

# Which traces should have been reviewed, and for how many seconds has the first waited?
WAITING = """
SELECT count(*), coalesce(extract(epoch FROM now() - min(touched_at)), 0)::float8
FROM (
    SELECT touched_at FROM trace_summaries
    WHERE needs_review AND touched_at < now() - interval '10 seconds'
    ORDER BY touched_at LIMIT 100000
) AS waiting
"""


def backlog(connection: sa.Connection) -> dict[str, Any]:
    """Traces that should have been reviewed (at most 100,000 are counted), the longest wait.

    Those touched within 10 s are left alone by the worker, so they wait for nobody.
    """
    waiting, seconds = connection.execute(sa.text(WAITING)).one()
    return {"waiting": waiting, "longestWaitSeconds": seconds if waiting else None}

"""What distinguishes the lines of one filter from those of another."""

import sqlalchemy as sa

from logstream.filter import LogFilter
from logstream.ports import Differences
from logstream.query.catalogue import Segment


def differences(
    connection: sa.Connection,
    segments: list[Segment],
    log_filter: LogFilter,
    baseline: LogFilter,
    *,
    limit: int,
    now_unix_nano: int,
) -> Differences:
    """See LogReader.differences."""
    raise NotImplementedError

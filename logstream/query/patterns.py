"""Patterns of the lines meant, counted exactly from the rollups."""

import sqlalchemy as sa

from logstream.filter import LogFilter
from logstream.ports import Patterns, PatternValues
from logstream.query.catalogue import Segment


def patterns(
    connection: sa.Connection,
    segments: list[Segment],
    log_filter: LogFilter,
    *,
    limit: int,
    buckets: int,
    now_unix_nano: int,
) -> Patterns:
    """See LogReader.patterns."""
    raise NotImplementedError


def pattern_values(
    connection: sa.Connection,
    segments: list[Segment],
    log_filter: LogFilter,
    pattern_id: int,
    *,
    values: int,
    now_unix_nano: int,
) -> PatternValues | None:
    """See LogReader.pattern_values."""
    raise NotImplementedError

"""Every attribute of the lines meant: how widespread it is, and its values."""

import sqlalchemy as sa

from logstream.filter import LogFilter
from logstream.ports import Fields
from logstream.query.catalogue import Segment


def fields_of(
    connection: sa.Connection,
    segments: list[Segment],
    log_filter: LogFilter,
    *,
    values: int,
    now_unix_nano: int,
    most_lines: int,
) -> Fields:
    """See LogReader.fields."""
    raise NotImplementedError

"""Which values a field has among the lines meant, and how often."""

import sqlalchemy as sa

from logstream.filter import LogFilter
from logstream.model import Severity
from logstream.query.conditions import counted
from logstream.tables import services

_COLUMNS = {"service": "service_name", "env": "environment"}


def facet(
    connection: sa.Connection, log_filter: LogFilter, field: str, *, limit: int, now_unix_nano: int
) -> list[tuple[str, int]]:
    """See LogReader.facet."""
    lines = counted(log_filter.without(field), now_unix_nano)
    if field == "severity":
        totals: dict[str, int] = {}
        statement = sa.select(lines.c.severity_number, sa.func.sum(lines.c.count)).group_by(
            lines.c.severity_number
        )
        for number, count in connection.execute(statement):
            word = Severity.of(number).word
            totals[word] = totals.get(word, 0) + int(count)
        return sorted(totals.items(), key=lambda item: (-item[1], item[0]))[:limit]
    column = lines.c[_COLUMNS[field]]
    total = sa.func.sum(lines.c.count)
    ranked = sa.select(column, total).group_by(column).order_by(total.desc(), column).limit(limit)
    return [(value, int(count)) for value, count in connection.execute(ranked)]


def environments(connection: sa.Connection) -> list[str]:
    """See LogReader.environments."""
    statement = sa.select(services.c.environment).distinct().order_by(services.c.environment)
    return list(connection.scalars(statement))

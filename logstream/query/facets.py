"""Which values a field has among the lines meant, and how often."""

from collections import Counter

import sqlalchemy as sa

from logstream.filter import LogFilter
from logstream.model import Severity
from logstream.ports import FACETS
from logstream.query.catalogue import Segment
from logstream.query.conditions import label_conditions
from logstream.query.counted import counted
from logstream.query.scope import resolve
from logstream.tables import services


def facets(
    connection: sa.Connection,
    segments: list[Segment],
    log_filter: LogFilter,
    *,
    limit: int,
    now_unix_nano: int,
    fields: tuple[str, ...] = FACETS,
) -> dict[str, list[tuple[str, int]]]:
    """See LogReader.facets. Lines are counted once, by all three fields together.

    Each facet leaves out its own condition, so what is counted meets all the other ones of
    at least one facet.
    """
    open_filter = log_filter
    for name in fields:
        open_filter = open_filter.without(name)
    lines = counted(connection, resolve(connection, open_filter, now_unix_nano), segments)
    total = sa.func.sum(lines.c.count)
    labels = (lines.c.environment, lines.c.service_name, lines.c.severity_number)
    found: dict[str, Counter[str]] = {name: Counter() for name in fields}
    wider = {name: log_filter.without(name) for name in fields}
    statement = (
        sa.select(*labels, total.label("count"))
        .where(
            sa.or_(*(sa.and_(sa.true(), *label_conditions(one, lines)) for one in wider.values()))
        )
        .group_by(*labels)
    )
    for environment, service, number, count in connection.execute(statement):
        word = Severity.of(number).word
        values = {"severity": word, "service": service, "env": environment}
        for name in fields:
            rest = wider[name]
            if (
                rest.environment.allows(environment)
                and rest.service.allows(service)
                and rest.severity.allows(word)
            ):
                found[name][values[name]] += int(count)
    return {
        name: sorted(
            ((value, count) for value, count in counts.items() if count > 0),
            key=lambda item: (-item[1], item[0]),
        )[:limit]
        for name, counts in found.items()
    }


def environments(connection: sa.Connection) -> list[str]:
    """See LogReader.environments."""
    statement = sa.select(services.c.environment).distinct().order_by(services.c.environment)
    return list(connection.scalars(statement))

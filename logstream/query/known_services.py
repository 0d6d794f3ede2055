"""Which services there are at all."""

import sqlalchemy as sa

from logstream.filter import Choice
from logstream.model import to_unix_nano
from logstream.query.conditions import choice_conditions
from logstream.tables import services


def known_services(connection: sa.Connection, environment: Choice) -> dict[str, int]:
    """See TraceReader.known_services."""
    columns = services.c
    statement = (
        sa.select(columns.service_name, sa.func.min(columns.first_seen).label("first_seen"))
        .where(*choice_conditions(columns.environment, environment))
        .group_by(columns.service_name)
    )
    return {row.service_name: to_unix_nano(row.first_seen) for row in connection.execute(statement)}

"""Counts of services and calls, put where landing and the worker put them."""

from datetime import datetime, timedelta

import psycopg

from logstream.durations import step_of
from logstream.land import fold_durations, upkeep


class CountedServices:
    """Writes delta rows over one connection (autocommit, zone UTC), and folds them."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection

    def spans(
        self,
        at: datetime,
        service: str,
        operation: str,
        count: int,
        *,
        ms: float = 20,
        kind: str = "server",
        is_error: bool = False,
        environment: str = "production",
    ) -> None:
        """So many spans that start in the minute of `at` and take `ms`."""
        self._add(
            "operation_counts",
            (at, environment, service, operation, kind, is_error, ms, count),
        )
        self._know(environment, service, at)

    def calls(
        self,
        at: datetime,
        source: str,
        target: str,
        count: int,
        *,
        ms: float = 20,
        kind: str = "call",
        is_error: bool = False,
        environment: str = "production",
    ) -> None:
        """So many calls from one service to another."""
        self._add("call_counts", (at, environment, source, target, kind, is_error, ms, count))

    def lines(
        self,
        at: datetime,
        service: str,
        count: int,
        *,
        severity: int = 9,
        environment: str = "production",
    ) -> None:
        """So many log lines."""
        self.connection.execute(
            "INSERT INTO log_counts (bucket, environment, service_name, severity_number,"
            " skeleton_id, count, is_folded) VALUES (%s, %s, %s, %s, 7, %s, false)",
            [_minute(at), environment, service, severity, count],
        )
        self._know(environment, service, at)

    def fold(self) -> None:
        """What the worker does: minutes summed up, and added to their hours."""
        for table in fold_durations.COUNTED:
            while fold_durations.fold(self.connection, table):
                pass
        while upkeep.fold_counts(self.connection):
            pass

    def forget_minutes(self) -> None:
        """Give up minutes of spans and calls that are older than three days by the real clock."""
        for table in fold_durations.COUNTED:
            while fold_durations.forget_minutes(self.connection, table):
                pass

    def _add(self, table: str, row: tuple[object, ...]) -> None:
        at, *labels, ms, count = row
        names = fold_durations.COUNTED[table]
        assert isinstance(at, datetime) and isinstance(ms, int | float)
        self.connection.execute(
            f"INSERT INTO {table} (bucket, environment, {', '.join(names)}, is_error,"
            " duration_step, count) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            [_minute(at), *labels, step_of(int(ms * 1_000_000)), count],
        )

    def _know(self, environment: str, service: str, at: datetime) -> None:
        self.connection.execute(
            "INSERT INTO services (environment, service_name, first_seen) VALUES (%s, %s, %s)"
            " ON CONFLICT (environment, service_name) DO UPDATE"
            " SET first_seen = least(services.first_seen, excluded.first_seen)",
            [environment, service, at],
        )


def _minute(at: datetime) -> datetime:
    return at - timedelta(seconds=at.second, microseconds=at.microsecond)

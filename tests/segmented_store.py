"""Lines put into the segments a test names, which can then be closed and sealed.

Landing fills one segment after the other and the worker seals them; a test of questions wants
a handful of lines in each state of a segment at once.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

import psycopg
from psycopg import sql

from logstream.land import close_segments, seal, upkeep
from logstream.land.segments import IDS_PER_SEGMENT
from logstream.model import LogRecord, to_datetime
from logstream.skeleton import MAX_KEY_CHARACTERS, skeleton_id, skeleton_key

_COUNT_KEY = "environment, service_name, severity_number, skeleton_id"


class SegmentedStore:
    """Writes to one database over one connection, autocommit, with the zone set to UTC."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._used: Counter[int] = Counter()

    def land(self, records: Iterable[LogRecord], segment: int, step: int = 1) -> None:
        """Lines in the open segment of that number, ids growing by `step`; counted as deltas."""
        first_id = segment * IDS_PER_SEGMENT
        self._make(segment)
        counts: Counter[tuple[datetime, str, str, int, int]] = Counter()
        skeletons: dict[int, tuple[str, str, str, str]] = {}
        with self._connection.transaction(), self._connection.cursor() as cursor:
            with cursor.copy(
                "COPY logs (id, timestamp, observed_timestamp, duration_ms, skeleton_id,"
                " severity_number, timestamp_nanos, environment, service_name, severity_text,"
                " trace_id, span_id, body, attributes) FROM STDIN"
            ) as copy:
                for record in records:
                    self._used[segment] += step
                    key = skeleton_key(record.body.encode())
                    skeleton = skeleton_id(key)
                    moment = to_datetime(record.timestamp_unix_nano)
                    copy.write_row(
                        (
                            first_id + self._used[segment],
                            moment,
                            to_datetime(record.observed_unix_nano),
                            record.duration_ms,
                            skeleton,
                            record.severity_number,
                            record.timestamp_unix_nano % 1_000,
                            record.environment,
                            record.service_name,
                            record.severity_text,
                            record.trace_id,
                            record.span_id,
                            record.body,
                            record.attributes.decode(),
                        )
                    )
                    names = (record.environment, record.service_name)
                    minute = moment.replace(second=0, microsecond=0)
                    counts[minute, *names, record.severity_number, skeleton] += 1
                    text = key[:MAX_KEY_CHARACTERS].decode()
                    skeletons.setdefault(skeleton, (*names, text, record.body))
            cursor.executemany(
                "INSERT INTO skeletons (skeleton_id, environment, service_name, key, example,"
                " first_seen) VALUES (%s, %s, %s, %s, %s, now()) ON CONFLICT DO NOTHING",
                [(skeleton, *rest) for skeleton, rest in skeletons.items()],
            )
            cursor.executemany(
                f"INSERT INTO log_counts (bucket, {_COUNT_KEY}, count, is_folded)"
                " VALUES (%s, %s, %s, %s, %s, %s, false)",
                [(*labels, count) for labels, count in counts.items()],
            )
            cursor.executemany(
                "INSERT INTO services (environment, service_name) VALUES (%s, %s)"
                " ON CONFLICT DO NOTHING",
                list({(labels[1], labels[2]) for labels in counts}),
            )

    def fold(self) -> None:
        """Sum up all deltas so far."""
        while upkeep.fold_counts(self._connection):
            pass

    def close(self, segment: int) -> None:
        """Nothing lands in it any more; its hours are known."""
        close_segments.close(self._connection, segment * IDS_PER_SEGMENT)
        close_segments.describe_closed(self._connection)

    def seal(self, segment: int) -> None:
        """Close it and give it what sealed segments have."""
        self.close(segment)
        first_id = segment * IDS_PER_SEGMENT
        assert seal.seal(self._connection, first_id, _name(segment), lambda: None)

    def _make(self, segment: int) -> None:
        if self._used[segment]:
            return
        first_id = segment * IDS_PER_SEGMENT
        leaf = sql.Identifier(_name(segment))
        self._connection.execute(
            sql.SQL("CREATE TABLE {} (LIKE logs INCLUDING DEFAULTS)").format(leaf)
        )
        self._connection.execute(
            sql.SQL("ALTER TABLE logs ATTACH PARTITION {} FOR VALUES FROM ({}) TO ({})").format(
                leaf, first_id, first_id + IDS_PER_SEGMENT
            )
        )
        self._connection.execute(
            "INSERT INTO segments (first_id, end_id, name) VALUES (%s, %s, %s)",
            [first_id, first_id + IDS_PER_SEGMENT, _name(segment)],
        )


def _name(segment: int) -> str:
    return f"logs_{segment:06d}"

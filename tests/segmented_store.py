"""Lines put into the segments a test names, which can then be closed and sealed.

Landing fills one segment after the other and the worker seals them; a test of questions wants
a handful of lines in each state of a segment at once.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime

import psycopg
from psycopg import sql

from logstream.land.segments import IDS_PER_SEGMENT
from logstream.model import LogRecord, to_datetime
from logstream.skeleton import MAX_KEY_CHARACTERS, skeleton_id, skeleton_key
from logstream.tables import INDEXED_ATTRIBUTES, STREAM
from logstream.text_query import folded
from logstream.tokens import (
    BLOCKS,
    IDS_PER_BLOCK,
    POSITIONS,
    POSITIONS_PER_CHUNK,
    positions_of,
    tokens_of,
)

_COUNT_KEY = "environment, service_name, severity_number, skeleton_id"
_FOLD = f"""
WITH gone AS (
    DELETE FROM log_counts WHERE NOT is_folded RETURNING *
), folded AS (
    INSERT INTO log_counts (bucket, {_COUNT_KEY}, count, is_folded)
    SELECT bucket, {_COUNT_KEY}, sum(count), true FROM gone GROUP BY bucket, {_COUNT_KEY}
), hourly AS (
    INSERT INTO log_counts_hourly AS h (bucket, {_COUNT_KEY}, count)
    SELECT date_trunc('hour', bucket), {_COUNT_KEY}, sum(count) FROM gone
    GROUP BY 1, {_COUNT_KEY}
    ON CONFLICT (bucket, {_COUNT_KEY}) DO UPDATE SET count = h.count + excluded.count
)
INSERT INTO log_counts_daily AS d (bucket, {_COUNT_KEY}, count)
SELECT date_trunc('day', bucket), {_COUNT_KEY}, sum(count) FROM gone GROUP BY 1, {_COUNT_KEY}
ON CONFLICT (bucket, {_COUNT_KEY}) DO UPDATE SET count = d.count + excluded.count
"""
_CLOSE = """
UPDATE segments SET (row_count, first_timestamp, last_timestamp, hours) = (
    SELECT count(*), min(timestamp), max(timestamp),
           coalesce(range_agg(tstzrange(date_trunc('hour', timestamp),
                                        date_trunc('hour', timestamp) + interval '1 hour')), '{}')
    FROM logs WHERE id >= first_id AND id < end_id
), state = 'closed', closed_at = now()
WHERE first_id = %s
"""


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
        self._connection.execute(_FOLD)

    def close(self, segment: int) -> None:
        """Nothing lands in it any more; its hours are known."""
        self._connection.execute(_CLOSE, [segment * IDS_PER_SEGMENT])

    def seal(self, segment: int) -> None:
        """Close it and give it what sealed segments have."""
        self.close(segment)
        first_id = segment * IDS_PER_SEGMENT
        leaf = _name(segment)
        for definition in (
            "(timestamp)",
            f"(({STREAM}), timestamp)",
            "(trace_id) WHERE trace_id IS NOT NULL",
            f"USING gin ({INDEXED_ATTRIBUTES} jsonb_path_ops)",
        ):
            self._connection.execute(
                sql.SQL("CREATE INDEX ON {} " + definition).format(sql.Identifier(leaf))
            )
        self._filter_tokens(first_id)
        self._connection.execute(
            sql.SQL("VACUUM (FREEZE, ANALYZE) {}").format(sql.Identifier(leaf))
        )
        self._connection.execute(
            "UPDATE segments SET state = 'sealed', sealed_at = now() WHERE first_id = %s",
            [first_id],
        )

    def _filter_tokens(self, first_id: int) -> None:
        width = BLOCKS // 8
        planes: defaultdict[int, int] = defaultdict(int)
        rows = self._connection.execute(
            "SELECT id, body FROM logs WHERE id >= %s AND id < %s",
            [first_id, first_id + IDS_PER_SEGMENT],
        )
        for line_id, body in rows:
            block = (line_id - first_id) // IDS_PER_BLOCK
            for token in tokens_of(folded(body)):
                for position in positions_of(token):
                    planes[position] |= 1 << block
        empty = bytes(width)
        with self._connection.cursor().copy(
            "COPY token_filters (first_id, chunk, bits) FROM STDIN (FORMAT binary)"
        ) as copy:
            copy.set_types(["int8", "int2", "bytea"])
            for chunk in range(POSITIONS // POSITIONS_PER_CHUNK):
                positions = range(chunk * POSITIONS_PER_CHUNK, (chunk + 1) * POSITIONS_PER_CHUNK)
                bits = b"".join(
                    planes[at].to_bytes(width, "little") if at in planes else empty
                    for at in positions
                )
                copy.write_row((first_id, chunk, bits))

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

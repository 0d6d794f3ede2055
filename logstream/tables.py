"""The tables as SQLAlchemy sees them; `land/migrations/` creates them.

A test compares the two, so a column named here exists. `logs` is partitioned by range
of `id` into segments of about a million lines; an open segment carries BRIN indexes only.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSON

metadata = MetaData()
_moment = DateTime(timezone=True)

logs = Table(
    "logs",
    metadata,
    Column("id", BigInteger, nullable=False),
    Column("timestamp", _moment, nullable=False),
    Column("observed_timestamp", _moment, nullable=False),
    Column("duration_ms", Double),
    Column("skeleton_id", BigInteger, nullable=False),
    Column("severity_number", SmallInteger, nullable=False),
    # The nanoseconds (0-999) that `timestamp` cannot hold.
    Column("timestamp_nanos", SmallInteger, nullable=False),
    Column("environment", Text, nullable=False),
    Column("service_name", Text, nullable=False),
    Column("severity_text", Text),
    Column("trace_id", Text),
    Column("span_id", Text),
    Column("body", Text, nullable=False),
    Column("attributes", JSON, nullable=False),
)

log_counts = Table(
    "log_counts",
    metadata,
    # The minute (UTC) of the lines' own timestamps.
    Column("bucket", _moment, nullable=False),
    Column("environment", Text, nullable=False),
    Column("service_name", Text, nullable=False),
    Column("severity_number", SmallInteger, nullable=False),
    Column("skeleton_id", BigInteger, nullable=False),
    Column("count", BigInteger, nullable=False),
    # False for a row written by landing, True for what the worker summed up.
    Column("is_folded", Boolean, nullable=False),
)

segments = Table(
    "segments",
    metadata,
    Column("first_id", BigInteger, primary_key=True),
    Column("end_id", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", _moment, nullable=False),
)

batches = Table(
    "batches",
    metadata,
    Column("batch_id", Uuid, primary_key=True),
    Column("landed_at", _moment, nullable=False),
    # False for the row each group commit writes for itself.
    Column("is_keyed", Boolean, nullable=False),
    Column("first_id", BigInteger),
    Column("last_id", BigInteger),
    Column("accepted", Integer, nullable=False),
)

rejects = Table(
    "rejects",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("rejected_at", _moment, nullable=False),
    Column("environment", Text, nullable=False),
    Column("record_index", Integer, nullable=False),
    Column("error", Text, nullable=False),
    Column("raw", LargeBinary, nullable=False),
)

services = Table(
    "services",
    metadata,
    Column("environment", Text, primary_key=True),
    Column("service_name", Text, primary_key=True),
    Column("first_seen", _moment, nullable=False),
)

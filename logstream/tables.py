"""The tables as SQLAlchemy sees them; `land/migrations/` creates them.

A test compares the two, so a column named here exists. `logs` and `spans` are partitioned by
range of `id` into segments of about a million rows; an open segment of lines carries BRIN
indexes only, one of spans also the index of trace ids.
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
from sqlalchemy.dialects.postgresql import ARRAY, JSON, TSTZMULTIRANGE, TSTZRANGE

# A hash of everything `log_counts` distinguishes: the first column of the stream index that
# sealed segments have, before the timestamp. Collisions are possible: compare the columns too.
STREAM = (
    "hashtextextended(environment || chr(31) || service_name, skeleton_id * 32 + severity_number)"
)
# What the attribute index of sealed segments holds; ask it with @>. What has a column of its
# own is left out: a span id in each line would be most of the index.
INDEXED_ATTRIBUTES = (
    "(attributes::jsonb - ARRAY['traceId', 'trace_id', 'trace.id', 'spanId', 'span_id',"
    " 'span.id', 'latency', 'duration_ms'])"
)

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


def _summed_counts(name: str) -> Table:
    """Counts by a longer bucket; what `log_counts` has not folded yet is not in it."""
    return Table(
        name,
        metadata,
        Column("bucket", _moment, primary_key=True),
        Column("environment", Text, primary_key=True),
        Column("service_name", Text, primary_key=True),
        Column("severity_number", SmallInteger, primary_key=True),
        Column("skeleton_id", BigInteger, primary_key=True),
        Column("count", BigInteger, nullable=False),
    )


log_counts_hourly = _summed_counts("log_counts_hourly")
log_counts_daily = _summed_counts("log_counts_daily")

segments = Table(
    "segments",
    metadata,
    Column("first_id", BigInteger, primary_key=True),
    Column("end_id", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    # open, closed (nothing lands in it any more), sealed (indexed), dropped (by retention).
    Column("state", Text, nullable=False),
    Column("created_at", _moment, nullable=False),
    Column("closed_at", _moment),
    Column("sealed_at", _moment),
    Column("dropped_at", _moment),
    # Known from closing on.
    Column("row_count", BigInteger),
    Column("byte_count", BigInteger),
    Column("first_timestamp", _moment),
    Column("last_timestamp", _moment),
    # The hours (UTC) that hold lines.
    Column("hours", TSTZMULTIRANGE),
    # From the first receipt of a line to the last; NULL: not known, may be any time.
    Column("received", TSTZRANGE),
    Column("has_trigram", Boolean, nullable=False),
    # False too when a sealed segment holds attributes that jsonb cannot.
    Column("has_attribute_index", Boolean, nullable=False),
    # How long each step of sealing took: {"token filter": 3.1, ...}.
    Column("seal_seconds", JSON),
)

# The lines of a closed segment, as counted when it was closed; retention goes by these.
segment_contents = Table(
    "segment_contents",
    metadata,
    Column("first_id", BigInteger, primary_key=True),
    Column("environment", Text, primary_key=True),
    Column("severity_number", SmallInteger, primary_key=True),
    Column("line_count", BigInteger, nullable=False),
    Column("removed_at", _moment),
)

# Bits of a segment's token filter; see docs/decisions/0002-landing-and-questions.md.
token_filters = Table(
    "token_filters",
    metadata,
    Column("first_id", BigInteger, primary_key=True),
    Column("chunk", SmallInteger, primary_key=True),
    Column("bits", LargeBinary, nullable=False),
)

skeletons = Table(
    "skeletons",
    metadata,
    Column("skeleton_id", BigInteger, primary_key=True, autoincrement=False),
    # Of the first sight; another service may write the same.
    Column("environment", Text, nullable=False),
    Column("service_name", Text, nullable=False),
    # The message without hexadecimal digits, cut at MAX_KEY_CHARACTERS.
    Column("key", Text, nullable=False),
    Column("example", Text, nullable=False),
    # True for what a service's rare messages share once it has too many skeletons.
    Column("is_overflow", Boolean, nullable=False),
    # The group that it belongs to; NULL: a pattern of its own.
    Column("pattern_id", BigInteger),
    Column("first_seen", _moment, nullable=False),
    # How many of its lines were looked at for further examples.
    Column("looks", SmallInteger, nullable=False),
    # False when it is new or an example was added: its service is grouped anew.
    Column("is_grouped", Boolean, nullable=False),
)

# Further examples of a skeleton, as the worker comes by them.
skeleton_examples = Table(
    "skeleton_examples",
    metadata,
    Column("skeleton_id", BigInteger, primary_key=True, autoincrement=False),
    Column("place", SmallInteger, primary_key=True, autoincrement=False),
    Column("environment", Text, nullable=False),
    Column("example", Text, nullable=False),
)

# Groups of skeletons. The id is the skeleton id of a member; see docs/patterns.md.
patterns = Table(
    "patterns",
    metadata,
    Column("pattern_id", BigInteger, primary_key=True, autoincrement=False),
    # Whose skeletons were grouped; another service may write the same.
    Column("service_name", Text, nullable=False),
    Column("template", Text, nullable=False),
    Column("skeleton_count", Integer, nullable=False),
    Column("first_seen", _moment, nullable=False),
    # When its template or its members last changed.
    Column("changed_at", _moment, nullable=False),
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
    # The wire format it came in, a short code of why, and the visible part of the API key.
    Column("format", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("sender", Text, nullable=False),
    # When it was sent again and taken.
    Column("resent_at", _moment),
)

spans = Table(
    "spans",
    metadata,
    Column("id", BigInteger, nullable=False),
    Column("start", _moment, nullable=False),
    Column("observed_timestamp", _moment, nullable=False),
    Column("duration_ns", BigInteger, nullable=False),
    # The nanoseconds (0-999) that `start` cannot hold.
    Column("start_nanos", SmallInteger, nullable=False),
    Column("trace_id", Text, nullable=False),
    Column("span_id", Text, nullable=False),
    Column("parent_span_id", Text),
    Column("environment", Text, nullable=False),
    Column("service_name", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("status_message", Text),
    Column("attributes", JSON, nullable=False),
    Column("events", JSON, nullable=False),
    Column("links", JSON, nullable=False),
)

span_segments = Table(
    "span_segments",
    metadata,
    Column("first_id", BigInteger, primary_key=True),
    Column("end_id", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    # As those of `segments`; sealed ones are indexed by (service_name, name, start) too.
    Column("state", Text, nullable=False),
    Column("created_at", _moment, nullable=False),
    Column("closed_at", _moment),
    Column("sealed_at", _moment),
    Column("dropped_at", _moment),
    # Known from closing on.
    Column("row_count", BigInteger),
    Column("byte_count", BigInteger),
    Column("first_start", _moment),
    Column("last_start", _moment),
    # From the first receipt of a span to the last.
    Column("received", TSTZRANGE),
    # How many spans it holds of each environment: {"production": 812000}.
    Column("environments", JSON),
)

# One row a trace and environment, from its spans, or from its log lines where it has none.
trace_summaries = Table(
    "trace_summaries",
    metadata,
    Column("environment", Text, primary_key=True),
    Column("trace_id", Text, primary_key=True),
    # Of the earliest span (of the earliest line when there is no span); up to the latest end.
    Column("start", _moment, nullable=False),
    Column("duration_ns", BigInteger, nullable=False),
    # Of the earliest span without a parent; NULL while none has arrived.
    Column("root_service", Text),
    Column("root_name", Text),
    Column("span_count", Integer, nullable=False),
    Column("error_count", Integer, nullable=False),
    # Lines that carry its id, as far as the worker has counted them, and those of ERROR or worse.
    Column("line_count", Integer, nullable=False),
    Column("error_line_count", Integer, nullable=False),
    Column("services", ARRAY(Text), nullable=False),
    # Lowest and highest `spans.id` of it; NULL without spans.
    Column("first_span", BigInteger),
    Column("last_span", BigInteger),
    # Of the spans that landed last: the same ones sent again are not counted again.
    Column("spans_hash", BigInteger),
    Column("touched_at", _moment, nullable=False),
    # True since something landed that the worker has not looked at.
    Column("needs_review", Boolean, nullable=False),
    # What the worker counted into `call_counts` for it: rows without environment, as an array.
    Column("calls", JSON),
)

trace_line_marks = Table(
    "trace_line_marks",
    metadata,
    Column("block", BigInteger, primary_key=True, autoincrement=False),
    Column("last_id", BigInteger, nullable=False),
)


def _durations(name: str, *names: str, is_hourly: bool) -> Table:
    """Counts of `names` by minute or hour (UTC) of the start and by duration, see `durations`."""
    return Table(
        name,
        metadata,
        Column("bucket", _moment, primary_key=is_hourly, nullable=False),
        Column("environment", Text, primary_key=is_hourly, nullable=False),
        *(Column(key, Text, primary_key=is_hourly, nullable=False) for key in names),
        Column("is_error", Boolean, primary_key=is_hourly, nullable=False),
        Column(
            "duration_step",
            SmallInteger,
            primary_key=is_hourly,
            nullable=False,
            autoincrement=False,
        ),
        Column("count", BigInteger, nullable=False),
        *(() if is_hourly else (Column("is_folded", Boolean, nullable=False),)),
    )


# Spans by service, name and kind; log lines that carry a latency as kind `line`, operation ''.
_OPERATION = ("service_name", "operation", "kind")
operation_counts = _durations("operation_counts", *_OPERATION, is_hourly=False)
operation_counts_hourly = _durations("operation_counts_hourly", *_OPERATION, is_hourly=True)
# Calls from service to service: kind `call`, `messaging`, `database`, or `derived` from lines.
_CALL = ("source", "target", "kind")
call_counts = _durations("call_counts", *_CALL, is_hourly=False)
call_counts_hourly = _durations("call_counts_hourly", *_CALL, is_hourly=True)

api_keys = Table(
    "api_keys",
    metadata,
    # The part of the key that may be shown.
    Column("prefix", Text, primary_key=True),
    Column("name", Text, nullable=False),
    # ingest, read or admin.
    Column("role", Text, nullable=False),
    # The only environment it may write to and read; NULL: every one.
    Column("environment", Text),
    Column("salt", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    # Lines a second; NULL: no limit.
    Column("rate_per_second", Double),
    Column("created_at", _moment, nullable=False),
    Column("expires_at", _moment),
    Column("revoked_at", _moment),
    Column("last_used_at", _moment),
    Column("line_count", BigInteger, nullable=False),
    Column("byte_count", BigInteger, nullable=False),
    Column("rejected_count", BigInteger, nullable=False),
)

saved_views = Table(
    "saved_views",
    metadata,
    # In links; see logstream/saved_view.py.
    Column("view_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("owner", Text, nullable=False),
    # False: its owner's own.
    Column("is_team", Boolean, nullable=False),
    # URL parameters by name.
    Column("state", JSON, nullable=False),
    Column("created_at", _moment, nullable=False),
    Column("updated_at", _moment, nullable=False),
)

services = Table(
    "services",
    metadata,
    Column("environment", Text, primary_key=True),
    Column("service_name", Text, primary_key=True),
    Column("first_seen", _moment, nullable=False),
)

"""How a line is written by the database itself: the API's shape as JSON, CSV and for Parquet.

PostgreSQL writes the text, which is several times faster than making a value of every line and
a text of every value here. A test holds it to `LogLine.to_api`.
"""

from logstream.model import Severity

# What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection"), the wide forms
# of the same signs included.
FORMULA_SIGNS = "=+-@\t\r\n＝＋－＠"

_SEVERITY = " ".join(
    f"WHEN logs.severity_number <= {group.last_number} THEN '{group.word}'" for group in Severity
)
SEVERITY = f"CASE {_SEVERITY} END"
PATTERN = "coalesce(skeletons.pattern_id, nullif(logs.skeleton_id, 0))"


def _iso_time(column: str, nanos: str = "0") -> str:
    """As `model.iso_time`: the fewest of 3, 6 and 9 decimals that keep every digit."""
    date = 'YYYY-MM-DD"T"HH24:MI:SS'
    is_millis = f"{nanos} = 0 AND extract(microseconds FROM {column})::int % 1000 = 0"
    end = f"CASE {nanos} WHEN 0 THEN 'Z' ELSE lpad({nanos}::text, 3, '0') || 'Z' END"
    form = f"CASE WHEN {is_millis} THEN '{date}.MS' ELSE '{date}.US' END"
    return f"(to_char({column}, {form}) || {end})"


CREATED = _iso_time("logs.timestamp", "logs.timestamp_nanos")
OBSERVED = _iso_time("logs.observed_timestamp")
# Between the values of JSON a new line is only space; within them it is written as \n.
METADATA = "replace(replace(logs.attributes::text, E'\\n', ' '), E'\\r', ' ')"
LATENCY = (
    "CASE WHEN logs.duration_ms NOT IN ('NaN', 'Infinity', '-Infinity') THEN logs.duration_ms END"
)
_IS_AHEAD = (
    "(logs.timestamp - logs.observed_timestamp > interval '24 hours'"
    " OR (logs.timestamp - logs.observed_timestamp = interval '24 hours'"
    " AND logs.timestamp_nanos > 0))"
)


def _json(value: str) -> str:
    return f"coalesce(to_json({value})::text, 'null')"


def _plain(value: str) -> str:
    """A number, or a text that needs no escapes."""
    return f"coalesce({value}::text, 'null')"


# In the order of `LogLine.to_api`.
_MEMBERS = (
    ("id", "logs.id::text"),
    ("source", _json("logs.service_name")),
    ("message", _json("logs.body")),
    ("severity", f"'\"' || {SEVERITY} || '\"'"),
    ("metadata", METADATA),
    ("createdAt", f"'\"' || {CREATED} || '\"'"),
    ("environment", _json("logs.environment")),
    ("severityNumber", "logs.severity_number::text"),
    ("severityText", _json("logs.severity_text")),
    ("observedAt", f"'\"' || {OBSERVED} || '\"'"),
    ("traceId", _json("logs.trace_id")),
    ("spanId", _json("logs.span_id")),
    ("latency", _plain(LATENCY)),
    ("patternId", _plain(PATTERN)),
)
JSON_LINE = " || ".join(
    f"'{',' if place else '{'}\"{name}\":' || {value}"
    for place, (name, value) in enumerate(_MEMBERS)
)
JSON_LINE += f" || CASE WHEN {_IS_AHEAD} THEN ',\"ahead\":true}}' ELSE '}}' END"


_ESCAPED = {"\t": "\\t", "\r": "\\r", "\n": "\\n"}
_SIGNS = "".join(_ESCAPED.get(sign, sign) for sign in FORMULA_SIGNS)


def _guarded(text: str) -> str:
    """A text that no spreadsheet runs: an apostrophe stands before what could be a formula."""
    is_formula = f"{text} <> '' AND strpos(E'{_SIGNS}', left({text}, 1)) > 0"
    return f"CASE WHEN {is_formula} THEN '''' || {text} ELSE {text} END"


# What people read first comes first.
CSV_COLUMNS: tuple[tuple[str, str], ...] = (
    ("createdAt", CREATED),
    ("environment", _guarded("logs.environment")),
    ("source", _guarded("logs.service_name")),
    ("severity", SEVERITY),
    ("message", _guarded("logs.body")),
    ("traceId", _guarded("logs.trace_id")),
    ("spanId", _guarded("logs.span_id")),
    ("latency", LATENCY),
    ("metadata", METADATA),
    ("id", "logs.id"),
    ("observedAt", OBSERVED),
    ("severityNumber", "logs.severity_number"),
    ("severityText", _guarded("logs.severity_text")),
    ("patternId", PATTERN),
)
# Types as in parquet.py.
PARQUET_COLUMNS: tuple[tuple[str, str], ...] = (
    ("id", "logs.id"),
    ("createdAt", "logs.timestamp"),
    ("createdAtNanos", "logs.timestamp_nanos"),
    ("observedAt", "logs.observed_timestamp"),
    ("environment", "logs.environment"),
    ("source", "logs.service_name"),
    ("severity", SEVERITY),
    ("severityNumber", "logs.severity_number"),
    ("severityText", "logs.severity_text"),
    ("message", "logs.body"),
    ("traceId", "logs.trace_id"),
    ("spanId", "logs.span_id"),
    ("latency", "logs.duration_ms"),
    ("patternId", PATTERN),
    ("metadata", "logs.attributes::text"),
)

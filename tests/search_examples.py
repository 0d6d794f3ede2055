"""The examples of docs/search.md as searches and records."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec

from logstream.model import LogLine, LogRecord, Severity
from logstream.skeleton import skeleton_id, skeleton_key
from tests.records import a_record

PAGE = Path(__file__).parents[1] / "docs/search.md"
_ROW = re.compile(r"^\| `(.+)` \| `(.+)` \| `(.+)` \|$", re.MULTILINE)


def examples() -> list[tuple[str, LogRecord, LogRecord]]:
    """(search, a record it finds, a record it does not find) for every row."""
    return [
        (q, _record(found), _record(not_found))
        for q, found, not_found in _ROW.findall(PAGE.read_text(encoding="utf-8"))
    ]


def as_line(record: LogRecord, line_id: int = 1) -> LogLine:
    """The record as it is read back."""
    fields = {
        name: getattr(record, name)
        for name in record.__struct_fields__
        if name in LogLine.__dataclass_fields__
    }
    return LogLine(
        **{
            **fields,
            "id": line_id,
            "attributes": json.loads(record.attributes),
            "skeleton_id": skeleton_id(skeleton_key(record.body.encode())),
        }
    )


def _record(cell: str) -> LogRecord:
    """A message, or a line in the API's shape."""
    shown: dict[str, Any] = json.loads(cell) if cell.startswith("{") else {"message": cell}
    return a_record(
        shown.get("message", "cache warmed"),
        service=shown.get("source", "checkout"),
        severity=Severity[shown.get("severity", "info").upper()].value,
        environment=shown.get("environment", "production"),
        trace_id=shown.get("traceId"),
        duration_ms=shown.get("latency"),
        attributes=msgspec.json.encode(shown.get("metadata", {})),
    )

"""Every example of docs/traces.md finds what the page says."""

import json
import re
from pathlib import Path

import msgspec

from logstream.filter import LogFilter
from logstream.model import Span
from logstream.query.trace_reader import PostgresTraceReader
from tests.records import NOON, a_span
from tests.trace_store import TraceStore

PAGE = Path(__file__).parents[2] / "docs/traces.md"
_CELL = re.compile(r"\s*(`[^`]*`|[^|]*?)\s*\|")


def rows_of(heading: str) -> list[list[str]]:
    """The rows of the table whose head begins so; code without its marks."""
    lines = iter(PAGE.read_text().split(f"| {heading} |")[1].splitlines()[2:])
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip("`") for cell in _CELL.findall(line[1:])])
    return rows


def spans_of_the_page() -> list[Span]:
    spans = []
    for place, cells in enumerate(rows_of("trace")):
        trace, service, name, kind, start, takes, status, message, attributes = cells
        span = a_span(
            f"{place:016x}",
            parent=None if kind == "server" else f"{place - 1:016x}",
            name=name,
            start_ms=float(start),
            duration_ms=float(takes),
            service=service,
            kind=kind,
            trace_id=trace,
            attributes=attributes.encode(),
        )
        assert json.loads(attributes)
        spans.append(msgspec.structs.replace(span, status=status, status_message=message or None))
    return spans


def test_every_example_of_the_page_finds_what_it_says(
    traces: TraceStore, trace_reader: PostgresTraceReader
) -> None:
    traces.store(spans_of_the_page())
    examples = rows_of("`q`")
    assert len(examples) > 20
    for q, finds in examples:
        found = trace_reader.traces(LogFilter(q=q), limit=10, now_unix_nano=NOON).traces
        expected = [] if finds == "none" else finds.split(", ")
        assert sorted(trace.trace_id for trace in found) == expected, q

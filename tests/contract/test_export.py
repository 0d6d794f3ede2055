"""An export holds every line of a question once, in order, in the API's own words."""

import csv
import io
import json
from collections.abc import Iterator

import msgspec
import psycopg
import pyarrow.parquet as pq
import pytest

from logstream.errors import StoreUnavailable
from logstream.filter import LogFilter
from logstream.model import LogRecord
from logstream.query.export import every_line
from logstream.query.export.exporter import Exporter
from logstream.query.export.forms import Form, Name
from logstream.query.reader import PostgresReader
from logstream.wiring import open_engine
from tests.records import NOON, a_record
from tests.segmented_store import SegmentedStore

NOW = NOON + 60_000_000_000
DAY = 86_400
HOSTILE = (
    'quote " comma , back \\ slash',
    "two\nlines\r\nand a tab\t.",
    "=HYPERLINK(\"http://evil\")",
    "+1", "-1", "@SUM(A1)", "\tx", "＝1",
    "\\.", "", " ", "NULL", "'", "%s %(x)s {} $1 :name",
    "💥 ‮rtl \u0007 \u2028",
)  # fmt: skip


@pytest.fixture
def exporter(database_url: str) -> Iterator[Exporter]:
    opened = Exporter(open_engine(database_url, statement_timeout_seconds=10, read_only=True))
    yield opened
    opened.close()


def exported(exporter: Exporter, form: Name = "ndjson", *, limit: int | None = None,
             oldest: bool = False, mark: bool = False, **url: str) -> bytes:  # fmt: skip
    export = exporter.export(
        LogFilter.from_url(url),
        Form(form, mark),
        now_unix_nano=NOW,
        is_newest_first=not oldest,
        limit=limit,
    )
    try:
        return b"".join(export)
    finally:
        export.close()


def lines_of(content: bytes) -> list[dict[str, object]]:
    return [json.loads(line) for line in content.splitlines()]


def searched(reader: PostgresReader, **url: str) -> list[dict[str, object]]:
    page = reader.search(LogFilter.from_url(url), limit=1_000, now_unix_nano=NOW)
    assert page.before is None
    return [json.loads(msgspec.json.encode(line.to_api())) for line in page.lines]


def land_all(segments: SegmentedStore) -> None:
    """Lines over days in sealed, closed and open segments; some late, some of the future."""
    records = [
        a_record(
            f"order {n} of user u-{n % 7}",
            seconds_ago=n * 977 % (5 * DAY),
            nanos=n % 3 * 1_017,
            service=("cart", "checkout", "payment-gateway")[n % 3],
            severity=(9, 13, 17)[n % 3],
            environment=("production", "staging")[n % 2],
            trace_id=f"{n % 11:032x}",
            duration_ms=(None, 12.0, 0.25)[n % 3],
            attributes=b'{"status": %d}' % (200 + n % 4),
        )
        for n in range(300)
    ]
    records.append(a_record("clock ahead", seconds_ago=-3 * DAY))
    segments.land(records[:100], 0)
    segments.close(0)
    segments.seal(0)
    segments.land(records[100:200], 1)
    segments.close(1)
    segments.land(records[200:], 2)


QUESTIONS: tuple[dict[str, str], ...] = (
    {},
    {"service": "cart"},
    {"severity": "-info", "env": "staging"},
    {"range": "24h"},
    {"from": "2026-02-26T00:00:00Z", "to": "2026-02-28T12:00:00Z"},
    {"q": "u-3"},
    {"q": "order -u-3"},
    {"q": "status:201"},
    {"q": "nowhere"},
    {"trace": f"{4:032x}"},
    {"service": "nobody"},
    {"at": "2026-03-01T12:00:30Z"},
    {"at": "2026-03-01T12:00:31Z", "range": "7d", "q": "order"},
)


@pytest.mark.parametrize("few", [False, True], ids=["whole", "cut small"])
def test_an_export_is_what_a_search_finds(
    segments: SegmentedStore,
    reader: PostgresReader,
    exporter: Exporter,
    few: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if few:
        monkeypatch.setattr(every_line, "FIRST_LINES", 5)
        monkeypatch.setattr(every_line, "MOST_LINES", 20)
        monkeypatch.setattr(every_line, "MOST_LOOKED_UP", 7)
    land_all(segments)
    for url in QUESTIONS:
        wanted = searched(reader, **url)
        assert lines_of(exported(exporter, **url)) == wanted, url
        assert lines_of(exported(exporter, oldest=True, **url)) == wanted[::-1], url
    assert len(searched(reader)) == 301


def test_the_bytes_of_a_line_are_those_of_the_api(
    segments: SegmentedStore, reader: PostgresReader, exporter: Exporter
) -> None:
    records: list[LogRecord] = [
        a_record(body, service=body.strip() or "x", nanos=n, environment=f"e{n}")
        for n, body in enumerate(HOSTILE)
    ]
    records += [
        a_record("numbers", duration_ms=value, nanos=nanos)
        for value, nanos in ((0.0, 0), (-0.5, 1_000), (1e300, 1_000_000), (1e-7, 999_999_999))
    ]
    records += [
        a_record("no number", duration_ms=value)
        for value in (float("nan"), float("inf"), -float("inf"))
    ]
    records += [
        a_record("odd", attributes=text)
        for text in (
            b'{\n "a" : [1,\r\n 2.50, 1e5, null],\t"b": {"c": "two\\nlines \\u00e9"}}',
            b'{"n": 12345678901234567890123, "half": "\\ud83d\\ude00"}',
        )
    ]
    # A day ahead to the nanosecond, and one more.
    records += [a_record("ahead", seconds_ago=-DAY, nanos=nanos) for nanos in (0, 1)]
    segments.land(records, 0)
    wanted = searched(reader)
    content = exported(exporter)
    assert content.count(b"\n") == len(records)
    assert lines_of(content) == wanted
    assert [list(line) for line in lines_of(content)] == [list(line) for line in wanted]


def test_no_cell_of_csv_is_a_formula_and_none_breaks_the_table(
    segments: SegmentedStore, reader: PostgresReader, exporter: Exporter
) -> None:
    segments.land(
        [a_record(body, service=body.strip() or "x") for body in HOSTILE], 0
    )  # fmt: skip
    content = exported(exporter, "csv")
    rows = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    wanted = searched(reader)
    assert [row["id"] for row in rows] == [str(line["id"]) for line in wanted]
    for row, line in zip(rows, wanted, strict=True):
        for name in ("message", "source"):
            said = str(line[name])
            is_formula = said[:1] in tuple("=+-@\t\r\n＝＋－＠")
            assert row[name] == (f"'{said}" if is_formula else said)
        assert json.loads(row["metadata"]) == line["metadata"]
        assert row["createdAt"] == line["createdAt"]
        assert (row["latency"], row["traceId"]) == ("", "")
    assert sum(row["message"].startswith("'=") for row in rows) == 1
    # RFC 4180: rows end with CR LF.
    assert content.endswith(b"\r\n") and content.startswith(b"createdAt,environment,source")
    assert exported(exporter, "csv", mark=True) == b"\xef\xbb\xbf" + content


def test_parquet_is_typed_and_reads_back(
    segments: SegmentedStore,
    reader: PostgresReader,
    exporter: Exporter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("logstream.query.export.parquet.GROUP_BYTES", 20_000)
    monkeypatch.setattr("logstream.query.export.copying.BLOCK_BYTES", 5_000)
    land_all(segments)
    segments.land([a_record(body) for body in HOSTILE], 2)
    segments.land([a_record("no number", duration_ms=float("nan"))], 2)
    file = pq.ParquetFile(io.BytesIO(exported(exporter, "parquet")))
    assert file.num_row_groups > 1
    group = file.metadata.row_group(0)
    assert {group.column(n).compression for n in range(group.num_columns)} == {"ZSTD"}
    rows = file.read().to_pylist()
    wanted = searched(reader)
    assert len(rows) == len(wanted) == 302 + len(HOSTILE)
    for row, line in zip(rows, wanted, strict=True):
        for name in ("id", "source", "message", "severity", "severityNumber", "environment",
                     "severityText", "traceId", "spanId", "patternId"):  # fmt: skip
            assert row[name] == line[name], name
        assert json.loads(row["metadata"]) == line["metadata"]
        assert row["createdAt"].isoformat()[:23] == str(line["createdAt"])[:23] or (
            row["createdAt"].microsecond == 0
        )
        if line["message"] != "no number":
            assert row["latency"] == line["latency"]
    assert str(file.schema_arrow.field("createdAt").type) == "timestamp[us, tz=UTC]"


def test_nothing_found_is_an_empty_file_of_its_form(exporter: Exporter) -> None:
    assert exported(exporter) == b""
    assert exported(exporter, "csv").count(b"\r\n") == 1
    table = pq.read_table(io.BytesIO(exported(exporter, "parquet")))
    assert (table.num_rows, table.column_names[0]) == (0, "id")


def test_a_limit_and_the_number_expected(segments: SegmentedStore, exporter: Exporter) -> None:
    land_all(segments)
    whole = lines_of(exported(exporter))
    assert lines_of(exported(exporter, limit=120)) == whole[:120]
    for url, limit, total in (({}, None, 301), ({}, 20, 20), ({"q": "order"}, None, 300)):
        export = exporter.export(
            LogFilter.from_url(url), Form("ndjson"), now_unix_nano=NOW, limit=limit
        )
        assert export.total == total
        export.close()


def test_lines_that_land_meanwhile_are_not_in_it(
    segments: SegmentedStore, exporter: Exporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FIRST_LINES", "MOST_LINES"):
        monkeypatch.setattr(every_line, name, 20)
    land_all(segments)
    export = exporter.export(LogFilter(), Form("ndjson"), now_unix_nano=NOW)
    pieces = iter(export)
    content = next(pieces)
    segments.land([a_record("late", seconds_ago=4 * DAY)], 2)
    content += b"".join(pieces)
    export.close()
    assert len(lines_of(content)) == 301


def test_an_export_whose_connection_is_lost_raises_and_leaves_no_trace(
    database_url: str,
    segments: SegmentedStore,
    exporter: Exporter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("FIRST_LINES", "MOST_LINES"):
        monkeypatch.setattr(every_line, name, 20)
    land_all(segments)
    export = exporter.export(LogFilter(), Form("ndjson"), now_unix_nano=NOW)
    pieces = iter(export)
    assert next(pieces)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'logstream-read' AND datname = current_database()"
        )
    with pytest.raises(StoreUnavailable):
        list(pieces)
    export.close()
    # The next one has a connection of its own.
    assert len(lines_of(exported(exporter))) == 301


def test_a_cancelled_export_ends_in_the_database(
    database_url: str, segments: SegmentedStore, exporter: Exporter
) -> None:
    land_all(segments)
    export = exporter.export(LogFilter(), Form("ndjson"), now_unix_nano=NOW)
    assert next(iter(export))
    export.close()
    with psycopg.connect(database_url) as connection:
        left = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'logstream-read'"
            " AND datname = current_database() AND state <> 'idle'"
        ).fetchone()
    assert left == (0,)

"""GET /logs/export and /logs/sql over HTTP: whole, or noticed to be cut; bounded; compressed."""

import gzip
import io
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pyarrow.parquet as pq
import pytest
import zstandard

from ingest_service import streamed_export
from logstream.query.export import copying, every_line, forms
from tests.integration.test_keys import guarded_service

LINES = 3_000


@pytest.fixture
def filled(service: str) -> str:
    """A service with LINES lines of two services."""
    records = [
        {
            "source": ("cart", "checkout")[n % 2],
            "severity": "error" if n % 10 == 0 else "info",
            "message": f"order {n} is packed",
            "metadata": {"number": n, "text": "x" * 400},
            "createdAt": f"2026-03-01T12:{n // 60 % 60:02d}:{n % 60:02d}.{n % 1000:03d}Z",
        }
        for n in range(LINES)
    ]
    httpx.post(f"{service}/logs/ingest", json=records, timeout=30).raise_for_status()
    return service


@pytest.fixture
def in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small pieces, so that an export is long under way."""
    monkeypatch.setattr(copying, "BLOCK_BYTES", 2_000)
    monkeypatch.setattr(every_line, "FIRST_LINES", 100)
    monkeypatch.setattr(every_line, "MOST_LINES", 100)


def test_every_line_is_exported_as_the_search_gives_it(filled: str) -> None:
    found = httpx.get(f"{filled}/logs/search", params={"severity": "error", "limit": 1000}).json()
    answer = httpx.get(f"{filled}/logs/export", params={"severity": "error"})
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["x-logstream-total"] == str(LINES // 10) == "300"
    assert 'filename="logstream-' in answer.headers["content-disposition"]
    assert "content-length" not in answer.headers
    lines = [json.loads(line) for line in answer.content.splitlines()]
    assert lines == found["logs"] and len(lines) == 300

    oldest = httpx.get(f"{filled}/logs/export", params={"order": "oldest", "limit": 7})
    assert [json.loads(line)["message"] for line in oldest.content.splitlines()] == [
        f"order {n} is packed" for n in range(7)
    ]
    assert oldest.headers["x-logstream-total"] == "7"
    table = pq.read_table(
        io.BytesIO(httpx.get(f"{filled}/logs/export?format=parquet&q=packed").content)
    )
    assert table.num_rows == LINES


def test_an_export_is_compressed_on_the_way_or_as_a_file(filled: str) -> None:
    url = f"{filled}/logs/export?format=csv&order=oldest"
    plain = httpx.get(url, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    for accepted in ("gzip", "gzip, zstd", "zstd;q=0, gzip"):
        answer = httpx.get(url, headers={"accept-encoding": accepted})
        wanted = "zstd" if accepted == "gzip, zstd" else "gzip"
        assert answer.headers["content-encoding"] == wanted
        assert answer.content == plain.content
    for name, extension, read in (
        ("gzip", ".csv.gz", gzip.decompress),
        ("zstd", ".csv.zst", zstandard.ZstdDecompressor().decompressobj().decompress),
    ):  # fmt: skip
        answer = httpx.get(f"{url}&compress={name}")
        assert "content-encoding" not in answer.headers
        assert extension in answer.headers["content-disposition"]
        assert read(answer.content) == plain.content
    parquet = httpx.get(f"{filled}/logs/export?format=parquet", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in parquet.headers
    marked = httpx.get(f"{url}&bom=true").content
    assert marked == b"\xef\xbb\xbf" + plain.content


def test_what_is_wrong_from_the_start_is_an_error(service: str) -> None:
    for query, word in (
        ("format=xlsx", "xlsx"),
        ("compress=rar", "rar"),
        ("severity=loud", "loud"),
        ("limit=0", "limit"),
        ("order=random", "random"),
    ):
        answer = httpx.get(f"{service}/logs/export?{query}")
        assert answer.status_code == 400
        assert word in answer.json()["error"]["message"]
    assert httpx.get(f"{service}/logs/export?view=abcdefgh").status_code == 404
    # None of them keeps a place.
    for _ in range(streamed_export.MOST_EXPORTS + 1):
        assert httpx.get(f"{service}/logs/export").content == b""


@contextmanager
def reading(url: str) -> Iterator[tuple[httpx.Response, Iterator[bytes]]]:
    """An export of which the first piece was read and no more."""
    with httpx.stream("GET", url, headers={"accept-encoding": "identity"}, timeout=30) as answer:
        pieces = answer.iter_raw(1_000)
        if answer.status_code == 200:
            next(pieces)
        yield answer, pieces


@pytest.mark.usefixtures("in_pieces")
@pytest.mark.parametrize("form", ["ndjson", "csv", "parquet"])
def test_an_export_whose_database_dies_is_cut_so_that_clients_notice(
    filled: str, database_url: str, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logstream.query.export.parquet.GROUP_BYTES", 20_000)
    slow_down(monkeypatch)
    with (
        reading(f"{filled}/logs/export?format={form}") as (_, pieces),
        psycopg.connect(database_url, autocommit=True) as connection,
    ):
        killed = connection.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE application_name = 'logstream-read' AND datname = current_database()"
            " AND state <> 'idle'"
        ).fetchone()
        assert killed and killed[0] >= 1
        with pytest.raises(httpx.RemoteProtocolError):
            for _ in pieces:
                pass
    assert httpx.get(f"{filled}/logs/export?format=csv&limit=2").text.count("\r\n") == 3


@pytest.mark.usefixtures("in_pieces")
def test_a_client_that_goes_ends_the_question(
    filled: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow_down(monkeypatch)
    with reading(f"{filled}/logs/export"):
        assert busy(database_url) == 1
    deadline = time.monotonic() + 10
    while busy(database_url):
        assert time.monotonic() < deadline, "the question goes on for nobody"
        time.sleep(0.05)


@pytest.mark.usefixtures("in_pieces")
def test_there_are_only_so_many_exports_at_once(
    filled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow_down(monkeypatch)
    monkeypatch.setattr(streamed_export, "MOST_EXPORTS", 2)
    url = f"{filled}/logs/export"
    with reading(url), reading(url):
        refused = httpx.get(url)
        assert refused.status_code == 429
        assert refused.headers["retry-after"] == str(streamed_export.RETRY_SECONDS)
        assert "2 exports are under way" in refused.json()["error"]["message"]
        # Other questions go on.
        assert httpx.get(f"{filled}/logs/recent?limit=1").status_code == 200
    deadline = time.monotonic() + 10
    while httpx.get(f"{url}?limit=1").status_code == 429:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_client_that_takes_nothing_is_given_up(
    filled: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streamed_export, "STALLED_SECONDS", 0.3)
    # More than kernel and server keep for a client.
    monkeypatch.setattr(forms.Form, "encoded", lambda _form, blocks: forever(blocks))
    with reading(f"{filled}/logs/export") as (_, pieces):
        deadline = time.monotonic() + 15
        while busy(database_url):
            assert time.monotonic() < deadline, "it waits for ever"
            time.sleep(0.05)
        with pytest.raises(httpx.RemoteProtocolError):
            for _ in pieces:
                pass


def forever(blocks: Any) -> Iterator[bytes]:
    kept = [b"".join(block) for block in blocks]
    while True:
        yield from kept


def slow_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """A moment between pieces: the kernel would otherwise take all of it at once."""
    real = copying.rows_of

    def slow(*arguments: Any, **options: Any) -> Iterator[copying.Block]:
        for block in real(*arguments, **options):
            time.sleep(0.05)
            yield block

    monkeypatch.setattr("logstream.query.export.exporter.rows_of", slow)


def busy(database_url: str) -> int:
    with psycopg.connect(database_url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'logstream-read'"
            " AND datname = current_database() AND state <> 'idle'"
        ).fetchone()
    assert row is not None
    return int(row[0])


def test_keys_export_their_own_environment_only(database_url: str, tmp_path: Path) -> None:
    with guarded_service(database_url, tmp_path) as guarded:
        sender = guarded.key("ingest")
        for name in ("production", "staging"):
            guarded.send(sender, {"source": "cart", "message": name, "environment": name})
        for path in ("/logs/export", "/logs/sql"):
            assert httpx.get(guarded.base + path).status_code == 401
            assert guarded.read(path, guarded.key("ingest")).status_code == 403
        local = guarded.key("read", "staging")
        content = guarded.read("/logs/export", local).content
        assert [json.loads(line)["message"] for line in content.splitlines()] == ["staging"]
        assert guarded.read("/logs/export?env=production", local).status_code == 403
        assert "environment IN ('staging')" in guarded.read("/logs/sql", local).json()["sql"]


SQL_QUESTIONS: tuple[dict[str, str], ...] = (
    {},
    {"service": "cart", "severity": "error"},
    {"severity": "-info"},
    {"service": "-cart", "q": "packed"},
    {"q": '"order 17" -checkout'},
    {"q": "number:18"},
    {"q": "-number:18 order"},
    {"from": "2026-03-01T12:05:00Z", "to": "2026-03-01T12:10:00Z"},
    {"q": "100%"},
    {"q": "%(x)s logs.body '; DROP TABLE logs; --"},
    {"trace": "feedface"},
    {"at": "2026-03-01T12:05:00Z"},
    {"q": "-trace:feedface"},
    {"range": "15m"},
    {"q": "(17 OR 18) -checkout packed"},
    {"q": "number>2990"},
    {"q": "number<=17 OR severity>=error"},
    {"q": r"/order 1\d is/"},
    {"q": "pattern:{pattern}"},
    {"q": "-pattern:{pattern}"},
)


def test_the_sql_of_a_question_gives_exactly_its_lines(filled: str, database_url: str) -> None:
    lines: list[dict[str, Any]] = [
        {"source": "100%", "message": "it is 100% %(x)s logs.body '; DROP TABLE logs; -- done"},
        {"source": "o'cart\\", "message": "order 17 \\ ' \" $$ E'\\x'", "severity": "fatal"},
    ]
    httpx.post(f"{filled}/logs/ingest", json=lines).raise_for_status()
    first = httpx.get(f"{filled}/logs/search", params={"q": "packed", "limit": 1}).json()["logs"][0]
    counts = []
    with psycopg.connect(database_url, autocommit=True) as connection:
        for question in (*SQL_QUESTIONS, {"service": "o'cart\\"}, {"q": "$$ \\x"}):
            asked = {
                name: text.replace("{pattern}", str(first["patternId"]))
                for name, text in question.items()
            }
            found: list[int] = []
            cursor: str | None = ""
            while cursor is not None:
                page = httpx.get(
                    f"{filled}/logs/search", params={**asked, "limit": 1000, "cursor": cursor}
                ).json()
                found += [line["id"] for line in page["logs"]]
                cursor = page["cursor"]
            sql = httpx.get(f"{filled}/logs/sql", params=asked).json()["sql"]
            rows = connection.cursor(row_factory=psycopg.rows.dict_row).execute(sql).fetchall()
            assert [row["id"] for row in rows] == found, sql
            exported = httpx.get(f"{filled}/logs/export", params=asked).content
            assert [json.loads(line)["id"] for line in exported.splitlines()] == found, sql
            counts.append(len(found))
    assert counts[0] == LINES + 2 and sum(count > 0 for count in counts) >= 17


def test_two_exports_at_once_do_not_mix(filled: str) -> None:
    contents: dict[str, bytes] = {}

    def export(name: str) -> None:
        contents[name] = httpx.get(f"{filled}/logs/export", params={"service": name}).content

    threads = [threading.Thread(target=export, args=(name,)) for name in ("cart", "checkout")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name, content in contents.items():
        assert {json.loads(line)["source"] for line in content.splitlines()} == {name}
        assert content.count(b"\n") == LINES // 2

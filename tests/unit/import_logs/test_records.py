import hashlib
import io
import json
from pathlib import Path

import pytest

from logstream.import_logs.content import (
    DocumentContent,
    LineContent,
    document_elements,
    may_be_document,
)
from logstream.import_logs.files import stem_of
from logstream.import_logs.records import FileBatch, Naming, batches
from logstream.receive.text_shapes.times import Times

FILE_TIME = 1_769_904_000_000_000_000  # 2026-02-01T00:00:00Z
NAMING = Naming(None, None, "shop", FILE_TIME)

LOG = (
    b"2026-01-31 14:05:00 ERROR no cart\r\n"
    b"\tat com.acme.Cart.load(Cart.java:12)\n"
    b"\n"
    b"2026-01-31 14:05:01 NOTICE going on\n"
    b"2026-01-31 14:05:02 DEBUG2 caf\xe9\n"
    b"\n"
)


def read(content: bytes, *, batch_records: int = 1000, start: int = 0) -> list[FileBatch]:
    digest = hashlib.sha256(content[:start])
    lines = LineContent(
        io.BytesIO(content[start:]),
        Times(FILE_TIME),
        shape="auto" if start == 0 else "program",
        start=start,
        digest=digest,
    )
    last = None if start == 0 else FILE_TIME
    return list(
        batches(lines, NAMING, start=start, last_unix_nano=last, batch_records=batch_records)
    )


def sent(found: list[FileBatch]) -> list[dict[str, object]]:
    return [json.loads(line) for batch in found for line in batch.body.splitlines()]


def test_records_are_written_in_our_own_api_s_shape() -> None:
    assert sent(read(LOG)) == [
        {
            "source": "shop",
            "message": "no cart\n\tat com.acme.Cart.load(Cart.java:12)",
            "severity": "ERROR",
            "createdAt": "2026-01-31T14:05:00.000Z",
        },
        {
            "source": "shop",
            "message": "going on",
            "severity": "NOTICE",
            "createdAt": "2026-01-31T14:05:01.000Z",
        },
        {
            "source": "shop",
            "message": "caf\ufffd",
            "severity": "DEBUG2",
            "createdAt": "2026-01-31T14:05:02.000Z",
        },
    ]


def test_every_line_is_accounted_for_however_it_is_batched() -> None:
    for size in (1, 2, 1000):
        found = read(LOG, batch_records=size)
        # Six lines: three records, one joined, two blank.
        assert sum(batch.records for batch in found) == 3
        assert sum(batch.lines for batch in found) == 4
        assert sum(batch.blank for batch in found) == 2
        assert [batch.start for batch in found] == [0, *(batch.end for batch in found[:-1])]
        assert found[-1].end == len(LOG)


def test_a_batch_names_the_content_before_its_end() -> None:
    for batch in read(LOG, batch_records=1):
        assert batch.digest == hashlib.sha256(LOG[: batch.end]).hexdigest()


def test_reading_on_from_any_batch_gives_the_same_rest() -> None:
    whole = read(LOG, batch_records=1)
    for index, batch in enumerate(whole[:-1]):
        rest = read(LOG, batch_records=1, start=batch.end)
        assert [(b.end, b.body, b.digest) for b in rest] == [
            (b.end, b.body, b.digest) for b in whole[index + 1 :]
        ]


def test_a_line_without_a_time_takes_the_one_before_and_the_first_the_file_s() -> None:
    found = sent(read(b"ERROR: cold\n2026-01-31 14:05:00 INFO up\nERROR: hot\n"))
    assert [record["createdAt"] for record in found] == [
        "2026-02-01T00:00:00.000Z",
        "2026-01-31T14:05:00.000Z",
        "2026-01-31T14:05:00.000Z",
    ]


def test_options_win_over_the_line_and_the_line_over_the_file() -> None:
    line = b'{"msg":"paid","service":"cart","env":"qa"}\n'
    content = LineContent(
        io.BytesIO(line), Times(FILE_TIME), shape="json", start=0, digest=hashlib.sha256()
    )
    naming = Naming("till", "staging", "shop", FILE_TIME)
    (batch,) = batches(content, naming, start=0, last_unix_nano=None, batch_records=10)
    (record,) = sent([batch])
    assert (record["source"], record["environment"]) == ("till", "staging")
    (record,) = sent(read(line))
    assert (record["source"], record["environment"]) == ("cart", "qa")


def test_a_lone_surrogate_in_a_json_line_is_replaced() -> None:
    (record,) = sent(read(b'{"msg":"half \\ud83d","level":"warn"}\n'))
    assert "\ud83d" not in str(record["message"])


@pytest.mark.parametrize(
    ("head", "is_one"),
    [
        (b'[\n{"a":1}', True),
        (b'{\n  "a": 1', True),
        (b"[2026-01-31 14:05:00] up", False),
        (b'{"msg":"a"}\n{"msg":"b"}\n', False),
        (b"hello", False),
        (b"", False),
    ],
)
def test_a_json_document_is_told_from_lines(head: bytes, is_one: bool) -> None:
    assert may_be_document(head) is is_one


def test_the_elements_of_a_document_are_its_records() -> None:
    elements = document_elements(b'[\n {"msg": "a", "level": "warn"},\n 7,\n {"msg": "b"}\n]\n')
    assert elements == ['{"msg": "a", "level": "warn"}', "7", '{"msg": "b"}']
    content = DocumentContent(elements, Times(FILE_TIME), start=1)
    (batch,) = batches(content, NAMING, start=1, last_unix_nano=FILE_TIME, batch_records=10)
    assert [record["message"] for record in sent([batch])] == ["7", "b"]
    assert (batch.start, batch.end, batch.lines) == (1, 3, 2)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("app.log", "app"),
        ("app.log.2.gz", "app"),
        ("shop-2026.jsonl", "shop-2026"),
        (".log", ".log"),
        ("cart", "cart"),
        ("a.b.log-x", "a.b.log-x"),
    ],
)
def test_a_file_s_name_without_format_and_age_is_its_service(name: str, stem: str) -> None:
    assert stem_of(Path("/var/log") / name) == stem

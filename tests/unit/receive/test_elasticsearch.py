import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logstream.errors import DecodeError
from logstream.ports import Arrival
from logstream.receive.elasticsearch import Bulk, Item, decode, service_of_index
from tests.storable import is_storable

RECEIVED = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z
CREATE = b'{"create":{"_index":"logs-app-default"}}'
DOCUMENT = b'{"@timestamp":"2026-01-01T00:00:01.25Z","message":"order 7 paid"}'


def decoded(body: bytes, path: str = "/_bulk", **more: object) -> Bulk:
    return decode(Arrival(body, RECEIVED, "production", path=path, **more))  # type: ignore[arg-type]


def bulk(*lines: object) -> bytes:
    return b"".join(
        (line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines
    )


def test_a_document_keeps_its_index_and_takes_its_service_from_it() -> None:
    result = decoded(bulk(CREATE, DOCUMENT))
    (record,) = result.records
    assert record.body == "order 7 paid"
    assert record.timestamp_unix_nano == RECEIVED + 1_250_000_000
    assert record.service_name == "app"
    assert json.loads(record.attributes)["_index"] == "logs-app-default"
    assert result.items == [Item("create", "logs-app-default")]


@pytest.mark.parametrize(
    "body",
    [
        bulk(CREATE, DOCUMENT, CREATE, DOCUMENT),
        bulk(CREATE, DOCUMENT, CREATE, DOCUMENT).replace(b"\n", b"\r\n"),
        bulk(CREATE, DOCUMENT, CREATE, DOCUMENT).replace(b"\n", b"\n\n \n"),
        b"\xef\xbb\xbf" + bulk(CREATE, DOCUMENT, CREATE, DOCUMENT)[:-1],
        bulk({"index": {"_index": "logs", "pipeline": None}, "attempts": 0}, DOCUMENT) * 2,
        bulk({"index": {"_type": "_doc", "_id": None}}, DOCUMENT) * 2,
    ],
    ids=["plain", "crlf", "blank", "bom-no-newline", "pipeline", "no-index"],
)
def test_every_framing_lands_both_documents(body: bytes) -> None:
    result = decoded(body)
    assert [record.body for record in result.records] == ["order 7 paid"] * 2
    assert result.rejects == []


def test_the_path_names_the_index_of_actions_that_do_not() -> None:
    result = decoded(bulk({"index": {"_id": 7}}, DOCUMENT), "/orders-2026.01.01/_bulk")
    assert result.items == [Item("index", "orders-2026.01.01", "7")]
    assert result.records[0].service_name == "orders"
    kept = json.loads(result.records[0].attributes)
    assert (kept["_index"], kept["_id"]) == ("orders-2026.01.01", "7")


@pytest.mark.parametrize(
    ("path", "item"),
    [
        ("/logs/_doc", Item("index", "logs")),
        ("/logs/_doc/", Item("index", "logs")),
        ("/logs/_doc/a1", Item("index", "logs", "a1")),
        ("/logs/_create/a\x00", Item("create", "logs", "a\ufffd")),
    ],
)
def test_a_document_alone_needs_no_action(path: str, item: Item) -> None:
    result = decoded(DOCUMENT, path)
    assert (result.items, len(result.records)) == ([item], 1)


def test_what_cannot_land_is_an_item_of_its_own_in_its_place() -> None:
    result = decoded(
        bulk(
            {"delete": {"_index": "logs", "_id": "1"}},
            CREATE,
            DOCUMENT,
            {"update": {"_index": "logs", "_id": "2"}},
            {"doc": {"message": "changed"}},
            CREATE,
            b"{broken",
            CREATE,
            CREATE,
            DOCUMENT,
            b"no action",
            {"create": {"_index": "other"}},
        )
    )
    assert [item.action for item in result.items] == [
        "delete", "create", "update", "create", "create", "create", "index", "create",
    ]  # fmt: skip
    assert len(result.records) == 2
    assert [reject.index for reject in result.rejects] == [0, 2, 3, 4, 6, 7]
    errors = [reject.error for reject in result.rejects]
    assert errors[0] == "document 0: delete is not for log lines, which only ever grow"
    assert "use create" in errors[1]
    assert "the action has no document" in errors[3]
    assert "the line is no action" in errors[4]
    assert result.rejects[2].raw == CREATE + b"\n{broken"


def test_a_document_that_looks_like_an_action_is_a_document() -> None:
    body = bulk(CREATE, {"index": {"name": "nasdaq"}, "message": "closed at 7"})
    assert decoded(body).records[0].body == "closed at 7"


@pytest.mark.parametrize(
    "body", [b"", b"\n\n", b"hello", DOCUMENT, b"[" * 10_000, b'{"index":7}\n{}', b"null"]
)
def test_a_body_without_any_action_is_refused(body: bytes) -> None:
    with pytest.raises(DecodeError, match="no action"):
        decoded(body)


@pytest.mark.parametrize(
    ("index", "service"),
    [
        ("logs-app-default", "app"),
        ("logs-nginx.access-prod", "nginx.access"),
        (".ds-logs-app-default-2026.11.23-000001", "app"),
        ("logs-2026.11.23", "logs"),
        ("orders-2026-11", "orders"),
        ("orders_20261123", "orders"),
        ("orders-2026.47", "orders"),
        ("filebeat-8.11.0-2026.11.23-000001", "filebeat"),
        ("<logstash-{now/d}-000001>", "logstash"),
        ("checkout", "checkout"),
        ("2026.11.23", "2026.11.23"),
        ("orders24", "orders24"),
        ("", None),
        ("x" * 201, None),
    ],
)
def test_a_service_is_named_as_its_index_without_dates(index: str, service: str | None) -> None:
    assert service_of_index(index) == service


def test_origins_are_given_for_each_document() -> None:
    result = decoded(bulk(CREATE, DOCUMENT, CREATE, b"7"), wants_origins=True)
    assert (len(result.records), len(result.origins)) == (1, 1)


PIECES = st.sampled_from(
    [
        CREATE,
        DOCUMENT,
        b'{"index":{}}',
        b'{"delete":{"_id":"\\ud800"}}',
        b"",
        b"{}",
        b"null",
        b"\x00",
    ]
) | st.binary(max_size=30)


@given(st.lists(PIECES, max_size=8), st.sampled_from(["/_bulk", "/a/_bulk", "/a/_doc", "/"]))
def test_any_lines_give_one_item_for_each_record_and_reject(lines: list[bytes], path: str) -> None:
    try:
        result = decoded(b"\n".join(lines), path)
    except DecodeError:
        return
    assert len(result.items) == len(result.records) + len(result.rejects)
    assert all(map(is_storable, result.records))
    for item in result.items:
        json.dumps([item.index, item.id], ensure_ascii=False).encode()

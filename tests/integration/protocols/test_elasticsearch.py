import json

import httpx

CREATE = {"create": {"_index": "logs-pay-default"}}
PRODUCT = ("x-elastic-product", "Elasticsearch")
COMPATIBLE = "application/vnd.elasticsearch+json; compatible-with=9"


def ndjson(*parts: object) -> bytes:
    return b"".join(json.dumps(part).encode() + b"\n" for part in parts)


def document(message: str, **more: object) -> dict[str, object]:
    return {"@timestamp": "2026-01-01T00:00:00.25Z", "message": message, **more}


def messages(service: str) -> list[str]:
    found = httpx.get(
        f"{service}/logs/recent", params={"from": "2026-01-01T00:00:00Z", "limit": 100}
    ).json()
    return [line["message"] for line in found]


def test_a_bulk_is_answered_item_by_item_in_its_order(service: str) -> None:
    with_id = {"index": {"_index": "logs", "_id": "a7"}}
    answer = httpx.put(
        f"{service}/_bulk",
        content=ndjson(
            CREATE, document("one"), {"delete": {"_id": "x"}}, with_id, document("two"), CREATE, 7
        ),
        headers={"Accept": COMPATIBLE},
    )
    assert answer.status_code == 200
    assert PRODUCT in answer.headers.items()
    assert answer.headers["content-type"] == (
        "application/vnd.elasticsearch+json;compatible-with=9"
    )
    content = answer.json()
    assert content["errors"] is True
    assert [next(iter(item)) for item in content["items"]] == [
        "create",
        "delete",
        "index",
        "create",
    ]
    first, second, third, fourth = (next(iter(item.values())) for item in content["items"])
    assert (first["_index"], first["status"], first["result"]) == (
        "logs-pay-default",
        201,
        "created",
    )
    assert first["_id"].isdecimal()
    assert (second["status"], second["error"]["type"]) == (400, "illegal_argument_exception")
    assert (third["_id"], third["status"]) == ("a7", 201)
    assert (fourth["status"], fourth["error"]["type"]) == (400, "mapper_parsing_exception")
    assert sorted(messages(service)) == ["one", "two"]


def test_filter_path_leaves_only_what_it_names(service: str) -> None:
    def filtered(filter_path: str, *parts: object) -> object:
        return httpx.post(
            f"{service}/logs/_bulk",
            params={"filter_path": filter_path},
            content=ndjson(*parts),
        ).json()

    good = ({"create": {}}, document("one"))
    assert filtered("errors,items.*.error,items.*.status", *good) == {
        "errors": False,
        "items": [{"create": {"status": 201}}],
    }
    assert filtered("items.*.error", *good) == {}
    assert filtered("took", *good) == {"took": 1}
    assert filtered("**._index", *good) == {"items": [{"create": {"_index": "logs"}}]}
    (item,) = filtered("items.*.error", {"create": {}}, 7)["items"]  # type: ignore[index]
    assert list(item["create"]) == ["error"]


def test_a_document_alone_is_created_or_refused(service: str) -> None:
    created = httpx.post(f"{service}/logs/_doc", json=document("alone"))
    assert (created.status_code, created.json()["result"]) == (201, "created")
    assert "status" not in created.json()
    for path in ("_doc/7", "_create/7"):
        answer = httpx.put(f"{service}/logs/{path}", json=document("alone"))
        assert (answer.status_code, answer.json()["_id"]) == (201, "7")
    refused = httpx.post(f"{service}/logs/_doc", content=b"[7]")
    assert refused.status_code == 400
    assert refused.json()["error"]["type"] == "mapper_parsing_exception"
    assert messages(service) == ["alone"] * 3


def test_an_error_of_the_whole_request_has_the_shape_of_elasticsearchs(service: str) -> None:
    answer = httpx.post(f"{service}/_bulk", content=b"hello")
    assert answer.status_code == answer.json()["status"] == 400
    assert PRODUCT in answer.headers.items()
    error = answer.json()["error"]
    assert error["type"] == error["root_cause"][0]["type"] == "illegal_argument_exception"
    assert error["reason"].startswith("the body holds no action; send an action line such as")


def test_what_clients_ask_first_is_answered_as_by_a_cluster(service: str) -> None:
    with httpx.Client(base_url=service) as client:
        root = client.get("/").json()
        assert (root["name"], root["tagline"]) == ("LogStream", "You Know, for Search")
        assert root["version"]["number"].startswith("8.")
        for path in (
            "/",
            "/_license",
            "/_xpack",
            "/_cluster/health",
            "/_nodes/http",
            "/_nodes/_all/http",
            "/_cat/health",
            "/_index_template/logs",
            "/_template/logs",
            "/_component_template/logs",
            "/_ilm/policy/logs",
            "/_ingest/pipeline/logs",
            "/_data_stream/logs-app-default",
            "/_alias/logs",
            "/logs/_refresh",
        ):
            answer = client.get(path)
            assert answer.status_code == 200, path
            assert PRODUCT in answer.headers.items(), path
        assert client.head("/_index_template/logs").status_code == 200
        assert client.get("/_license").json()["license"]["status"] == "active"
        address = client.get("/_nodes/http").json()["nodes"]["logstream"]["http"]
        assert service.endswith(address["publish_address"])
        created = client.put("/logs-2026", json={"settings": {}})
        assert (created.status_code, created.json()["index"]) == (200, "logs-2026")


def test_a_path_of_one_segment_is_an_index_only_when_it_is_put(service: str) -> None:
    assert httpx.get(f"{service}/docs").status_code == 200
    assert httpx.get(f"{service}/metrics").status_code == 200
    assert httpx.get(f"{service}/nothing-here").status_code == 404
    assert httpx.head(f"{service}/nothing-here").status_code == 404


def test_a_connection_lives_on_after_a_question_with_a_body_nobody_reads(service: str) -> None:
    with httpx.Client(base_url=service) as client:
        for _ in range(3):
            put = client.put("/_index_template/logs", content=b'"' + b"x" * 100_000 + b'"')
            assert put.json() == {"acknowledged": True}
            stream = next(iter(client._transport._pool.connections))  # type: ignore[attr-defined]
            assert client.post("/_bulk", content=ndjson(CREATE, document("one"))).status_code == 200
            assert next(iter(client._transport._pool.connections)) is stream  # type: ignore[attr-defined]

"""Clients without a format of their own, over HTTP and read back."""

import json
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec

FORM = {
    "name": "shop.pay",
    "msg": "order %s failed",
    "args": "(42,)",
    "levelname": "ERROR",
    "created": "1769868300.1234567",
    "exc_text": "Traceback (most recent call last):\nValueError: no",
}


def lines(service: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.get(f"{service}/logs/recent").json()
    return found


def by_message(service: str) -> dict[str, dict[str, Any]]:
    return {line["message"]: line for line in lines(service)}


def test_every_generic_path_lands_and_answers_as_its_clients_expect(service: str) -> None:
    record = {"level": "warn", "message": "", "timestamp": "2026-01-31T14:05:00.123456Z"}
    wanted = {
        ("POST", "/ingest"): 201,
        ("PUT", "/ingest"): 201,
        ("POST", "/"): 200,
        ("PUT", "/"): 200,
        ("PUT", "/logs/ingest"): 201,
        ("POST", "/logs/ingest"): 201,
        ("POST", "/insert/jsonline"): 200,
        ("POST", "/v1/datasets/web/ingest"): 200,
    }
    statuses = {
        (method, path): httpx.request(
            method, service + path, json=[record | {"message": f"{method} {path}"}]
        ).status_code
        for method, path in wanted
    }
    assert statuses == wanted
    found = by_message(service)
    for method, path in wanted:
        line = found[f"{method} {path}"]
        assert line["severity"] == "warn"
        assert line["source"] == ("web" if "datasets" in path else "unknown_service")
        assert line["createdAt"] == "2026-01-31T14:05:00.123456Z"


def test_a_form_lands_by_get_and_by_post(service: str) -> None:
    assert httpx.post(f"{service}/ingest?_service=posted", data=FORM).status_code == 201
    assert httpx.get(f"{service}/ingest?{urlencode(FORM)}&_service=got").status_code == 201
    assert httpx.get(f"{service}/ingest").status_code == 400
    found = {line["source"]: line for line in lines(service)}
    for source in ("posted", "got"):
        assert found[source]["message"] == "order 42 failed"
        assert found[source]["severity"] == "error"
        assert found[source]["createdAt"] == "2026-01-31T14:05:00.123456700Z"
        assert found[source]["metadata"]["exception.stacktrace"].endswith("ValueError: no")


def test_logtail_is_answered_202_and_axiom_with_its_counts(service: str) -> None:
    body = msgspec.msgpack.encode([{"dt": "2026-01-31T14:05:00Z", "level": "info", "message": "a"}])
    reply = httpx.post(service, content=body, headers={"Content-Type": "application/msgpack"})
    assert reply.status_code == 202
    axiom = httpx.post(f"{service}/v1/datasets/web/ingest", content='{"message":"b"}\n7')
    assert axiom.json() == {
        "ingested": 1,
        "failed": 1,
        "failures": [{"timestamp": None, "error": "record 1: it is the number 7; send an object"}],
        "processedBytes": 17,
        "blocksCreated": 0,
        "walLength": 0,
    }
    refusal = httpx.post(f"{service}/v1/datasets/web/ingest", content="")
    assert (refusal.status_code, refusal.json()["code"]) == (400, 400)
    assert "the body is empty" in refusal.json()["message"]


def test_winston_needs_no_source_but_our_own_shape_does(service: str) -> None:
    boom = {"level": "error", "message": "boom", "stack": "Error: boom\n    at f"}
    assert httpx.post(f"{service}/logs/ingest", json=boom).status_code == 201
    (line,) = lines(service)
    assert line["source"] == "unknown_service"
    assert line["metadata"] == {"exception.stacktrace": "Error: boom\n    at f"}
    for own in ({"message": "x"}, {"message": "x", "severity": "error"}):
        refusal = httpx.post(f"{service}/logs/ingest", json=own)
        assert refusal.status_code == 400
        assert "source is missing" in refusal.text


def test_a_request_maps_its_own_fields(service: str) -> None:
    reply = httpx.post(
        f"{service}/logs/ingest?_msg_field=ev.text&_time_field=ev.at&extra_fields=team=pay",
        content=json.dumps({"ev": {"text": "paid", "at": 1769868300123}, "app": "cart"}),
        headers={"X-Trace-Field": "ev.trace", "X-Environment": "qa"},
    )
    assert reply.status_code == 201
    (line,) = lines(service)
    assert (line["message"], line["source"], line["environment"]) == ("paid", "cart", "qa")
    assert line["createdAt"] == "2026-01-31T14:05:00.123Z"
    assert line["metadata"] == {"team": "pay"}


def test_posting_to_the_root_leaves_the_question_what_this_is(service: str) -> None:
    assert httpx.get(service).json()["name"] == "LogStream"
    assert httpx.delete(service).status_code == 405

"""What Elasticsearch's clients ask before they send, answered as a small cluster would.

Nothing is stored: a template or policy is always there already, and one that is put anyway
is acknowledged. Index, version and licence are what makes the clients go on.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from ingest_service.protocols.protocol import JSON, Asked, Probe, Reply, json_reply

PRODUCT = (b"x-elastic-product", b"Elasticsearch")
VERSION = "8.19.0"
CLUSTER: dict[str, Any] = {
    "cluster_name": "logstream",
    "cluster_uuid": "bG9nc3RyZWFtLWNsdXN0ZQ",
    "version": {
        "number": VERSION,
        "build_flavor": "default",
        "build_type": "tar",
        "build_hash": "0000000000000000000000000000000000000000",
        "build_date": "2025-07-23T00:00:00.000000000Z",
        "build_snapshot": False,
        "lucene_version": "9.12.2",
        "minimum_wire_compatibility_version": "7.17.0",
        "minimum_index_compatibility_version": "7.0.0",
    },
    "tagline": "You Know, for Search",
}
_COMPATIBLE = re.compile(r"application/vnd\.elasticsearch\+json\s*;\s*compatible-with=(\d{1,2})")
_LICENSE = {
    "status": "active",
    "uid": "00000000-0000-0000-0000-000000000000",
    "type": "basic",
    "mode": "basic",
    "issue_date": "2026-01-01T00:00:00.000Z",
    "issue_date_in_millis": 1_767_225_600_000,
    "max_nodes": 1000,
    "issued_to": "logstream",
    "issuer": "elasticsearch",
    "start_date_in_millis": -1,
}
_HEALTH = {
    "cluster_name": "logstream",
    "status": "green",
    "timed_out": False,
    "number_of_nodes": 1,
    "number_of_data_nodes": 1,
    "active_primary_shards": 1,
    "active_shards": 1,
    "relocating_shards": 0,
    "initializing_shards": 0,
    "unassigned_shards": 0,
    "number_of_pending_tasks": 0,
    "active_shards_percent_as_number": 100.0,
}
_SHARDS = {"total": 1, "successful": 1, "failed": 0}


def elasticsearch_reply(status: int, content: Any, headers: Mapping[str, str]) -> Reply:
    """The content in the media type that was asked for, with the header clients insist on."""
    asked = _COMPATIBLE.search(headers.get("accept", ""))
    media_type = (
        f"application/vnd.elasticsearch+json;compatible-with={asked[1]}".encode() if asked else JSON
    )
    return json_reply(status, content, (PRODUCT,))._replace(content_type=media_type)


def _answers(content: Any) -> Callable[[Asked], Reply]:
    return lambda asked: elasticsearch_reply(200, content, asked.headers)


def _exists(describe: Callable[[str], Any]) -> Callable[[Asked], Reply]:
    """There when asked for; acknowledged when put."""

    def answer(asked: Asked) -> Reply:
        if asked.method in ("PUT", "POST"):
            return _acknowledge(asked)
        return elasticsearch_reply(
            200, describe(asked.path.rstrip("/").rpartition("/")[2]), asked.headers
        )

    return answer


def _acknowledge(asked: Asked) -> Reply:
    return elasticsearch_reply(200, {"acknowledged": True}, asked.headers)


def _create_index(asked: Asked) -> Reply:
    index = asked.path.strip("/")
    content = {"acknowledged": True, "shards_acknowledged": True, "index": index}
    return elasticsearch_reply(200, content, asked.headers)


def _nodes(asked: Asked) -> Reply:
    """One node, at the address the client already uses: clients that sniff go there."""
    host = asked.headers.get("host", "localhost")
    address = host if re.search(r":\d+$", host) else f"{host}:80"
    node = {
        "name": "logstream",
        "version": VERSION,
        "build_flavor": "default",
        "roles": ["data", "ingest", "master"],
        "http": {"bound_address": [address], "publish_address": address},
        "ingest": {"processors": []},
    }
    content = {
        "_nodes": {"total": 1, "successful": 1, "failed": 0},
        "cluster_name": "logstream",
        "nodes": {"logstream": node},
    }
    return elasticsearch_reply(200, content, asked.headers)


def _cat_health(_asked: Asked) -> Reply:
    line = b"logstream green 1 1 1 1 0 0 0 0 - 100.0%\n"
    return Reply(200, line, b"text/plain; charset=utf-8", (PRODUCT,))


def _data_stream(name: str) -> Any:
    stream = {
        "name": name,
        "timestamp_field": {"name": "@timestamp"},
        "indices": [],
        "generation": 1,
        "status": "GREEN",
        "template": name,
    }
    return {"data_streams": [stream]}


_READ_OR_PUT = ("GET", "HEAD", "PUT")
_READ_PUT_OR_POST = (*_READ_OR_PUT, "POST")

PROBES: tuple[Probe, ...] = (
    Probe("/_license", _answers({"license": _LICENSE}), summary="Elasticsearch's licence"),
    Probe(
        "/_xpack",
        _answers({"license": _LICENSE, "features": {}, "tagline": CLUSTER["tagline"]}),
        summary="Elasticsearch's features",
    ),
    Probe("/_cluster/health", _answers(_HEALTH), summary="Elasticsearch's health"),
    Probe("/_cluster/health/{index}", _answers(_HEALTH), summary="Elasticsearch's health"),
    Probe("/_cat/health", _cat_health, summary="Elasticsearch's health, as text"),
    Probe("/_nodes", _nodes, summary="Elasticsearch's nodes"),
    Probe("/_nodes/{what}", _nodes, summary="Elasticsearch's nodes"),
    Probe("/_nodes/{node}/{what}", _nodes, summary="Elasticsearch's nodes"),
    Probe("/_logstash/pipeline", _answers({}), summary="Logstash's pipelines"),
    Probe(
        "/_index_template/{name}",
        _exists(lambda name: {"index_templates": [{"name": name, "index_template": {}}]}),
        _READ_PUT_OR_POST,
        "An index template; nothing is stored",
    ),
    Probe(
        "/_component_template/{name}",
        _exists(lambda name: {"component_templates": [{"name": name, "component_template": {}}]}),
        _READ_PUT_OR_POST,
        "A component template; nothing is stored",
    ),
    Probe(
        "/_template/{name}",
        _exists(lambda name: {name: {}}),
        _READ_PUT_OR_POST,
        "A legacy template; nothing is stored",
    ),
    Probe(
        "/_ilm/policy/{name}",
        _exists(lambda name: {name: {"version": 1, "policy": {"phases": {}}}}),
        _READ_OR_PUT,
        "A lifecycle policy; nothing is stored",
    ),
    Probe(
        "/_ingest/pipeline/{name}",
        _exists(lambda name: {name: {"processors": []}}),
        _READ_OR_PUT,
        "An ingest pipeline; nothing is stored",
    ),
    Probe(
        "/_data_stream/{name}",
        _exists(_data_stream),
        _READ_OR_PUT,
        "A data stream; nothing is stored",
    ),
    Probe(
        "/_alias/{name}",
        _exists(lambda name: {name: {"aliases": {name: {"is_write_index": True}}}}),
        summary="An alias of that name",
    ),
    Probe(
        "/{index}/_refresh",
        _answers({"_shards": _SHARDS}),
        ("GET", "POST"),
        "Elasticsearch's refresh; lines are seen at once anyway",
    ),
    Probe("/{index}", _create_index, ("PUT",), "Create an index; nothing is stored"),
)

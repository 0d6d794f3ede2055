"""Elasticsearch's and OpenSearch's `_bulk` and single documents, with item-by-item replies."""

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

from ingest_service.protocols import elasticsearch_probes
from ingest_service.protocols.elasticsearch_probes import elasticsearch_reply
from ingest_service.protocols.protocol import Probe, Protocol, Reply, Route
from ingest_service.replies import status_of
from logstream.errors import (
    Forbidden,
    LogStreamError,
    RateLimited,
    StoreUnavailable,
    TooLarge,
    Unauthorized,
)
from logstream.model import Decoded, Reject
from logstream.ports import Arrival, Landed
from logstream.receive.elasticsearch import Bulk, Item, decode, is_single

_TYPES: dict[type[LogStreamError], str] = {
    Unauthorized: "security_exception",
    Forbidden: "security_exception",
    RateLimited: "es_rejected_execution_exception",
    StoreUnavailable: "es_rejected_execution_exception",
    TooLarge: "content_too_long_exception",
}
_CHALLENGE = (b"www-authenticate", b'Basic realm="LogStream", charset="UTF-8"')
_SHARDS = {"total": 1, "successful": 1, "failed": 0}
# Actions that no log line takes are the sender's mistake; other errors are the document's.
_REFUSED_ACTIONS = ("update", "delete")
_MAX_FILTER_PATHS = 30


def reply(arrival: Arrival, decoded: Decoded, landed: Landed) -> Reply:
    """An answer for every action in its order; for one document alone, the answer itself."""
    items = decoded.items if isinstance(decoded, Bulk) else ()
    answers = list(_answers(arrival, items, landed))
    if is_single(arrival.path):
        answer: dict[str, Any] = next(iter(answers[0].values()))
        if landed.rejects:
            return _error(400, answer["error"]["type"], answer["error"]["reason"], arrival)
        del answer["status"]  # rsyslog takes an answer that has one for an error
        return elasticsearch_reply(201, answer, arrival.headers)
    content = {"took": 1, "errors": bool(landed.rejects), "items": answers}
    wanted = arrival.parameters.get("filter_path")
    return elasticsearch_reply(
        200, _filtered(content, wanted) if wanted else content, arrival.headers
    )


def refuse(error: LogStreamError, arrival: Arrival | None) -> Reply:
    """The error as Elasticsearch gives one that concerns the whole request."""
    kind = _TYPES.get(type(error), "illegal_argument_exception")
    answer = _error(status_of(error), kind, error.one_line(), arrival)
    if isinstance(error, Unauthorized):
        return answer._replace(headers=(*answer.headers, _CHALLENGE))
    return answer


def _answers(
    arrival: Arrival, items: Sequence[Item], landed: Landed
) -> Iterator[dict[str, dict[str, Any]]]:
    """What became of each action. A document without an id gets the id of its line."""
    rejects = {reject.index: reject for reject in landed.rejects}
    line_id = landed.first_id
    for index, item in enumerate(items):
        reject = rejects.get(index)
        if reject is not None:
            yield {item.action: _refused(item, reject)}
            continue
        own_id = f"{arrival.received_unix_nano}-{index}" if line_id is None else str(line_id)
        line_id = None if line_id is None else line_id + 1
        yield {
            item.action: {
                "_index": item.index,
                "_id": own_id if item.id is None else item.id,
                "_version": 1,
                "result": "created",
                "_shards": _SHARDS,
                "_seq_no": index,
                "_primary_term": 1,
                "status": 201,
            }
        }


def _refused(item: Item, reject: Reject) -> dict[str, Any]:
    kind = (
        "illegal_argument_exception"
        if item.action in _REFUSED_ACTIONS
        else "mapper_parsing_exception"
    )
    return {
        "_index": item.index,
        "_id": item.id,
        "status": 400,
        "error": {"type": kind, "reason": reject.error},
    }


def _error(status: int, kind: str, reason: str, arrival: Arrival | None) -> Reply:
    cause = {"type": kind, "reason": reason}
    content = {"error": {"root_cause": [cause], **cause}, "status": status}
    return elasticsearch_reply(status, content, {} if arrival is None else arrival.headers)


def _filtered(content: dict[str, Any], filter_path: str) -> dict[str, Any]:
    """The members that `filter_path` names: `errors,items.*.status`, wildcards in each name."""
    names = filter_path.split(",")[:_MAX_FILTER_PATHS]
    paths = [name.split(".") for name in names if name and name[0] != "-"]
    return _members(content, paths) or {} if paths else content


def _members(value: Any, paths: list[list[str]]) -> Any:
    """What of a value the paths lead to; None when it is nothing."""
    if any(not path for path in paths):
        return value
    if isinstance(value, list):
        kept = [part for item in value if (part := _members(item, paths)) is not None]
        return kept or None
    if not isinstance(value, dict):
        return None
    found: dict[str, Any] = {}
    for name, member in value.items():
        rest = [path[1:] for path in paths if fnmatchcase(name, path[0])]
        rest += [path for path in paths if path[0] == "**" and len(path) > 1]
        part = _members(member, rest) if rest else None
        if part is not None:
            found[name] = part
    return found or None


ELASTICSEARCH = Protocol("elasticsearch", decode, reply, refuse)
_WRITE = ("POST", "PUT")
ROUTES: tuple[Route, ...] = (
    Route("/_bulk", ELASTICSEARCH, _WRITE, "Documents, as to Elasticsearch"),
    Route("/{index}/_bulk", ELASTICSEARCH, _WRITE, "Documents of one index"),
    Route("/{index}/_doc", ELASTICSEARCH, ("POST",), "One document"),
    Route("/{index}/_doc/{id}", ELASTICSEARCH, _WRITE, "One document with an id"),
    Route("/{index}/_create/{id}", ELASTICSEARCH, _WRITE, "One document with an id"),
)
PROBES: tuple[Probe, ...] = elasticsearch_probes.PROBES

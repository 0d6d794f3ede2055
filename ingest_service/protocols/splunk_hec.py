"""Splunk's HTTP Event Collector at /services/collector, with its codes."""

import itertools
import secrets
from typing import Any

import msgspec

from ingest_service.protocols.protocol import Asked, Probe, Protocol, Reply, Route, json_reply
from ingest_service.replies import status_of
from logstream.errors import (
    DecodeError,
    Forbidden,
    LogStreamError,
    RateLimited,
    StoreUnavailable,
    TooLarge,
    Unauthorized,
)
from logstream.model import Decoded
from logstream.ports import Arrival, Landed
from logstream.receive import splunk_hec

SUCCESS = (0, "Success")
_INVALID_FORMAT = (6, "Invalid data format")
_OF_REASON = {
    splunk_hec.EVENT_MISSING: (12, "Event field is required"),
    splunk_hec.EVENT_BLANK: (13, "Event field cannot be blank"),
}
# The first that fits counts.
_OF_ERROR: tuple[tuple[type[LogStreamError], tuple[int, str]], ...] = (
    (splunk_hec.NoData, (5, "No data")),
    (splunk_hec.NoChannel, (10, "Data channel is missing")),
    (DecodeError, _INVALID_FORMAT),
    (Unauthorized, (4, "Invalid token")),
    (Forbidden, (4, "Invalid token")),
    (RateLimited, (9, "Server is busy")),
    (StoreUnavailable, (9, "Server is busy")),
    (TooLarge, (27, "Request entity too large")),
)
# Ids of acknowledgement differ between processes; a JavaScript number holds them exactly.
_ack_ids = itertools.count(secrets.randbelow(2**31) << 20)


def reply(arrival: Arrival, decoded: Decoded, landed: Landed) -> Reply:
    """200 when anything landed, else 400 with the code of the first event refused.

    Splunk refuses a whole batch for one event; clients then send all of it again, and what
    had landed here would be doubled. So a batch with some good events is a success, with the
    number of those that were refused beside it.
    """
    if arrival.path.rstrip("/").endswith("/ack"):
        return _acknowledged(arrival)
    if landed.rejects and not landed.accepted:
        first = landed.rejects[0]
        return _answer(
            400,
            _OF_REASON.get(first.reason, _INVALID_FORMAT),
            {"invalid-event-number": first.index, "error": first.error},
        )
    extra: dict[str, Any] = {}
    if splunk_hec.channel_of(arrival):
        extra["ackId"] = next(_ack_ids)
    if landed.rejects:
        extra["rejected"] = len(landed.rejects)
        extra["invalid-event-number"] = landed.rejects[0].index
        extra["error"] = landed.rejects[0].error
    return _answer(200, SUCCESS, extra)


def refuse(error: LogStreamError, _arrival: Arrival | None) -> Reply:
    """The error with Splunk's code and text; our own sentence beside them."""
    if isinstance(error, Unauthorized) and error.is_missing:
        return _answer(401, (2, "Token is required"), {"error": error.one_line()})
    code = next((code for kind, code in _OF_ERROR if isinstance(error, kind)), _INVALID_FORMAT)
    return _answer(_status(error), code, {"error": error.one_line()})


def health(_asked: Asked) -> Reply:
    """What load balancers and forwarders ask first."""
    return _answer(200, (17, "HEC is healthy"), {})


def _status(error: LogStreamError) -> int:
    if isinstance(error, DecodeError):  # our kinds of it too
        return 400
    # A token that is sent but not known is 403 to Splunk's clients.
    return 403 if isinstance(error, Unauthorized) else status_of(error)


def _acknowledged(arrival: Arrival) -> Reply:
    """Every id that is asked for: a reply is only sent once its events are durable."""
    try:
        asked = msgspec.json.decode(arrival.body, type=_Asked).acks
    except msgspec.DecodeError:
        return _answer(400, _INVALID_FORMAT, {"error": 'send {"acks": [ids]}'})
    return json_reply(200, {"acks": {str(number): True for number in asked}})


class _Asked(msgspec.Struct):
    acks: list[int]


def _answer(status: int, code: tuple[int, str], extra: dict[str, Any]) -> Reply:
    return json_reply(status, {"text": code[1], "code": code[0], **extra})


SPLUNK_HEC = Protocol("splunk_hec", splunk_hec.decode, reply, refuse)
ROUTES = (
    Route("/services/collector", SPLUNK_HEC, summary="Land Splunk HEC events"),
    Route("/services/collector/event", SPLUNK_HEC, summary="Land Splunk HEC events"),
    Route("/services/collector/event/1.0", SPLUNK_HEC, summary="Land Splunk HEC events"),
    Route("/services/collector/raw", SPLUNK_HEC, summary="Land lines of text"),
    Route("/services/collector/raw/1.0", SPLUNK_HEC, summary="Land lines of text"),
    Route("/services/collector/ack", SPLUNK_HEC, summary="Ask which batches are durable"),
)
PROBES = tuple(
    Probe(path, health, summary="Whether Splunk HEC is healthy", is_open=True)
    for path in ("/services/collector/health", "/services/collector/health/1.0")
)

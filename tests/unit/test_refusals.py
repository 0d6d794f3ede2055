"""What clients of each format are told when nothing was taken."""

import json

import pytest

from ingest_service.protocols import app_insights, datadog, sentry, seq, splunk_hec
from logstream.errors import (
    Forbidden,
    LogStreamError,
    RateLimited,
    StoreUnavailable,
    TooLarge,
    Unauthorized,
    UnsupportedEncoding,
)

MISSING = Unauthorized("an API key is needed", is_missing=True)
WRONG = Unauthorized("the API key is not valid")
READ_ONLY = Forbidden("key abc may read, not send")
BUSY = StoreUnavailable("the database is away")
LIMITED = RateLimited("too fast", "wait", 3)
LARGE = TooLarge("the body is too large")
UNREADABLE = UnsupportedEncoding("Content-Encoding br")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (MISSING, 401, 2),
        (WRONG, 403, 4),
        (READ_ONLY, 403, 4),
        (LIMITED, 429, 9),
        (BUSY, 503, 9),
        (LARGE, 413, 27),
        (UNREADABLE, 415, 6),
    ],
)
def test_splunk_is_told_in_its_codes(error: LogStreamError, status: int, code: int) -> None:
    reply = splunk_hec.refuse(error, None)
    assert (reply.status, json.loads(reply.body)["code"]) == (status, code)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (MISSING, 401),
        (READ_ONLY, 403),
        (LIMITED, 429),
        (BUSY, 503),
        (LARGE, 413),
        (UNREADABLE, 415),
    ],
)
def test_others_are_told_by_status_and_in_their_shape(error: LogStreamError, status: int) -> None:
    for refuse, sentence in (
        (datadog.refuse, lambda body: body["errors"][0]["detail"]),
        (seq.refuse, lambda body: body["Error"]),
        (sentry.refuse, lambda body: body["detail"]),
        (app_insights.refuse, lambda body: body["errors"][0]["message"]),
    ):
        reply = refuse(error, None)
        assert reply.status == status
        assert error.message in sentence(json.loads(reply.body))

"""What an HTTP caller gets: one table from error type to status, one JSON shape."""

from typing import Any

import msgspec
from starlette.responses import Response

from logstream.api_keys import without_keys
from logstream.errors import (
    DecodeError,
    FilterError,
    Forbidden,
    LogStreamError,
    ModelUnavailable,
    NotFound,
    PushFailed,
    QueryTimeout,
    RateLimited,
    StoreUnavailable,
    TooLarge,
    Unauthorized,
    UnsupportedEncoding,
)
from logstream.land.remembering import FromMemory

STATUS: dict[type[LogStreamError], int] = {
    DecodeError: 400,
    FilterError: 400,
    Unauthorized: 401,
    Forbidden: 403,
    NotFound: 404,
    TooLarge: 413,
    UnsupportedEncoding: 415,
    RateLimited: 429,
    StoreUnavailable: 503,
    QueryTimeout: 503,
    PushFailed: 503,
    ModelUnavailable: 503,
}


def status_of(error: LogStreamError) -> int:
    """The HTTP status of an error, or of the kind of errors that it is one of."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


class JsonReply(Response):
    """A JSON response encoded by msgspec."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The content as JSON text."""
        return msgspec.json.encode(content)


def lines_source(answer: object) -> dict[str, str]:
    """The header that says so when an answer came from memory instead of the database."""
    return {"X-LogStream-Source": "memory"} if isinstance(answer, FromMemory) else {}


def error_body(code: str, message: str, hint: str = "") -> dict[str, Any]:
    """The one shape of every error: `{"error": {"code", "message", "hint"}}`.

    What is repeated of a request, its path say, holds no API key.
    """
    return {"error": {"code": code, "message": without_keys(message), "hint": hint}}


def error_reply(error: LogStreamError) -> JsonReply:
    """The response for one of our errors, with Retry-After where trying again can help."""
    headers = {}
    if error.can_retry:
        headers["Retry-After"] = str(getattr(error, "retry_after_seconds", 2))
    return JsonReply(
        error_body(error.code, error.message, error.hint),
        status_code=status_of(error),
        headers=headers,
    )

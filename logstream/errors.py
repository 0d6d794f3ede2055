"""Every error LogStream raises, as one tree.

Each type knows whether trying again can help; `ingest_service/replies.py` alone
turns types into HTTP status codes. A message names the offending value; the
hint says what to do.
"""


class LogStreamError(Exception):
    """Base of all our errors. `code` is stable and machine-readable."""

    code = "error"
    can_retry = False

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def one_line(self) -> str:
        """The message and its remedy as one line, for terminals."""
        return f"{self.message}; {self.hint}" if self.hint else self.message


class SettingsError(LogStreamError):
    """A setting is missing or wrong. Stops the process at start."""

    code = "bad_setting"


class DecodeError(LogStreamError):
    """Nothing in the body could be read as log records."""

    code = "bad_request"


class FilterError(LogStreamError):
    """A URL parameter or query text cannot be understood. `parameter` names it."""

    code = "bad_filter"

    def __init__(self, parameter: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.parameter = parameter


class NotFound(LogStreamError):
    """What was asked for does not exist (any more)."""

    code = "not_found"


class TooLarge(LogStreamError):
    """The body exceeds a limit: on the wire, after decompression, or of records in it."""

    code = "too_large"


class UnsupportedEncoding(LogStreamError):
    """The Content-Encoding is none of those we read."""

    code = "unsupported_encoding"


class Unauthorized(LogStreamError):
    """No API key where one is needed (`is_missing`), or one that is not valid (any more)."""

    code = "unauthorized"

    def __init__(self, message: str, hint: str = "", *, is_missing: bool = False) -> None:
        super().__init__(message, hint)
        self.is_missing = is_missing


class Forbidden(LogStreamError):
    """The API key is valid, but not for this."""

    code = "forbidden"


class RateLimited(LogStreamError):
    """The caller sends more than it may; `retry_after_seconds` says when it may again."""

    code = "rate_limited"
    can_retry = True

    def __init__(self, message: str, hint: str, retry_after_seconds: int) -> None:
        super().__init__(message, hint)
        self.retry_after_seconds = retry_after_seconds


class StoreUnavailable(LogStreamError):
    """The database cannot be reached or did not answer in time; nothing was accepted."""

    code = "store_unavailable"
    can_retry = True

    def __init__(self, message: str, hint: str = "", retry_after_seconds: int = 2) -> None:
        super().__init__(message, hint)
        self.retry_after_seconds = retry_after_seconds


class QueryTimeout(LogStreamError):
    """The question took longer than the statement timeout."""

    code = "query_timeout"
    can_retry = True


class PushFailed(LogStreamError):
    """The hub did not take a message or give a ticket; the lines themselves are stored."""

    code = "push_failed"
    can_retry = True


class ModelUnavailable(LogStreamError):
    """The language model gave no answer in time; the rules answer without it."""

    code = "model_unavailable"
    can_retry = True

    def __init__(self, message: str, hint: str = "", retry_after_seconds: int = 5) -> None:
        super().__init__(message, hint)
        self.retry_after_seconds = retry_after_seconds

"""Who may send and ask: API keys, rate limits, and what is done to records before they land."""

from collections.abc import Mapping
from typing import Literal

import msgspec
from starlette.types import Scope

from logstream.model import Decoded

Role = Literal["ingest", "read", "admin"]


class Caller(msgspec.Struct, frozen=True, gc=False):
    """Who asks.

    `key` is the visible part of its API key, empty without one; `environment` the only one it
    may write to or read, None when it may any.
    """

    key: str = ""
    environment: str | None = None


ANYBODY = Caller()


class Admission:
    """Decides about every request before its body is read."""

    async def admit(self, scope: Scope, headers: Mapping[bytes, bytes], role: Role) -> Caller:
        """The caller; raises Unauthorized, Forbidden or RateLimited."""
        return ANYBODY

    def charge(self, caller: Caller, *, lines: int, size_bytes: int, rejected: int) -> None:
        """Count what a caller sent against its limits and totals."""

    def prepare(self, decoded: Decoded, caller: Caller) -> Decoded:
        """The same records as they may be stored: in the caller's environment."""
        return decoded

"""A body read outside the door: for people who ask about it or send it again."""

import time
from collections.abc import Mapping

import msgspec
from starlette.types import Receive, Scope

from ingest_service.admission import ANYBODY, Admission, Caller
from ingest_service.guard import read_body
from ingest_service.request_parts import HeaderTexts, media_type, parameters_of, read_query
from logstream.ports import Arrival


class Asking(msgspec.Struct, frozen=True):
    """Who asks with what: the body as sent, and an arrival for it that has none yet.

    `path` and `format` are what the request names to say where the body belongs.
    """

    caller: Caller
    raw: bytes
    encoding: str
    path: str
    format: str
    arrival: Arrival


class Reading:
    """Limits and reads bodies as the door does."""

    def __init__(
        self,
        admission: Admission,
        default_environment: str,
        naive_timezone: str,
        max_body_bytes: int,
        max_records: int,
    ) -> None:
        self.admission = admission
        self.max_body_bytes = max_body_bytes
        self._max_records = max_records
        self._default_environment = default_environment
        self._naive_timezone = naive_timezone

    async def asked(self, scope: Scope, receive: Receive) -> Asking:
        """The request with its body; raises what the door raises."""
        headers: Mapping[bytes, bytes] = dict(scope["headers"])
        caller: Caller = scope.get("caller", ANYBODY)  # admitted already (reading.py)
        raw = await read_body(receive, headers.get(b"content-length"), self.max_body_bytes)
        parameters = parameters_of(scope)
        path, _, query = parameters.pop("path", "").partition("?")
        format = parameters.pop("format", "")
        return Asking(
            caller,
            raw,
            headers.get(b"content-encoding", b"").decode("latin-1"),
            path,
            format,
            Arrival(
                b"",
                # To the microsecond, which is what the table keeps of it.
                time.time_ns() // 1_000 * 1_000,
                caller.environment or self._default_environment,
                self._naive_timezone,
                media_type(headers),
                path,
                {**parameters, **read_query(query)},
                HeaderTexts(headers),
                max_records=self._max_records,
            ),
        )

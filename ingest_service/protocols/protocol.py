"""What the door needs to know of a wire format: its paths, its decoder, its replies."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from ingest_service.replies import error_body, status_of
from logstream.errors import LogStreamError
from logstream.model import Decoded
from logstream.ports import Arrival, Decoder, Landed
from logstream.receive.compression import decompress as usual_decompress

JSON = b"application/json"


class Reply(NamedTuple):
    """A whole HTTP answer; `Retry-After` and security headers are added by the door."""

    status: int
    body: bytes = b""
    content_type: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Asked(NamedTuple):
    """A request whose body nobody reads: what a client asks before it sends."""

    method: str
    path: str
    parameters: Mapping[str, str]
    headers: Mapping[str, str]


def json_reply(status: int, content: Any, headers: tuple[tuple[bytes, bytes], ...] = ()) -> Reply:
    """The content as JSON."""
    return Reply(status, msgspec.json.encode(content), JSON, headers)


def usual_refusal(error: LogStreamError, _arrival: Arrival | None) -> Reply:
    """The refusal in our own shape, for formats that have none."""
    return json_reply(status_of(error), error_body(error.code, error.message, error.hint))


class Protocol(NamedTuple):
    """A wire format.

    `reply` is asked once the batch is durable; what the decoder and the store refused is in
    `landed.rejects`, by index. `refuse` answers when nothing was taken; its arrival has no
    body. Both speak as the format's own server would, so that clients understand; the status
    of an error is `status_of(error)` unless the format has its own.
    """

    name: str
    decode: Decoder
    reply: Callable[[Arrival, Decoded, Landed], Reply]
    refuse: Callable[[LogStreamError, Arrival | None], Reply] = usual_refusal
    decompress: Callable[[bytes, str, int], bytes] = usual_decompress


class Route(NamedTuple):
    """Where a protocol listens. `{name}` in a path stands for one segment of it."""

    path: str
    protocol: Protocol
    methods: tuple[str, ...] = ("POST",)
    summary: str = ""


class Probe(NamedTuple):
    """A question clients ask before they send, answered without a body or a store."""

    path: str
    answer: Callable[[Asked], Reply]
    methods: tuple[str, ...] = ("GET", "HEAD")
    summary: str = ""
    # Load balancers and clients without a key may ask.
    is_open: bool = False

"""GELF over HTTP, as Graylog's input takes it: POST /gelf, 202 without a body."""

from ingest_service.protocols.protocol import Probe, Protocol, Reply, Route, json_reply
from ingest_service.replies import error_body
from logstream.model import Decoded
from logstream.ports import Arrival, Landed
from logstream.receive import gelf
from logstream.receive.compression import decompress as usual_decompress

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_FIRST_OF_JSON = (b"{", b"[", b" ", b"\n", b"\r", b"\t", b"\xef", b"")


def decompress(body: bytes, content_encoding: str, limit_bytes: int) -> bytes:
    """The body, decompressed by what its first bytes say, whatever was named.

    Clients name all encodings they know ("gzip,deflate") and use one.
    """
    encoding = encoding_of(body)
    if encoding is None and body[:1] not in _FIRST_OF_JSON:
        encoding = content_encoding
    return usual_decompress(body, encoding or "", limit_bytes)


def encoding_of(body: bytes) -> str | None:
    """`gzip`, `deflate` (zlib's) or `zstd` by the first bytes; None when it is none of them."""
    if body[:2] == _GZIP:
        return "gzip"
    if body[:4] == _ZSTD:
        return "zstd"
    is_zlib = len(body) > 1 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0
    return "deflate" if is_zlib else None


def reply(_arrival: Arrival, _decoded: Decoded, landed: Landed) -> Reply:
    """202 and nothing else, or 400 when no message could be stored."""
    if landed.rejects and not landed.accepted:
        error = landed.rejects[0].error
        return json_reply(400, error_body("nothing_accepted", error, "correct it and send again"))
    return Reply(202)


PROTOCOL = Protocol("gelf", gelf.decode, reply, decompress=decompress)
ROUTES: tuple[Route, ...] = (
    Route("/gelf", PROTOCOL, summary="GELF messages, as Graylog's HTTP input takes them"),
)
PROBES: tuple[Probe, ...] = ()

"""Content-Encoding undone, with the result's size bounded while it grows."""

import re
import zlib
from collections.abc import Callable, Iterator

import cramjam
import zstandard

from logstream.errors import DecodeError, TooLarge, UnsupportedEncoding

CHUNK_BYTES = 64 * 1024
_SPLIT = re.compile(r"[\s,]+")
_MAX_LAYERS = 3
# A frame may ask for a window as large as it likes; 8 MiB is what RFC 8878 asks us to support.
_MAX_ZSTD_WINDOW_BYTES = 8 * 1024 * 1024
# A block of 128 KiB may be 4 bytes long: a slice gives at most 8 MiB.
_ZSTD_SLICE_BYTES = 256
_GZIP_WINDOW, _ZLIB_WINDOW, _RAW_WINDOW = 31, 15, -15
_MAX_VARINT_BYTES, _MAX_SNAPPY_RATIO = 5, 22
_SNAPPY_STREAM = b"\xff\x06\x00\x00sNaPpY"
_SNAPPY_PLAIN, _SNAPPY_FIRST_SKIPPABLE = 0x01, 0x80


def decompress(body: bytes, content_encoding: str, limit_bytes: int) -> bytes:
    """The body with its Content-Encoding (a comma list, outermost last) undone.

    Never holds more than `limit_bytes` and a chunk. Raises TooLarge, UnsupportedEncoding,
    and DecodeError for data that is corrupt or ends early.
    """
    names = [name for name in _SPLIT.split(content_encoding.strip().lower()) if name]
    layers = [name for name in names if name != "identity"]
    for name in layers:
        if name not in _READERS:
            raise UnsupportedEncoding(
                f"Content-Encoding '{name[:40]}' is not supported",
                "use gzip, deflate, zstd, snappy or none",
            )
    if len(layers) > _MAX_LAYERS:
        raise UnsupportedEncoding(
            f"Content-Encoding names {len(layers)} layers", "compress the body once"
        )
    for name in reversed(layers):
        if name == "snappy" and not body.startswith(_SNAPPY_STREAM):
            body = snappy_block(body, limit_bytes)
        else:
            body = _bounded(name, _READERS[name](body), limit_bytes)
    if len(body) > limit_bytes:
        raise _too_large(limit_bytes)
    return body


def _bounded(name: str, chunks: Iterator[bytes], limit_bytes: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    try:
        for chunk in chunks:
            size += len(chunk)
            if size > limit_bytes:
                raise _too_large(limit_bytes)
            parts.append(chunk)
    except (zlib.error, zstandard.ZstdError, cramjam.DecompressionError, EOFError) as error:
        raise DecodeError(
            f"the body is not valid {name} data: {error}",
            "send it whole, or without Content-Encoding when it is not compressed",
        ) from None
    return b"".join(parts)


def _zlib_chunks(body: bytes, window: int) -> Iterator[bytes]:
    """The members of a zlib or gzip body, one after the other, a chunk at a time."""
    rest = body
    while rest:
        member = zlib.decompressobj(window)
        while not member.eof:
            chunk = member.decompress(rest, CHUNK_BYTES)
            rest = member.unconsumed_tail
            if chunk:
                yield chunk
            elif not rest and not member.eof:
                raise EOFError("it ends too early")
        # Some writers pad the last member with zeros (RFC 1952 §2.2 readers skip them).
        rest = member.unused_data.lstrip(b"\x00")


def _gzip(body: bytes) -> Iterator[bytes]:
    return _zlib_chunks(body, _GZIP_WINDOW)


def _deflate(body: bytes) -> Iterator[bytes]:
    """zlib as RFC 9110 means it, or the raw deflate that some clients send."""
    is_zlib = len(body) > 1 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0
    return _zlib_chunks(body, _ZLIB_WINDOW if is_zlib else _RAW_WINDOW)


def _zstd(body: bytes) -> Iterator[bytes]:
    """Frames one after the other; fed in slices, because each call returns all it can."""
    frame = zstandard.ZstdDecompressor(max_window_size=_MAX_ZSTD_WINDOW_BYTES).decompressobj()
    is_between_frames = True
    start = 0
    while start < len(body):
        piece = body[start : start + _ZSTD_SLICE_BYTES]
        chunk = frame.decompress(piece)
        start += len(piece)
        is_between_frames = frame.eof
        if chunk:
            yield chunk
        if frame.eof:
            start -= len(frame.unused_data)
            frame = zstandard.ZstdDecompressor(
                max_window_size=_MAX_ZSTD_WINDOW_BYTES
            ).decompressobj()
    if not is_between_frames:
        raise EOFError("it ends too early")


def snappy_size(body: bytes) -> int:
    """What a Snappy block says it holds, in bytes; -1 when no block of this length can.

    Copies of 64 bytes take three, so a block gives at most 22 times its own size.
    """
    size = 0
    for place, byte in enumerate(body[:_MAX_VARINT_BYTES]):
        size |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return size if size <= _MAX_SNAPPY_RATIO * len(body) else -1
    return -1


def snappy_block(body: bytes, limit_bytes: int) -> bytes:
    """A Snappy block undone; its size is known before. Raises TooLarge, DecodeError."""
    size = snappy_size(body)
    if size > limit_bytes:
        raise _too_large(limit_bytes)
    return _bounded("snappy", _snappy_block(body, size), limit_bytes)


def _snappy_block(body: bytes, size: int) -> Iterator[bytes]:
    if size < 0:
        raise EOFError("it is not a Snappy block")
    yield bytes(cramjam.snappy.decompress_raw(body))


def _snappy_frames(body: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(body):
        kind, size = body[start], int.from_bytes(body[start + 1 : start + 4], "little")
        frame = body[start : start + 4 + size]
        if len(frame) < 4 + size:
            raise EOFError("it ends too early")
        start += len(frame)
        if kind <= _SNAPPY_PLAIN:
            # Frame by frame: none gives more than 64 KiB, and its checksum is compared.
            yield bytes(cramjam.snappy.decompress(_SNAPPY_STREAM + frame))
        elif kind < _SNAPPY_FIRST_SKIPPABLE:
            raise EOFError(f"a frame of type {kind} is not known")


_READERS: dict[str, Callable[[bytes], Iterator[bytes]]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "zstd": _zstd,
    "snappy": _snappy_frames,
    "x-snappy-framed": _snappy_frames,
}


def _too_large(limit_bytes: int) -> TooLarge:
    return TooLarge(
        f"the body is larger than {limit_bytes / 1024 / 1024:.0f} MiB once decompressed"
        if limit_bytes >= 1024 * 1024
        else f"the body is larger than {limit_bytes} bytes once decompressed",
        "send smaller batches, or raise LOGSTREAM_MAX_BODY_BYTES",
    )

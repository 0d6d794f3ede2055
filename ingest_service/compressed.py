"""Compressing an answer that is made piece by piece."""

import zlib
from typing import Any, Literal, Protocol

import zstandard

from logstream.errors import FilterError

Encoding = Literal["", "gzip", "zstd"]
# Fast ones: the database and the network are to be the bound.
GZIP_LEVEL, ZSTD_LEVEL = 1, 1


class Compression(Protocol):
    """Gives what can be sent so far, then the end."""

    def add(self, piece: bytes) -> bytes:
        """The compressed bytes that are ready; may be none."""
        ...

    def end(self) -> bytes:
        """The last of them."""
        ...


class AsItIs:
    """No compression."""

    def add(self, piece: bytes) -> bytes:
        """The piece."""
        return piece

    def end(self) -> bytes:
        """Nothing."""
        return b""


class _Compressing:
    def __init__(self, encoding: Encoding) -> None:
        if encoding == "gzip":
            # 16 more asks for gzip's own header.
            self._out: Any = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, zlib.MAX_WBITS | 16)
        else:
            self._out = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compressobj()

    def add(self, piece: bytes) -> bytes:
        return bytes(self._out.compress(piece))

    def end(self) -> bytes:
        return bytes(self._out.flush())


def compression(encoding: Encoding) -> Compression:
    """One for an answer in this encoding."""
    return _Compressing(encoding) if encoding else AsItIs()


def asked_encoding(name: str) -> Encoding:
    """The encoding of a `compress` parameter; raises FilterError."""
    match name.strip().lower():
        case "" | "none":
            return ""
        case "gzip" | "gz":
            return "gzip"
        case "zstd" | "zst":
            return "zstd"
    raise FilterError("compress", f"compress '{name[:40]}' is not known", "use gzip or zstd")


def accepted_encoding(header: str) -> Encoding:
    """The best encoding that an Accept-Encoding header allows."""
    accepted: set[str] = set()
    for part in header.lower().split(","):
        name, *parameters = (word.strip() for word in part.split(";"))
        if not any(_is_zero(parameter) for parameter in parameters):
            accepted.add(name)
    if "zstd" in accepted:
        return "zstd"
    return "gzip" if "gzip" in accepted else ""


def _is_zero(parameter: str) -> bool:
    name, _, value = parameter.partition("=")
    return name.strip() == "q" and not value.strip().strip("0.")

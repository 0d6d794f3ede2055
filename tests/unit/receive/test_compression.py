import contextlib
import gzip
import tracemalloc
import zlib

import cramjam
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from logstream.errors import DecodeError, LogStreamError, TooLarge, UnsupportedEncoding
from logstream.receive.compression import decompress

BODY = b'{"source":"checkout","message":"order 7 paid"}\n' * 2_000
LIMIT = 1_000_000


def raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


def streamed_zstd(data: bytes) -> bytes:
    compressor = zstandard.ZstdCompressor().compressobj()
    return compressor.compress(data) + compressor.flush()


def snappy_block(data: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(data))


def snappy_frames(data: bytes) -> bytes:
    return bytes(cramjam.snappy.compress(data))


# A frame of padding, and a chunk of a type that readers skip.
SKIPPED_FRAMES = b"\xfe\x02\x00\x00\x00\x00\x80\x01\x00\x00?"


def named_by_size(value: str | bytes) -> str:
    """A test's name: compressed bytes may hold the time of day."""
    return value if isinstance(value, str) else f"{len(value)} bytes"


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("", BODY),
        ("identity", BODY),
        ("gzip", gzip.compress(BODY)),
        ("GZIP", gzip.compress(BODY[:100]) + gzip.compress(BODY[100:])),
        ("x-gzip", gzip.compress(BODY) + b"\x00" * 8),
        ("deflate", zlib.compress(BODY)),
        ("deflate", raw_deflate(BODY)),
        ("zstd", streamed_zstd(BODY)),
        ("zstd", streamed_zstd(BODY[:100]) + streamed_zstd(BODY[100:])),
        ("snappy", snappy_block(BODY)),
        ("snappy", snappy_frames(BODY)),
        ("x-snappy-framed", snappy_frames(BODY[:100]) + SKIPPED_FRAMES + snappy_frames(BODY[100:])),
        ("gzip, identity", gzip.compress(BODY)),
        ("zstd, gzip", gzip.compress(streamed_zstd(BODY))),
    ],
    ids=named_by_size,
)
def test_every_encoding_is_undone(encoding: str, body: bytes) -> None:
    assert decompress(body, encoding, LIMIT) == BODY


@pytest.mark.parametrize(
    "body",
    [
        snappy_block(BODY)[:-3],
        snappy_block(BODY) + b"junk",
        snappy_frames(BODY)[:-3],
        snappy_frames(BODY)[:-1] + b"x",
        snappy_frames(BODY) + b"\x05\x01\x00\x00a",
        b"plain text",
        b"\xff" * 20,
        b"",
    ],
    ids=["cut", "more", "frames-cut", "frames-flipped", "unknown-frame", "text", "varint", "empty"],
)
def test_data_that_is_not_snappy_is_refused(body: bytes) -> None:
    with pytest.raises(DecodeError, match="snappy"):
        decompress(body, "snappy", LIMIT)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_data_that_ends_early_or_is_something_else_is_refused(encoding: str) -> None:
    whole = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": streamed_zstd}[encoding](BODY)
    for body in (whole[:-3], whole[: len(whole) // 2], b"plain text", whole + b"junk"):
        with pytest.raises(DecodeError, match=encoding):
            decompress(body, encoding, LIMIT)


@pytest.mark.parametrize(
    ("encoding", "bomb"),
    [
        ("gzip", gzip.compress(bytes(50_000_000))),
        ("deflate", zlib.compress(bytes(50_000_000))),
        ("zstd", zstandard.ZstdCompressor().compress(bytes(50_000_000))),
        ("snappy", snappy_block(bytes(50_000_000))),
        ("snappy", snappy_frames(bytes(50_000_000))),
        ("gzip, gzip", gzip.compress(gzip.compress(bytes(50_000_000)))),
    ],
    ids=named_by_size,
)
def test_a_bomb_never_takes_more_than_the_limit_and_a_chunk(encoding: str, bomb: bytes) -> None:
    tracemalloc.start()
    with pytest.raises(TooLarge):
        decompress(bomb, encoding, LIMIT)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # A zstd slice gives at most 8 MiB, and its buffer may double while it grows.
    assert peak < LIMIT + 17 * 1024 * 1024


def test_an_uncompressed_body_has_the_same_limit() -> None:
    with pytest.raises(TooLarge):
        decompress(bytes(LIMIT + 1), "", LIMIT)


def test_an_unknown_encoding_names_those_we_read() -> None:
    with pytest.raises(UnsupportedEncoding) as caught:
        decompress(b"", "br", LIMIT)
    assert caught.value.one_line() == (
        "Content-Encoding 'br' is not supported; use gzip, deflate, zstd, snappy or none"
    )


@given(st.binary(max_size=200), st.sampled_from(["gzip", "deflate", "zstd", "snappy"]))
def test_random_bytes_raise_only_our_own_errors(body: bytes, encoding: str) -> None:
    with contextlib.suppress(LogStreamError):
        decompress(body, encoding, LIMIT)

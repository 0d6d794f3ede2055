import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from logstream.import_logs.files import READ_ERRORS, is_binary, lines_of, open_source

TEXT = "".join(f"order {number} is paid, café {number * 7919}\n" for number in range(5_000))


def lines(path: Path) -> list[str]:
    source = open_source(path)
    try:
        return [line.text for line, _ in lines_of(source.content, 0)]
    finally:
        source.close()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_unicode_encoding_gives_the_same_lines(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "shop.log"
    path.write_bytes(TEXT.replace("\n", "\r\n").encode(encoding))
    assert lines(path) == TEXT.splitlines()
    assert not is_binary(path)


@pytest.mark.parametrize(
    "pack", [gzip.compress, bz2.compress, lzma.compress, zstandard.ZstdCompressor().compress]
)
def test_compressed_data_that_ends_early_is_never_taken_for_whole(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "shop.log"
    whole = pack(TEXT.encode())
    path.write_bytes(whole)
    assert lines(path) == TEXT.splitlines()
    for kept in (len(whole) // 2, len(whole) - 3):
        path.write_bytes(whole[:kept])
        with pytest.raises(READ_ERRORS):
            lines(path)


def test_frames_of_zstd_one_behind_the_other_are_one_file(tmp_path: Path) -> None:
    path = tmp_path / "shop.log.zst"
    pack = zstandard.ZstdCompressor().compress
    path.write_bytes(pack(b"first\n") + pack(b"second\n"))
    assert lines(path) == ["first", "second"]

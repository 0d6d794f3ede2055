"""The spool's disk is full: nothing half-written stays, and it works again when there is room."""

import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from logstream.errors import StoreUnavailable
from logstream.land.spool import Spool

DISK_BYTES = 256 * 1024


@dataclass
class SmallDisk:
    """A folder whose disk can be filled up, and freed again."""

    folder: Path
    fill: Callable[[], None]
    free: Callable[[], None]
    reason: str


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A file system of 256 KiB for who may mount one, else the kernel's limit on file sizes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none", str(folder)]
    is_mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True).returncode == 0
    if is_mounted:
        ballast = folder / "ballast"
        try:
            yield SmallDisk(
                folder, lambda: _fill(ballast), ballast.unlink, "No space left on device"
            )
        finally:
            subprocess.run(["umount", str(folder)], check=True)
        return
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        yield SmallDisk(
            folder,
            lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, before[1])),
            lambda: resource.setrlimit(resource.RLIMIT_FSIZE, before),
            "File too large",
        )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def _fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as stream:
        for piece in (4096, 512, 1):
            try:
                while stream.write(b"." * piece) == piece:
                    pass
            except OSError:
                continue


def test_a_full_disk_refuses_the_record_leaves_nothing_and_takes_the_next(
    small_disk: SmallDisk,
) -> None:
    spool = Spool(small_disk.folder / "spool", max_bytes=10**9, file_bytes=4_000)
    spool.append(b"before", lines=3)
    report = spool.report()
    small_disk.fill()
    for _ in range(3):
        with pytest.raises(StoreUnavailable, match=small_disk.reason):
            spool.append(b"x" * 50_000)
    assert spool.report() == report
    small_disk.free()
    spool.append(b"y" * 50_000)
    spool.append(b"in the next file")
    spool.close()
    again = Spool(small_disk.folder / "spool", max_bytes=10**9)
    assert again.report().lines == 5
    found = []
    while (record := again.oldest()) is not None:
        found.append(record)
        again.remove_oldest()
    assert found == [b"before", b"y" * 50_000, b"in the next file"]
    assert again.report().damaged_files == 0
    again.close()

"""The spool keeps what was appended, in order, through crashes and torn tails."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from logstream.errors import StoreUnavailable
from logstream.land.spool import Spool, SpoolReport, look


def drained(spool: Spool) -> list[bytes]:
    records = []
    while (record := spool.oldest()) is not None:
        records.append(record)
        spool.remove_oldest()
    return records


def test_records_come_out_in_the_order_they_went_in_over_many_files(tmp_path: Path) -> None:
    spool = Spool(tmp_path, max_bytes=10**6, file_bytes=100)
    records = [bytes([n]) * n for n in range(1, 60)]
    for record in records:
        spool.append(record)
    assert len(list(tmp_path.glob("*/*.spool"))) > 5
    assert drained(spool) == records
    assert spool.size_bytes == 0
    assert list(tmp_path.glob("*/*.spool")) == []
    spool.append(b"again")
    assert drained(spool) == [b"again"]
    spool.close()


def test_what_was_not_removed_is_there_after_a_restart(tmp_path: Path) -> None:
    spool = Spool(tmp_path, max_bytes=10**6, file_bytes=60)
    for n in range(4):
        spool.append(b"record %d" % n)  # 24 + 8 bytes: two in a file
    for _ in range(3):
        spool.remove_oldest()
    spool.close()
    # A file is read again from its start: its first record comes a second time.
    again = Spool(tmp_path, max_bytes=10**6)
    assert drained(again) == [b"record 2", b"record 3"]
    again.close()


def test_the_folder_of_an_ended_process_is_taken_over_and_that_of_a_living_one_is_not(
    tmp_path: Path,
) -> None:
    living = Spool(tmp_path, max_bytes=10**6)
    living.append(b"mine")
    other = Spool(tmp_path, max_bytes=10**6)
    assert other.oldest() is None
    other.append(b"left behind")
    other.close()
    third = Spool(tmp_path, max_bytes=10**6)
    assert drained(third) == [b"left behind"]
    assert drained(living) == [b"mine"]
    living.close()
    third.close()


@pytest.mark.parametrize("torn", [1, 4, 23, 24, 30])
def test_a_torn_tail_costs_only_the_record_that_was_never_confirmed(
    tmp_path: Path, torn: int
) -> None:
    spool = Spool(tmp_path, max_bytes=10**6)
    spool.append(b"first record")
    spool.append(b"second record")
    spool.close()
    [path] = tmp_path.glob("*/*.spool")
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:torn])  # a record of 24 + 12 bytes, cut off
    again = Spool(tmp_path, max_bytes=10**6)
    assert drained(again) == [b"first record", b"second record"]
    [damaged] = tmp_path.glob("*/*.damaged")
    assert damaged.stat().st_size == len(whole) + torn
    again.append(b"third")
    assert drained(again) == [b"third"]
    again.close()


def test_flipped_bits_are_noticed_and_the_file_is_kept_for_people(tmp_path: Path) -> None:
    spool = Spool(tmp_path, max_bytes=10**6)
    spool.append(b"good")
    spool.append(b"to be damaged")
    [path] = tmp_path.glob("*/*.spool")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert drained(spool) == [b"good"]
    assert list(tmp_path.glob("*/*.damaged"))
    spool.close()


def test_beyond_its_limit_a_record_is_refused_and_the_others_stay(tmp_path: Path) -> None:
    spool = Spool(tmp_path, max_bytes=110)
    spool.append(b"x" * 80)
    with pytest.raises(StoreUnavailable, match="limit is 110"):
        spool.append(b"x" * 80)
    assert drained(spool) == [b"x" * 80]
    spool.append(b"y" * 80)
    spool.close()


def test_records_after_rotten_bits_are_still_given_and_the_bytes_are_kept(tmp_path: Path) -> None:
    spool = Spool(tmp_path, max_bytes=10**6)
    for word in (b"first", b"second", b"third"):
        spool.append(word, lines=10)
    spool.close()
    [path] = tmp_path.glob("*/*.spool")
    content = bytearray(path.read_bytes())
    content[24 + 5 + 24] ^= 1  # in the second record's text
    path.write_bytes(content)
    again = Spool(tmp_path, max_bytes=10**6)
    assert drained(again) == [b"first", b"third"]
    report = again.report()
    assert (report.lines, report.bytes, report.damaged_files) == (0, 0, 1)
    [damaged] = tmp_path.glob("*/*.damaged")
    assert damaged.read_bytes() == content
    again.close()


def test_a_rotten_head_costs_one_record(tmp_path: Path) -> None:
    for rotten in (0, 5, 9, 13):  # mark, checksum, length, lines
        spool = Spool(tmp_path / str(rotten), max_bytes=10**6)
        spool.append(b"first")
        spool.append(b"second")
        spool.append(b"third")
        [path] = (tmp_path / str(rotten)).glob("*/*.spool")
        content = bytearray(path.read_bytes())
        content[24 + 5 + rotten] ^= 0x40
        path.write_bytes(content)
        assert drained(spool) == [b"first", b"third"]
        spool.close()


def test_lines_bytes_and_age_are_exact_across_a_restart(tmp_path: Path) -> None:
    spool = Spool(tmp_path, max_bytes=1000, file_bytes=60)
    assert spool.report() == SpoolReport(max_bytes=1000)
    before = time.time()
    for lines in (3, 1, 40, 2):
        spool.append(b"a group", lines)  # 24 + 7 bytes: two in a file
    for _ in range(2):
        spool.oldest()
        spool.remove_oldest()
    first = spool.report()
    assert (first.lines, first.bytes) == (42, 62)
    assert first.oldest_unix_seconds is not None
    assert before - 1 <= first.oldest_unix_seconds <= time.time()
    spool.close()
    assert look(tmp_path, 1000) == first
    again = Spool(tmp_path, max_bytes=1000)
    assert again.report() == first
    drained(again)
    assert again.report() == SpoolReport(max_bytes=1000)
    again.close()


def test_a_spool_that_is_nearly_full_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spool = Spool(tmp_path, max_bytes=1000)
    for _ in range(7):
        spool.append(b"x" * 76)  # 100 bytes with its head
    assert not spool.report().is_nearly_full
    for _ in range(3):
        spool.append(b"x" * 76)
    assert spool.report().is_nearly_full
    assert [record.message for record in caplog.records] == [
        "the spool is nearly full: 800 of 1000 bytes; beyond that lines are refused. Bring the "
        "database back or raise LOGSTREAM_SPOOL_MAX_BYTES"
    ]
    spool.close()


def test_the_system_refusing_bytes_leaves_nothing_and_ends_when_there_is_room(
    tmp_path: Path,
) -> None:
    """The kernel itself refuses to write beyond a size, so no write is pretended."""
    script = (
        "import resource, sys; from pathlib import Path\n"
        "from logstream.errors import StoreUnavailable; from logstream.land.spool import Spool\n"
        "spool = Spool(Path(sys.argv[1]), 10**9)\n"
        "spool.append(b'before')\n"
        "_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))\n"
        "try:\n"
        "    spool.append(b'x' * 5000)\n"
        "except StoreUnavailable as error:\n"
        "    print(error.message)\n"
        "spool.append(b'small enough')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))\n"
        "spool.append(b'y' * 5000)\n"
    )
    child = [sys.executable, "-c", script, str(tmp_path)]
    said = subprocess.run(child, check=True, capture_output=True, text=True).stdout
    assert said == "the spool cannot be written: File too large\n"
    spool = Spool(tmp_path, 10**9)
    assert drained(spool) == [b"before", b"small enough", b"y" * 5000]
    assert spool.report().damaged_files == 0
    spool.close()


def test_no_confirmed_record_is_lost_by_kill_9(tmp_path: Path) -> None:
    writes = (
        "import sys; from pathlib import Path; from logstream.land.spool import Spool\n"
        "spool = Spool(Path(sys.argv[1]), 10**9, file_bytes=5_000)\n"
        "for n in range(10**6):\n"
        "    spool.append(b'%d ' % n + b'x' * (n % 500))\n"
        "    print(n, flush=True)\n"
    )
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    after = random.Random(seed).randrange(50, 400)
    process = subprocess.Popen(
        [sys.executable, "-c", writes, str(tmp_path)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    confirmed = -1
    with process.stdout as output:
        for line in output:
            confirmed = int(line)
            if confirmed == after:
                process.send_signal(signal.SIGKILL)
    process.wait()
    spool = Spool(tmp_path, 10**9)
    numbers = [int(record.split()[0]) for record in drained(spool)]
    spool.close()
    assert numbers == list(range(len(numbers)))
    assert len(numbers) > confirmed >= after

"""Faults at random moments under load: all that was acknowledged is stored, each line once."""

import os
import random
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from scripts.soak.faults import FAULTS, hung, killed, no_growth, session_killed
from scripts.soak.load import Load
from scripts.soak.service import Service
from tests.faults.accounting import assert_all_accounted_for

pytestmark = pytest.mark.slow

MEBIBYTE = 1024 * 1024


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """An `up --no-dashboard` of this file's own, ready."""
    data_dir = tmp_path_factory.mktemp("up") / "data"
    running = Service(data_dir, LOGSTREAM_LAND_TIMEOUT_SECONDS="0.5")
    try:
        running.start()
        yield running
    finally:
        running.stop()


def test_processes_killed_at_random_moments_lose_and_double_nothing(
    service: Service, load: Callable[..., Load], sent: Path
) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    # As fast as it goes: something is always under way.
    sender = load(service.url, seed=seed, rate=100_000)
    victims = ["serve", "postgres", "worker", "serve", "postgres", "session"]
    chance.shuffle(victims)
    for victim in victims:
        sender.wait_for_more(chance.randrange(1, 20_000))
        fault = session_killed(service, chance) if victim == "session" else killed(service, victim)
        with fault as words:
            print(words)
    sender.wait_for_more(2_000)
    sender.stop()
    assert_all_accounted_for(service.database_url, sent)


def test_a_database_that_hangs_for_longer_than_lines_wait_loses_and_doubles_nothing(
    service: Service, load: Callable[..., Load], sent: Path
) -> None:
    sender = load(service.url, seed=2)
    sender.wait_for_more(3_000)
    with hung(service, "postgres"):
        # More than the connections can have under way: answered from the spool.
        sender.wait_for_more(8_000)
    sender.wait_for_more(3_000)
    sender.stop()
    assert assert_all_accounted_for(service.database_url, sent).spooled > 0


def test_a_sender_that_is_killed_leaves_each_line_once_or_not_at_all(
    service: Service, load: Callable[..., Load], sent: Path
) -> None:
    sender = load(service.url, seed=3, rate=100_000)
    for _ in range(3):
        sender.wait_for_more(1_000)
        sender.kill()
        sender = load(service.url, seed=4, rate=100_000)
    sender.wait_for_more(1_000)
    sender.stop()
    assert_all_accounted_for(service.database_url, sent)


@contextmanager
def small_disk(place: Path) -> Iterator[Path]:
    """A file system of 700 MB in memory, to be filled."""
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=700m", "tmpfs", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


@contextmanager
def filled(disk: Path) -> Iterator[str]:
    """Not a byte is free on that disk."""
    ballast = disk / "ballast"
    with ballast.open("wb") as stream:
        for step in (MEBIBYTE, 4096):
            with suppress(OSError):  # no space left on device
                while True:
                    os.posix_fallocate(stream.fileno(), stream.seek(0, os.SEEK_END), step)
    try:
        yield "fill the disk"
    finally:
        ballast.unlink()


def can_mount() -> bool:
    # A root without CAP_SYS_ADMIN, as in many containers, may not.
    probe = ["unshare", "--mount", "true"]
    return os.geteuid() == 0 and subprocess.run(probe, stderr=subprocess.DEVNULL).returncode == 0


def test_a_full_disk_loses_and_doubles_nothing_and_landing_goes_on_when_there_is_room(
    tmp_path: Path,
) -> None:
    with ExitStack() as stack:
        is_disk = can_mount()
        place = stack.enter_context(small_disk(tmp_path / "disk")) if is_disk else tmp_path
        service = Service(place / "data", LOGSTREAM_LAND_TIMEOUT_SECONDS="0.5")
        stack.callback(service.stop)
        service.start()
        sender = Load([service.url], tmp_path / "run.jsonl", seed=5, rate=10_000)
        stack.callback(sender.kill)

        def no_room() -> AbstractContextManager[str]:
            return filled(place) if is_disk else no_growth(service, 1 * MEBIBYTE)

        sender.wait_for_more(5_000)
        with no_room():
            time.sleep(3)
        service.wait_until_ready()
        sender.wait_for_more(5_000)
        sender.stop()
        assert_all_accounted_for(service.database_url, tmp_path)


def test_every_fault_of_the_soak_mends(
    service: Service, load: Callable[..., Load], sent: Path
) -> None:
    chance = random.Random(7)
    sender = load(service.url, seed=7)
    for fault in FAULTS:
        with fault(service, chance) as words:
            print(words)
            time.sleep(chance.uniform(0, 0.5))
    service.wait_until_ready()
    sender.wait_for_more(1_000)
    sender.stop()
    assert_all_accounted_for(service.database_url, sent)

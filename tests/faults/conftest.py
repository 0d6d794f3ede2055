"""Senders that write down what they sent: all of a file's tests share one account."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scripts.soak.load import Load


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the senders' logs."""
    return tmp_path_factory.mktemp("sent")


@pytest.fixture
def load(sent: Path) -> Iterator[Callable[..., Load]]:
    """Starts senders by URL and seed; all are ended with the test."""
    started: list[Load] = []

    def start(*urls: str, seed: int, rate: float = 5_000, twins: float = 0.05) -> Load:
        log = sent / f"run{len(list(sent.iterdir()))}.jsonl"
        log.touch()
        started.append(Load(list(urls), log, seed=seed, rate=rate, twins=twins))
        return started[-1]

    yield start
    for sender in started:
        sender.kill()

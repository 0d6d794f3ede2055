"""Vocabularies are read seldom, never twice at once, and anew when words are taught."""

import threading

import pytest

from logstream.errors import StoreUnavailable
from logstream.explain.ask.vocabularies import (
    FRESH_SECONDS,
    MOST_SCOPES,
    USABLE_SECONDS,
    Scope,
    Vocabularies,
)
from logstream.explain.ask.vocabulary import Vocabulary

EVERYTHING: Scope = (None, None)


class Store:
    """Counts how often a vocabulary is read, each time another; a clock to turn by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.reads: list[Scope] = []
        self.is_away = False
        self.was_read = threading.Event()
        self.vocabularies = Vocabularies(self._read, lambda: self.now)

    def _read(self, scope: Scope) -> Vocabulary:
        if self.is_away:
            self.was_read.set()
            raise StoreUnavailable("away")
        self.reads.append(scope)
        vocabulary = Vocabulary({"production": {f"service-{len(self.reads)}": 1}})
        self.was_read.set()
        return vocabulary

    def services(self, scope: Scope = EVERYTHING) -> list[str]:
        return list(self.vocabularies.of(scope).counts)

    def services_once_renewed(self) -> list[str]:
        """What is served after the renewal that is under way."""
        assert self.was_read.wait(5)
        for thread in threading.enumerate():
            if thread.name == "vocabulary":
                thread.join(5)
        return self.services()


@pytest.fixture
def store() -> Store:
    return Store()


def test_a_fresh_one_is_shared_and_scopes_are_apart(store: Store) -> None:
    assert store.services() == store.services() == ["service-1"]
    assert store.services(("staging", "staging")) == ["service-2"]
    assert len(store.reads) == 2


def test_an_older_one_is_served_while_it_is_read_anew(store: Store) -> None:
    store.services()
    store.was_read.clear()
    store.now = FRESH_SECONDS
    assert store.services() == ["service-1"]
    assert store.services_once_renewed() == ["service-2"]


def test_one_that_is_too_old_for_the_asker_is_waited_for(store: Store) -> None:
    store.services()
    store.now = 4.0
    assert list(store.vocabularies.of(EVERYTHING, 3.0).counts) == ["service-2"]
    store.now += USABLE_SECONDS
    assert store.services() == ["service-3"]


def test_while_the_store_is_away_the_old_one_serves(store: Store) -> None:
    store.services()
    store.was_read.clear()
    store.is_away = True
    store.now = FRESH_SECONDS
    assert store.services() == ["service-1"]
    assert store.services_once_renewed() == ["service-1"]
    store.now = USABLE_SECONDS
    with pytest.raises(StoreUnavailable):
        store.services()


def test_forgotten_ones_are_read_anew(store: Store) -> None:
    store.services()
    store.vocabularies.forget()
    assert store.services() == ["service-2"]


def test_many_who_ask_at_once_wait_for_one_reading() -> None:
    begun, go_on = threading.Event(), threading.Event()
    reads: list[Scope] = []

    def read(scope: Scope) -> Vocabulary:
        reads.append(scope)
        begun.set()
        assert go_on.wait(5)
        return Vocabulary()

    vocabularies = Vocabularies(read)
    threads = [threading.Thread(target=vocabularies.of, args=(EVERYTHING,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert begun.wait(5)
    go_on.set()
    for thread in threads:
        thread.join(5)
    assert len(reads) == 1


def test_no_more_scopes_are_kept_than_there_is_room_for(store: Store) -> None:
    for number in range(MOST_SCOPES + 1):
        store.now = number / 100
        store.services((f"env-{number}", None))
    store.services((f"env-{MOST_SCOPES}", None))
    assert len(store.reads) == MOST_SCOPES + 1
    store.services(("env-0", None))
    assert len(store.reads) == MOST_SCOPES + 2

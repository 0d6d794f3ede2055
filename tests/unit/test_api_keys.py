"""Keys: their form, what is stored of them, and that their secret part is not repeated."""

import re

from logstream.api_keys import make_key, prefix_of, without_keys
from logstream.passes import Passes

SECRET = "s" * 32


def test_a_key_opens_what_is_stored_of_it_and_no_other_does() -> None:
    key, stored = make_key("ingest", "prod")
    other, _ = make_key("ingest", "prod")
    assert re.fullmatch(r"ls_[0-9A-Za-z]{8}_[0-9A-Za-z]{33}", key)
    assert prefix_of(key) == stored.prefix
    assert key not in repr(stored)
    assert stored.is_opened_by(key)
    assert not stored.is_opened_by(other)
    assert not stored.is_opened_by(key[:-1])


def test_what_has_not_the_form_of_a_key_is_none() -> None:
    for text in ("", "ls_", "ls_abcdefgh", "ls_abcdefgh_short", f"ls_abcdefgh_{'ä' * 33}"):
        assert prefix_of(text) is None


def test_texts_lose_the_secret_part_of_keys() -> None:
    key, stored = make_key("read", None)
    assert without_keys(f"GET /{key}: no {key[:20]}") == (
        f"GET /{stored.prefix}_…: no {stored.prefix}_…"
    )


def test_a_pass_is_read_by_the_secret_that_signed_it_until_it_ends() -> None:
    passes = Passes(SECRET)
    found = passes.read(passes.issue("read", "dashboard", 60))
    assert found is not None
    assert (found.role, found.holder) == ("read", "dashboard")
    assert Passes("t" * 32).read(passes.issue("read", "dashboard", 60)) is None
    assert passes.read(passes.issue("read", "dashboard", -60)) is None
    assert passes.read("eyJhbGciOiJub25lIn0.e30.") is None
    assert passes.read("eyJ\x00ü") is None

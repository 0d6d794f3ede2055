"""Tokens: what a text that stands whole in a message has, the message has too."""

import random

from logstream.text_query import folded
from logstream.tokens import (
    BYTES_PER_POSITION,
    POSITIONS,
    POSITIONS_PER_CHUNK,
    chunk_and_offset,
    positions_of,
    set_bits,
    tokens_in,
    tokens_of,
)

PIECES = (
    "order", "17", "404", "user-17", "10.1.2.3", "1.2.3", "a3f9", "X7", "K4", "İ5k", "é8é", "99é",
    "ms", "5000", ".", "..", "-", "_", " ", "\n", "=", "/", "0", "9", "z", "Σ", "ς", "𝟙", "٣",
)  # fmt: skip


def is_in_token(character: str) -> bool:
    return folded(character).isascii() and character.isalnum()


def test_tokens_are_runs_with_digits_numbers_in_them_and_dotted_pairs() -> None:
    assert tokens_of("Order 1841 of user-17 took 5000ms") == {"1841", "5000ms", "5000"}
    assert tokens_of("from 10.1.2.3 with v12") == {"10.1", "1.2", "2.3", "v12"}
    assert tokens_of("A3F9-b2 17") == {"a3f9"}
    assert tokens_of("no digits, no tokens") == set()


def test_whatever_stands_whole_in_a_message_has_only_tokens_of_the_message() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    tried = 0
    for _ in range(3_000):
        message = "".join(chance.choices(PIECES, k=chance.randrange(1, 9)))
        start = chance.randrange(len(message) + 1)
        end = chance.randrange(start, len(message) + 1)
        needle = message[start:end]
        cuts = any(
            is_in_token(message[at - 1]) and is_in_token(message[at])
            for at in (start, end)
            if needle and 0 < at < len(message)
        )
        if not cuts:
            tried += 1
            assert tokens_of(needle) <= tokens_of(message), (needle, message)
            assert tokens_of(folded(needle)) == tokens_of(needle), needle
    assert tried > 500


def test_every_character_folds_as_search_folds_it() -> None:
    for code in range(0x80, 0x1_1000):
        character = chr(code)
        if not 0xD800 <= code < 0xE000:
            assert tokens_of(f"7{character}8 ") == tokens_of(f"7{folded(character)}8 "), hex(code)


def test_many_messages_at_once_have_the_tokens_of_each() -> None:
    messages = ["at 10.1.2.3", "4 lines", "user x93 gone", "5"]
    assert tokens_in("\n".join(messages).encode()) == {
        token.encode() for message in messages for token in tokens_of(message)
    }


def test_bits_are_set_where_a_lookup_looks() -> None:
    plane = bytearray(POSITIONS)
    tokens = [f"user{n}" for n in range(100)]
    set_bits(plane, [token.encode() for token in tokens], 4)
    assert all(plane[position] == 4 for token in tokens for position in positions_of(token))
    assert sum(map(bool, plane)) <= 400


def test_positions_are_the_same_for_ever() -> None:
    """They are on disk: a change makes every stored filter wrong."""
    assert positions_of("1841") == (246894, 127217, 109040, 221609)
    assert chunk_and_offset(POSITIONS_PER_CHUNK * 3 + 2) == (3, 2 * BYTES_PER_POSITION)

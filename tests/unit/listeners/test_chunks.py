"""GELF messages in pieces: whole, out of order, never completed, hostile."""

from hypothesis import given
from hypothesis import strategies as st

from ingest_service.listeners.chunks import MAX_MESSAGES, TIMEOUT_NANO, Chunks
from tests.records import NOON


def piece(number: int, count: int, data: bytes, message_id: bytes = b"12345678") -> bytes:
    return b"\x1e\x0f" + message_id + bytes((number, count)) + data


def test_pieces_in_any_order_give_the_message() -> None:
    dropped: list[int] = []
    chunks = Chunks(dropped.append)
    assert chunks.add(piece(1, 3, b"lo "), "10.0.0.1", NOON) is None
    assert chunks.add(piece(2, 3, b"world"), "10.0.0.1", NOON) is None
    assert chunks.add(piece(2, 3, b"again"), "10.0.0.1", NOON) is None
    assert chunks.add(piece(0, 3, b"other"), "10.0.0.2", NOON) is None
    assert chunks.add(piece(0, 3, b"hel"), "10.0.0.1", NOON) == b"hello world"
    assert chunks.add(b"{}", "10.0.0.1", NOON) == b"{}"
    assert dropped == []


def test_a_message_that_is_not_whole_in_time_is_given_up_and_counted() -> None:
    dropped: list[int] = []
    chunks = Chunks(dropped.append)
    chunks.add(piece(0, 3, b"a"), "10.0.0.1", NOON)
    chunks.add(piece(1, 3, b"b"), "10.0.0.1", NOON)
    assert chunks.add(piece(2, 3, b"c"), "10.0.0.1", NOON + TIMEOUT_NANO) is None
    assert dropped == [2]


def test_more_messages_than_are_held_push_out_the_oldest() -> None:
    dropped: list[int] = []
    chunks = Chunks(dropped.append)
    for number in range(MAX_MESSAGES + 5):
        chunks.add(piece(0, 2, b"x", number.to_bytes(8, "big")), "10.0.0.1", NOON)
    assert dropped == [1] * 5


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_any_datagrams_are_harmless(datagrams: list[bytes]) -> None:
    chunks = Chunks(lambda _pieces: None)
    for datagram in datagrams:
        chunks.add(b"\x1e\x0f" + datagram, "10.0.0.1", NOON)

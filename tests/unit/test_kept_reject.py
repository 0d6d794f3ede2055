"""Refused bytes as people can read them, and how many are kept."""

import base64

from hypothesis import given
from hypothesis import strategies as st

from logstream.kept_reject import readable
from logstream.land.kept_rejects import MAX_REJECTS_KEPT, RejectBudget
from logstream.model import Reject


def test_text_stays_text_and_bad_bytes_are_escaped() -> None:
    assert readable("zwölf\tPakete\n".encode()) == ("utf-8", "zwölf\tPakete\n")
    text = b'{"message": "12 parcels for caf\xe9 and \x00"}'
    assert readable(text) == ("escaped", '{"message": "12 parcels for caf\\xe9 and \\x00"}')


def test_binary_is_base64() -> None:
    packed = bytes([10, 3, 0, 255, 1, 2, 254, 8])
    assert readable(packed) == ("base64", base64.b64encode(packed).decode())


@given(st.binary())
def test_any_bytes_are_readable(raw: bytes) -> None:
    encoding, text = readable(raw)
    assert text.encode().decode() == text
    if encoding == "utf-8":
        assert text.encode() == raw
    if encoding == "base64":
        assert base64.b64decode(text) == raw


def test_a_minute_keeps_so_many_bytes_and_the_next_starts_anew() -> None:
    now = [0.0]
    budget = RejectBudget(max_bytes=1_000, clock=lambda: now[0])
    # 100 bytes and "bad" and 200 for the row: three fit into 1,000.
    rejects = [Reject(index, "bad", b"x" * 100) for index in range(5)]
    assert [reject.index for reject in budget.kept(rejects)] == [0, 1, 2]
    assert budget.kept(rejects) == []
    now[0] = 60.0
    assert len(budget.kept(rejects)) == 3


def test_one_request_keeps_a_hundred() -> None:
    rejects = [Reject(index, "bad") for index in range(150)]
    assert len(RejectBudget().kept(rejects)) == MAX_REJECTS_KEPT == 100

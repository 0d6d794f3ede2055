"""Messages cut out of TCP streams, however the bytes arrive."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_service.listeners.framing import Framer, GelfFramer, SyslogFramer

TRACE = b"<11>failed\nTraceback (most recent call last):\n  File\nKeyError: 1"


def counted(message: bytes) -> bytes:
    return b"%d %s" % (len(message), message)


def fed(framer: Framer, stream: bytes, step: int = 10_000) -> list[bytes]:
    messages: list[bytes] = []
    for start in range(0, len(stream), step):
        messages += framer.feed(stream[start : start + step])
    return messages


@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_counts_and_line_breaks_are_told_apart_for_each_message(step: int) -> None:
    stream = counted(b"<14>one\ntwo") + b"<14>three\n" + counted(b"<14>four") + b"\n<14>five\r\n"
    framer = SyslogFramer(1_000)
    assert fed(framer, stream, step) == [b"<14>one\ntwo", b"<14>three", b"<14>four", b"<14>five"]
    assert framer.unfinished_bytes == 0


def test_a_lone_line_does_not_wait_for_the_next() -> None:
    assert SyslogFramer(1_000).feed(b"<14>alone\n") == [b"<14>alone"]
    assert SyslogFramer(1_000).feed(b"no priority\n") == [b"no priority"]


def test_a_stack_trace_is_one_message_whether_nul_or_a_line_break_ends_it() -> None:
    assert SyslogFramer(1_000).feed(TRACE + b"\n<14>next\n") == [TRACE, b"<14>next"]
    framer = SyslogFramer(1_000)
    assert framer.feed(b"<14>first\x00") == [b"<14>first"]
    assert fed(framer, TRACE + b"\x00<14>next\x00", step=3) == [TRACE, b"<14>next"]


def test_lines_without_a_priority_are_messages_each() -> None:
    assert SyslogFramer(1_000).feed(b"one\ntwo\n404 not found\n") == [
        b"one",
        b"two",
        b"404 not found",
    ]


def test_messages_that_nothing_ends_are_told_apart_by_their_headers() -> None:
    framer = SyslogFramer(1_000)
    assert framer.feed(b"<14>Mar  1 12:00:00 web1 a: one<14>Mar  1 12:00:01 web1 a: two") == []
    assert framer.finish() == [
        b"<14>Mar  1 12:00:00 web1 a: one",
        b"<14>Mar  1 12:00:01 web1 a: two",
    ]
    assert framer.unfinished_bytes == 0


def test_a_message_over_the_limit_becomes_several() -> None:
    assert SyslogFramer(10).feed(b"<14>" + b"x" * 16 + b"\n") == [b"<14>" + b"x" * 6, b"x" * 10]
    assert SyslogFramer(10).feed(counted(b"<14>" + b"x" * 14)) == [b"<14>" + b"x" * 6, b"x" * 8]
    assert fed(GelfFramer(10), b"x" * 25, 5) == [b"x" * 10, b"x" * 10]


@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_gelf_messages_end_with_nul_or_a_line_break(step: int) -> None:
    assert fed(GelfFramer(1_000), b'{"a":1}\n{"b":2}\n', step) == [b'{"a":1}', b'{"b":2}']
    framer = GelfFramer(1_000)
    assert framer.feed(b'{"a":1}\x00') == [b'{"a":1}']
    assert fed(framer, b'{\n"b":2}\x00{"c"', step) == [b'{\n"b":2}']
    assert framer.finish() == [b'{"c"']


@given(st.lists(st.binary(max_size=60), max_size=8), st.integers(5, 100))
def test_no_byte_of_a_stream_is_lost(pieces: list[bytes], limit: int) -> None:
    for framer in (SyslogFramer(limit), GelfFramer(limit)):
        messages = [message for piece in pieces for message in framer.feed(piece)]
        messages += framer.finish()
        letters = b"".join(messages)
        stream = b"".join(pieces)
        assert all(len(message) <= max(limit, 60 + limit) for message in messages)
        # Counts and what stands between messages are taken away, nothing else is.
        for letter in range(ord("A"), ord("z")):
            assert letters.count(letter) == stream.count(letter)

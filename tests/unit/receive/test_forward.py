"""Fluentd's Forward protocol in all its modes, and the MessagePack stream below it."""

import gzip
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logstream.errors import DecodeError
from logstream.ports import Arrival
from logstream.receive.forward import Forwarded, decode, read_message
from logstream.receive.message_pack import Splitter, Unreadable, with_binary_texts
from logstream.receive.native_values import Defaults
from tests.records import NOON

pack = msgspec.msgpack.encode
SECONDS = NOON // 10**9 - 60
EVENT_TIME = msgspec.msgpack.Ext(0, SECONDS.to_bytes(4, "big") + (123_456_789).to_bytes(4, "big"))
RECORD = {"level": "ERROR", "message": "checkout failed ü", "order": 42}
ENTRY = pack([EVENT_TIME, RECORD])


def read(message: object) -> Forwarded:
    raw = message if isinstance(message, bytes) else pack(message)
    return read_message(raw, Defaults(NOON, "production", "UTC"), 1_000_000, 100_000)


@pytest.mark.parametrize(
    ("message", "count", "chunk"),
    [
        (["app.pay", SECONDS, RECORD], 1, None),
        (["app.pay", EVENT_TIME, RECORD, {"chunk": "c1"}], 1, "c1"),
        (["app.pay", [EVENT_TIME, {"source": "tail"}], RECORD], 1, None),
        (["app.pay", [[EVENT_TIME, RECORD], [SECONDS, RECORD]], {"chunk": "c2"}], 2, "c2"),
        (["app.pay", [[[EVENT_TIME, {}], RECORD]]], 1, None),
        (["app.pay", ENTRY * 3, {"size": 3, "chunk": "c3"}], 3, "c3"),
        (["app.pay", gzip.compress(ENTRY * 3), {"compressed": "gzip", "chunk": "c4"}], 3, "c4"),
    ],
)
def test_every_mode_gives_its_records_and_its_chunk(
    message: object, count: int, chunk: str | None
) -> None:
    outcome = read(message)
    assert outcome.chunk == chunk
    assert not outcome.decoded.rejects
    assert len(outcome.decoded.records) == count
    for record in outcome.decoded.records:
        assert (record.body, record.severity_number) == ("checkout failed ü", 17)
        assert record.service_name == "app.pay"
        attributes = json.loads(record.attributes)
        assert (attributes["order"], attributes["fluent.tag"]) == (42, "app.pay")


def test_an_event_time_keeps_its_nanoseconds() -> None:
    (record,) = read(["app.pay", EVENT_TIME, "a text"]).decoded.records
    assert record.timestamp_unix_nano == SECONDS * 10**9 + 123_456_789
    assert record.body == "a text"


def test_text_that_is_not_utf_8_is_kept() -> None:
    message = pack(["app", SECONDS, {"message": "caf?", "level": "warn"}]).replace(
        b"caf?", b"caf\xe9"
    )
    (record,) = read(message).decoded.records
    assert (record.body, record.severity_number) == ("caf\ufffd", 13)
    packed = pack([SECONDS, {"message": "caf?"}]).replace(b"caf?", b"caf\xe9")
    (record,) = read(["app", packed, {}]).decoded.records
    assert record.body == "caf\ufffd"


def test_a_bad_entry_does_not_cost_its_neighbours() -> None:
    decoded = read(["app", [[SECONDS, RECORD], 3, [SECONDS, RECORD]], {}]).decoded
    assert (len(decoded.records), [reject.index for reject in decoded.rejects]) == (2, [1])
    decoded = read(["app", ENTRY + pack(3) + ENTRY + b"\xc1", {}]).decoded
    assert (len(decoded.records), [reject.index for reject in decoded.rejects]) == (2, [1, 3])


@pytest.mark.parametrize(
    "message", [[1, 2], {"a": 1}, ["tag"], ["tag", 5], b"\xc0", [["t"], 1, {}]]
)
def test_what_is_no_message_is_a_reject(message: object) -> None:
    outcome = read(message)
    assert len(outcome.decoded.rejects) == 1
    assert not outcome.decoded.records


def test_a_chunk_that_cannot_be_read_is_still_acknowledged() -> None:
    outcome = read(["app", b"no gzip", {"compressed": "gzip", "chunk": "c5"}])
    assert (outcome.chunk, len(outcome.decoded.rejects)) == ("c5", 1)


def test_a_body_of_messages_is_decoded() -> None:
    body = pack(["app", SECONDS, RECORD]) * 2
    assert len(decode(Arrival(body, NOON, "production")).records) == 2
    for bad in (body[:-1], b"\xc1"):
        with pytest.raises(DecodeError):
            decode(Arrival(bad, NOON, "production"))


_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=40)
    | st.binary(max_size=300)
    | st.builds(msgspec.msgpack.Ext, st.integers(0, 127), st.binary(max_size=40)),
    lambda inner: (
        st.lists(inner, max_size=20) | st.dictionaries(st.text(max_size=5), inner, max_size=20)
    ),
    max_leaves=20,
)


@given(st.lists(_values, min_size=1, max_size=4), st.integers(1, 50))
def test_a_stream_is_cut_where_its_values_end(values: list[object], step: int) -> None:
    pieces = [pack(value) for value in values]
    stream = b"".join(pieces)
    splitter = Splitter(1_000_000)
    found = [
        piece
        for start in range(0, len(stream), step)
        for piece in splitter.feed(stream[start : start + step])
    ]
    assert found == pieces
    assert splitter.unfinished_bytes == 0


@given(_values)
def test_texts_become_binaries_and_nothing_else_changes(value: object) -> None:
    def expected(value: object) -> object:
        if isinstance(value, str):
            return value.encode()
        if isinstance(value, list):
            return [expected(item) for item in value]
        if isinstance(value, dict):
            return {expected(key): expected(item) for key, item in value.items()}
        return value

    assert msgspec.msgpack.decode(with_binary_texts(pack(value))) == expected(value)


@pytest.mark.parametrize("start", [b"\xdd\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\xc1"])
def test_a_value_larger_than_allowed_ends_the_stream(start: bytes) -> None:
    with pytest.raises(Unreadable):
        list(Splitter(1_000).feed(start))


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(message: bytes) -> None:
    outcome = read(message)
    assert outcome.decoded.records or outcome.decoded.rejects or outcome.decoded.records == []


@given(_values, _values, _values)
def test_any_message_is_read_or_refused(second: object, third: object, fourth: object) -> None:
    for record in read(["tag", second, third, fourth]).decoded.records:
        assert "\x00" not in record.body
        record.body.encode()
        json.loads(record.attributes)

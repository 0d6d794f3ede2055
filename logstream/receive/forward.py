"""Fluentd's Forward protocol: what Fluentd, Fluent Bit and fluent-logger send over TCP.

One message is a MessagePack array: `[tag, time, record, option]`, `[tag, entries, option]`, or
with the entries packed into one (perhaps gzipped) binary.
"""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from logstream.errors import DecodeError, LogStreamError
from logstream.model import NANOS_PER_SECOND, Decoded, LogRecord, Origins, Reject
from logstream.ports import Arrival
from logstream.receive.compression import decompress
from logstream.receive.json_text import clean_json, clean_text
from logstream.receive.message_pack import (
    Splitter,
    Unreadable,
    array_head_bytes,
    array_length,
    with_binary_texts,
)
from logstream.receive.native_values import MAX_NAME_CHARS, Defaults, Refused
from logstream.receive.object_record import Given, record_of_object, record_of_text
from logstream.receive.record_limit import check_count
from logstream.receive.timestamps import NotATime, parse_timestamp

MAX_REJECT_BYTES = 8192
# A list of up to so many elements may be a time with its metadata.
_LONGEST_MOMENT = 2
_LEAST_LIMIT_BYTES = 1024 * 1024
_ORIGINS: Origins = {"timestamp": "the entry's time"}
_EVENT_TIME = 0
_REMEDY = "send Message, Forward or PackedForward mode of the Forward protocol"
_encode = msgspec.json.encode


class Forwarded(NamedTuple):
    """One message: its records and rejects, and the chunk to acknowledge, if it names one."""

    decoded: Decoded
    chunk: str | None


def decode(arrival: Arrival) -> Decoded:
    """The records of a body of messages, one after the other. Raises DecodeError."""
    defaults = Defaults(
        arrival.received_unix_nano, arrival.default_environment, arrival.naive_timezone
    )
    splitter = Splitter(max(1, len(arrival.body)))
    records: list[LogRecord] = []
    rejects: list[Reject] = []
    all_origins: list[Origins] = []
    try:
        for message in splitter.feed(arrival.body):
            decoded = read_message(
                message,
                defaults,
                max(_LEAST_LIMIT_BYTES, len(arrival.body)),
                arrival.max_records,
                arrival.wants_origins,
            ).decoded
            check_count(
                len(records) + len(rejects) + len(decoded.records) + len(decoded.rejects),
                arrival.max_records,
            )
            records += decoded.records
            rejects += decoded.rejects
            all_origins += decoded.origins
    except Unreadable as error:
        raise DecodeError(f"the body is not MessagePack: {error}", _REMEDY) from None
    if splitter.unfinished_bytes:
        raise DecodeError("the body ends inside of a message", _REMEDY)
    return Decoded(records, rejects, origins=all_origins)


def read_message(
    message: bytes,
    defaults: Defaults,
    limit_bytes: int,
    max_records: int,
    wants_origins: bool = False,
) -> Forwarded:
    """What one whole message holds; one that is no message of the protocol is a Reject.

    Of one with more than `max_records` entries the rest is one Reject: the protocol has no word
    for a message that is too large, and its sender would send it forever.
    """
    chunk = None
    try:
        if not 2 <= array_length(message) <= 4:
            raise Refused(f"the message is no array of 2 to 4 elements; {_REMEDY}")
        if len(message) > max_records:  # before each entry takes an object
            message = _with_entries_packed(message)
        parts = _unpacked(message)
        tag = parts[0]
        if not isinstance(tag, str):
            raise Refused(f"its tag is no text; {_REMEDY}")
        second = parts[1]
        is_message_mode = not isinstance(second, list | bytes | str) or (
            len(parts) > 2 and _is_record(parts[2]) and _is_time(second)
        )
        position = 3 if is_message_mode else 2
        option = parts[position] if len(parts) > position else None
        option = option if isinstance(option, dict) else {}
        # Also a chunk that cannot be read is acknowledged: sent again it would be no better.
        chunk = _chunk_of(option)
        if is_message_mode:
            if len(parts) < 3:
                raise Refused(f"the message has a time but no record; {_REMEDY}")
            entries: Iterator[Any] = iter([[second, parts[2]]])
        elif isinstance(second, list):
            entries = iter(second)
        else:
            packed = second.encode() if isinstance(second, str) else second
            if option.get("compressed") == "gzip":
                packed = decompress(packed, "gzip", limit_bytes)
            entries = _packed_entries(packed)
        return Forwarded(_read_entries(entries, tag, defaults, max_records, wants_origins), chunk)
    except (Refused, Unreadable, msgspec.DecodeError) as error:
        reason = str(error)
    except LogStreamError as error:
        reason = error.one_line()
    except RecursionError:
        reason = "it is nested too deep; flatten it"
    return Forwarded(Decoded([], [Reject(0, reason, message[:MAX_REJECT_BYTES])]), chunk)


def _chunk_of(option: dict[Any, Any]) -> str | None:
    chunk = option.get("chunk")
    if isinstance(chunk, bytes):
        chunk = chunk.decode("utf-8", "replace")
    return chunk if isinstance(chunk, str) and chunk else None


def _read_entries(
    entries: Iterator[Any], tag: str, defaults: Defaults, most: int, wants_origins: bool
) -> Decoded:
    tag = clean_text(tag)
    service = tag if 0 < len(tag) <= MAX_NAME_CHARS else None
    records: list[LogRecord] = []
    rejects: list[Reject] = []
    all_origins: list[Origins] = []
    index = -1
    while True:
        index += 1
        try:
            entry = next(entries, None)
        except Unreadable as error:
            # What follows a broken entry cannot be found any more.
            rejects.append(Reject(index, f"it is not MessagePack: {error}; {_REMEDY}"))
            break
        if entry is None:
            break
        if index == most:
            rejects.append(
                Reject(
                    index,
                    f"the message holds more than {most} entries; set chunk_limit_records at the "
                    "sender or raise LOGSTREAM_MAX_RECORDS",
                )
            )
            break
        try:
            unpacked = _unpacked(entry) if isinstance(entry, bytes) else entry
            origins: Origins | None = {} if wants_origins else None
            records.append(_record(unpacked, tag, service, defaults, origins))
            if origins is not None:
                all_origins.append(origins)
        except (Refused, Unreadable, ValueError, RecursionError) as error:
            raw = entry if isinstance(entry, bytes) else _shown(entry)
            rejects.append(Reject(index, str(error), raw[:MAX_REJECT_BYTES]))
    return Decoded(records, rejects, origins=all_origins)


def _shown(entry: Any) -> bytes:
    try:
        return repr(entry).encode("utf-8", "replace")
    except RecursionError:
        return b""


def _record(
    entry: Any, tag: str, service: str | None, defaults: Defaults, origins: Origins | None
) -> LogRecord:
    if not isinstance(entry, list) or len(entry) < 2:
        raise Refused("the entry is no array of a time and a record; send [time, record]")
    time, record = entry[0], entry[1]
    attributes: dict[str, Any] = {"fluent.tag": tag}
    if isinstance(time, list):  # Fluent Bit: [[time, metadata], record]
        if len(time) > 1 and time[1]:
            attributes["fluent.metadata"] = _as_json(time[1])
        time = time[0] if time else None
    timestamp = _unix_nano(time)
    if timestamp is None and time is not None:
        attributes["fluent.time"] = _as_json(time)
    given = Given(
        timestamp_unix_nano=timestamp,
        attributes=attributes,
        fallback_service=service,
        origins={} if timestamp is None else _ORIGINS,
    )
    if isinstance(record, dict):
        raw = clean_json(_encode(_as_json(record)))
        outcome = record_of_object(raw, defaults, given, origins)
    else:
        text = record if isinstance(record, str) else _encode(_as_json(record)).decode()
        outcome = record_of_text(text, defaults, given, origins)
    if origins is not None and outcome.service_name == service:
        origins["service_name"] = "the tag"
    return outcome


def _with_entries_packed(message: bytes) -> bytes:
    """The message with a long list of entries packed into one binary, to be read one by one."""
    parts: list[Any] = msgspec.msgpack.decode(message, type=list[msgspec.Raw])
    entries = bytes(parts[1])
    if array_length(entries) <= _LONGEST_MOMENT:
        return message
    parts[1] = entries[array_head_bytes(entries) :]
    return msgspec.msgpack.encode(parts)


def _packed_entries(packed: bytes) -> Iterator[bytes]:
    splitter = Splitter(max(1, len(packed)))
    yield from splitter.feed(packed)
    if splitter.unfinished_bytes:
        raise Unreadable("it ends inside of an entry")


def _unpacked(raw: bytes) -> Any:
    try:
        return msgspec.msgpack.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, TypeError):
        pass
    try:
        # Fluentd and Fluent Bit send bytes that are not UTF-8 as text.
        return _texts_of(msgspec.msgpack.decode(with_binary_texts(raw)))
    except (msgspec.DecodeError, TypeError) as error:
        raise Unreadable(str(error)) from None


def _texts_of(value: Any) -> Any:
    """The value with binaries as text, except for one that packs entries."""
    if isinstance(value, list):
        packed = value[1] if len(value) > 1 and isinstance(value[1], bytes) else None
        texts = [_text_of(item) for item in value]
        if packed is not None and isinstance(texts[0], str):
            texts[1] = packed
        return texts
    return _text_of(value)


def _text_of(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, list):
        return [_text_of(item) for item in value]
    if isinstance(value, dict):
        return {_text_of(key): _text_of(item) for key, item in value.items()}
    return value


def _as_json(value: Any) -> Any:
    """The value as JSON can hold it: texts for binaries, and for numbers that are none."""
    if isinstance(value, dict):
        return {_key(key): _as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, msgspec.msgpack.Ext):
        moment = _unix_nano(value)
        return moment if moment is not None else bytes(value.data).hex()
    return value


def _key(key: Any) -> str:
    if isinstance(key, str):
        return key
    return key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key)


def _is_record(value: Any) -> bool:
    return isinstance(value, dict | str)


def _is_time(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and isinstance(value[1], dict)


def _unix_nano(time: Any) -> int | None:
    """The moment of an EventTime (seconds and nanoseconds), or of a number of seconds."""
    if isinstance(time, msgspec.msgpack.Ext):
        data = bytes(time.data)
        if time.code != _EVENT_TIME or len(data) != 8:
            return None
        seconds, nanos = int.from_bytes(data[:4], "big"), int.from_bytes(data[4:], "big")
        return seconds * NANOS_PER_SECOND + nanos if nanos < NANOS_PER_SECOND else None
    if isinstance(time, bool) or not isinstance(time, int | float) or not time:
        return None
    try:
        return parse_timestamp(time)
    except NotATime:
        return None

"""Loki's push API: streams of lines, as protobuf or JSON.

What a stream's labels say is worked out once and remembered. A line without structured
metadata whose level is in the labels, as most are, costs no call but `_Reader.add`.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from logstream.errors import DecodeError
from logstream.model import NANOS_PER_SECOND, Decoded, LogRecord, Origins, Reject
from logstream.ports import Arrival
from logstream.receive import compression
from logstream.receive.json_text import clean_json, clean_text, is_deeper_than, without_depths
from logstream.receive.loki_labels import Envelope, envelope_of, parse_labels
from logstream.receive.loki_proto import NotProtobuf, read_push
from logstream.receive.native_values import Defaults, Refused, decode_members, members_of, value_of
from logstream.receive.object_record import UNKNOWN_SERVICE, Given, record_of_text
from logstream.receive.record_limit import (
    check_count,
    check_messages,
    check_values,
    may_hold_many,
)
from logstream.receive.timestamps import END_SECOND, FIRST_SECOND, NotATime, parse_timestamp

MAX_REJECT_BYTES = 8192
_BOM = b"\xef\xbb\xbf"
_JSON_STARTS = (b"{", b" ", b"\n", b"\r", b"\t", _BOM)
_REMEDY = 'send {"streams": [{"stream": {labels}, "values": [["<ns>", "<line>"]]}]}'
_NANOS_DIGITS = 19
# Field numbers from a push to its streams and their entries.
_ENTRIES_PATH = (1, 2)
_MAX_REMEMBERED, _MAX_REMEMBERED_BYTES = 2_048, 2_048
# The labels of a stream as they were sent, to what they say.
_remembered: dict[bytes, Envelope] = {}


class _Value(msgspec.Struct, array_like=True, gc=False):
    """One line: [time, text] or [time, text, structured metadata]."""

    time: str | int
    line: str
    metadata: dict[str, str] | None = None


class _Stream(msgspec.Struct, gc=False):
    stream: msgspec.Raw
    values: list[_Value]


class _Push(msgspec.Struct, gc=False):
    streams: list[msgspec.Raw]


_decode_push = msgspec.json.Decoder(_Push).decode
_decode_stream = msgspec.json.Decoder(_Stream).decode
_decode_labels = msgspec.json.Decoder(dict[str, str]).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


def decompress(body: bytes, content_encoding: str, limit_bytes: int) -> bytes:
    """The body, with the Snappy block undone that Loki's protobuf is in without saying so."""
    body = compression.decompress(body, content_encoding, limit_bytes)
    size = compression.snappy_size(body)
    if size < 0 or body.startswith(_BOM):
        return body
    try:
        return compression.snappy_block(body, limit_bytes)
    except DecodeError:
        return body  # JSON, or protobuf as it is: what begins a block can begin them too


def decode(arrival: Arrival) -> Decoded:
    """The lines in the body's order; an index counts them over all streams.

    Reads the JSON of today, the JSON of before version 1 (`labels`, `entries`) and protobuf,
    told apart by how the body begins. Raises DecodeError when it is none of them.
    """
    body = arrival.body
    reader = _Reader(arrival)
    is_json = "json" in arrival.content_type or body.startswith(_JSON_STARTS[0])
    if not is_json or body[:1] == b"\n":
        try:
            return reader.read_protobuf(body)
        except NotProtobuf as error:
            if not body.startswith(_JSON_STARTS):
                raise DecodeError(
                    f"the body is no Snappy-compressed PushRequest: {error}",
                    "send protobuf as Loki's clients do, or JSON as application/json",
                ) from None
    return reader.read_json(clean_json(body.removeprefix(_BOM).strip()))


class _Reader:
    """Collects the records of one body."""

    def __init__(self, arrival: Arrival) -> None:
        self._defaults = Defaults(
            arrival.received_unix_nano, arrival.default_environment, arrival.naive_timezone
        )
        self._wants_origins = arrival.wants_origins
        self._decoded = Decoded([], [], [], [])
        self._most = arrival.max_records
        self._count = 0

    def read_protobuf(self, body: bytes) -> Decoded:
        """All lines of a PushRequest. Raises NotProtobuf."""
        received = self._defaults.received_unix_nano
        check_messages(body, _ENTRIES_PATH, self._most)
        streams = read_push(body).streams
        check_count(sum(len(stream.entries) for stream in streams), self._most)
        for stream in streams:
            labels = stream.labels
            try:
                envelope = _remember(labels, _proto_labels)
            except Refused as refused:
                for entry in stream.entries:
                    self._refuse(str(refused), entry.line)
                continue
            for entry in stream.entries:
                moment = entry.timestamp
                seconds, nanos = moment.seconds, moment.nanos
                if not FIRST_SECOND <= seconds < END_SECOND:
                    self._refuse(
                        f"timestamp {seconds} s is outside the years 1 to 9999; "
                        "send seconds and nanos since 1970",
                        entry.line,
                    )
                    continue
                raw = entry.metadata
                metadata = {_text(pair.name): _text(pair.value) for pair in raw} if raw else None
                # A timestamp nobody set reads as zero.
                time = seconds * NANOS_PER_SECOND + nanos or received
                self._add(envelope, time, _text(entry.line), metadata)
        return self._decoded

    def read_json(self, body: bytes) -> Decoded:
        """All lines of a JSON body. Raises DecodeError."""
        for raw in _streams_of(body, self._most):
            try:
                stream = _decode_stream(raw)
                envelope = _remember(bytes(stream.stream), _decode_labels)
            except (msgspec.DecodeError, RecursionError):
                self._read_unusual(bytes(raw))
                continue
            check_count(self._count + len(stream.values), self._most)
            for value in stream.values:
                time = value.time
                if type(time) is str and len(time) == _NANOS_DIGITS and time.isdecimal():
                    self._add(envelope, int(time), value.line, value.metadata)
                else:
                    self._add_at(time, envelope, value.line, value.metadata)
        return self._decoded

    def _read_unusual(self, raw: bytes) -> None:
        """A stream of JSON that is not quite as documented, line by line."""
        try:
            members = members_of(raw)
            values = bytes(members.get("values") or members.get("entries") or b"[]")
            check_values(values, self._most)
            lines = _decode_list(values)
            check_count(self._count + len(lines), self._most)
            if "stream" in members:
                envelope = envelope_of(_plain(members_of(bytes(members["stream"]))))
            else:
                envelope = envelope_of(parse_labels(str(value_of(members["labels"]))))
        except (Refused, ValueError, KeyError, RecursionError):
            self._refuse(f"the stream is not as Loki's; {_REMEDY}", raw)
            return
        for line in lines:
            try:
                time, text, metadata = _parts_of(bytes(line))
            except (Refused, ValueError, RecursionError) as error:
                self._refuse(str(error), bytes(line))
                continue
            self._add_at(time, envelope, text, metadata)

    def _add_at(
        self, time: Any, envelope: Envelope, line: str, metadata: Mapping[str, Any] | None
    ) -> None:
        """A line at a time in any spelling; a number is told apart by its size."""
        try:
            if isinstance(time, bool) or not isinstance(time, str | int | float):
                raise NotATime("it is neither text nor a number")
            moment = parse_timestamp(time, self._defaults.naive_timezone)
        except NotATime as error:
            shown = clean_text(str(time)[:80])
            self._refuse(
                f"time '{shown}' cannot be read: {error}; send nanoseconds since 1970 as text",
                line.encode(),
            )
            return
        self._add(envelope, moment, line, metadata)

    def _add(
        self, envelope: Envelope, moment: int, line: str, metadata: Mapping[str, Any] | None
    ) -> None:
        if not metadata and line[-1:] == "}" and envelope.severity:
            metadata = _meta_of_winston(line, envelope.severity)
        if metadata:
            envelope = envelope_of(metadata, "structured metadata", envelope)
        if envelope.severity_number and _is_plain(line) and not self._wants_origins:
            defaults = self._defaults
            self._decoded.records.append(
                LogRecord(
                    timestamp_unix_nano=moment,
                    observed_unix_nano=defaults.received_unix_nano,
                    environment=envelope.environment or defaults.environment,
                    service_name=envelope.service_name
                    or envelope.fallback_service
                    or UNKNOWN_SERVICE,
                    severity_number=envelope.severity_number,
                    severity_text=envelope.severity_text,
                    body=line,
                    trace_id=envelope.trace_id,
                    span_id=envelope.span_id,
                    attributes=envelope.attributes,
                )
            )
            self._count += 1
            return
        origins: Origins | None = {} if self._wants_origins else None
        try:
            record = record_of_text(line, self._defaults, _given(envelope, moment), origins)
        except (Refused, ValueError, RecursionError) as error:
            self._refuse(str(error), line.encode())
            return
        self._decoded.records.append(record)
        if origins is not None:
            self._decoded.origins.append(origins)
        self._count += 1

    def _refuse(self, error: str, raw: bytes) -> None:
        index = self._count
        self._count += 1
        self._decoded.rejects.append(
            Reject(index, f"line {index}: {error}", raw[:MAX_REJECT_BYTES])
        )


def _is_plain(line: str) -> bool:
    """False for what may be a logger's JSON object or logfmt."""
    first = line[:1]
    return first != "{" and not first.isspace() and "=" not in line[: line.find(" ")]


def _meta_of_winston(line: str, level: str) -> dict[str, Any] | None:
    """The object that winston-loki writes after the message; it repeats the stream's level."""
    start = line.find(' {"')
    if start < 0:
        return None
    raw = clean_json(line[start + 1 :].encode())  # its escapes were not looked into yet
    try:
        meta = None if is_deeper_than(raw) else _plain(decode_members(raw))
    except msgspec.DecodeError:
        return None
    return meta if meta is not None and meta.get("level") == level else None


def _given(envelope: Envelope, moment: int) -> Given:
    return Given(
        timestamp_unix_nano=moment,
        severity=envelope.severity,
        service_name=envelope.service_name,
        environment=envelope.environment,
        trace_id=envelope.trace_id,
        span_id=envelope.span_id,
        attributes=envelope.rest,
        fallback_service=envelope.fallback_service,
        origins={"timestamp": "the line's time", **envelope.origins},
    )


def _remember(raw: bytes, parse: Callable[[bytes], Mapping[str, str]]) -> Envelope:
    """What a stream's labels say, worked out once for each spelling of them."""
    envelope = _remembered.get(raw)
    if envelope is None:
        envelope = envelope_of(parse(raw))
        if len(raw) <= _MAX_REMEMBERED_BYTES:
            if len(_remembered) >= _MAX_REMEMBERED:
                _remembered.clear()
            _remembered[raw] = envelope
    return envelope


def _proto_labels(raw: bytes) -> dict[str, str]:
    return parse_labels(raw.decode("utf-8", "replace"))


def _streams_of(body: bytes, most: int) -> list[msgspec.Raw]:
    """The JSON text of each stream. Raises DecodeError."""
    try:
        if not may_hold_many(body):
            return _decode_push(body).streams
    except RecursionError:
        body = without_depths(body)
    except msgspec.DecodeError:
        pass
    try:
        streams = bytes(members_of(body)["streams"])
        check_values(streams, most)
        return _decode_list(streams)
    except KeyError:
        error = "'streams' is missing"
    except Refused:
        error = "it is no object"
    except ValueError as malformed:
        error = str(malformed)
    except RecursionError:
        error = "it is nested too deep"
    raise DecodeError(f"the body is not a push of Loki's: {error}", _REMEDY)


def _parts_of(line: bytes) -> tuple[Any, str, Mapping[str, Any] | None]:
    """(time, text, structured metadata) of a line in JSON. Raises Refused, ValueError."""
    metadata: msgspec.Raw | None = None
    if line[:1] == b"{":
        members = members_of(line)
        parts = [members.get("ts"), members.get("line")]
        metadata = members.get("structuredMetadata")
    else:
        elements = _decode_list(line)
        parts = [*elements[:2], None, None][:2]
        metadata = elements[2] if len(elements) > 2 else None
    time, text = (None if part is None else value_of(part) for part in parts)
    if not isinstance(text, str):
        raise Refused(f"the line is not text; {_REMEDY}")
    if metadata is None or bytes(metadata) == b"null":
        return time, text, None
    return time, text, _plain(members_of(bytes(metadata)))


def _plain(members: Mapping[str, msgspec.Raw]) -> dict[str, Any]:
    """Texts as text; any other value as its JSON, to be kept as it is."""
    return {name: value_of(raw) if bytes(raw)[:1] == b'"' else raw for name, raw in members.items()}


def _text(raw: bytes) -> str:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("utf-8", "replace")
    return text.replace("\x00", "\ufffd") if "\x00" in text else text

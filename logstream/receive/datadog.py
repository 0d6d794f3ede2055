"""Datadog's log intake: entries with reserved names, in JSON or as lines of text.

An entry says beside its message which service, host, source and tags it is of; the query may
say so for all. The message of an entry is often a logger's own JSON object: that is read too.
"""

from typing import Any

import msgspec

from logstream.errors import DecodeError
from logstream.model import Decoded, LogRecord, Origins
from logstream.ports import Arrival
from logstream.receive.json_bodies import BOM, EDGES, pieces_of
from logstream.receive.json_text import clean_json, clean_text
from logstream.receive.native_values import Refused, free_name, id_text, members_of, normal_id
from logstream.receive.object_record import Given, record_of_object
from logstream.receive.piecewise import (
    defaults_of,
    name_of,
    parameter_of,
    read_pieces,
)
from logstream.receive.raw_members import Members, moment_of, object_of, text_of
from logstream.receive.record_limit import check_lines

_REMEDY = 'send [{"message": …}]'
# What the query may say of every entry that does not say it itself.
_PARAMETERS = ("service", "hostname", "ddsource", "ddtags")
_TIMES = ("timestamp", "date")
# Names by which a message that is an object tells its own time.
_TIMES_INSIDE = ("timestamp", "@timestamp", "time", "ts", "date", "datetime", "createdAt", "t")
_ERROR_NAMES = (
    ("stack", "exception.stacktrace"),
    ("kind", "exception.type"),
    ("message", "exception.message"),
)


def decode(arrival: Arrival) -> Decoded:
    """Records and rejects of a body; an index counts its entries. Raises DecodeError."""
    reader = _Reader(arrival)
    body = arrival.body.removeprefix(BOM)
    if arrival.content_type == "text/plain":
        check_lines(body, arrival.max_records)
        text = clean_text(body.decode("utf-8", "replace"))
        lines = [line.rstrip("\r") for line in text.split("\n") if line.strip()]
        return read_pieces([line.encode() for line in lines], reader.read_line, "entry")
    body = clean_json(body.strip(EDGES))
    if not body:
        raise DecodeError("the body is empty", _REMEDY)
    return read_pieces(pieces_of(body, arrival.max_records), reader.read, "entry")


class _Reader:
    """Reads the entries of one body."""

    def __init__(self, arrival: Arrival) -> None:
        self._defaults = defaults_of(arrival)
        self._wants_origins = arrival.wants_origins
        self._said: dict[str, msgspec.Raw] = {}
        for name in _PARAMETERS:
            value = parameter_of(arrival, name)
            if value:
                self._said[name] = msgspec.Raw(msgspec.json.encode(value))
        # The first versions of the intake call the host so.
        host = parameter_of(arrival, "host")
        if host and "hostname" not in self._said:
            self._said["hostname"] = msgspec.Raw(msgspec.json.encode(host))

    def read_line(self, piece: bytes, decoded: Decoded) -> None:
        """A line of text; one that is an object is an entry."""
        if piece[:1] == b"{":
            try:
                self.read(piece, decoded)
            except (Refused, ValueError, msgspec.DecodeError):
                pass
            else:
                return
        self._add({"message": msgspec.Raw(msgspec.json.encode(piece.decode()))}, decoded)

    def read(self, piece: bytes, decoded: Decoded) -> None:
        """An entry, or a text that is its message."""
        if piece[:1] == b'"':
            self._add({"message": msgspec.Raw(piece)}, decoded)
            return
        if piece[:1] != b"{":
            raise Refused(f"it is no object; {_REMEDY}")
        self._add(members_of(piece), decoded)

    def _add(self, entry: Members, decoded: Decoded) -> None:
        origins: Origins | None = {} if self._wants_origins else None
        decoded.records.append(self._record(entry, origins))
        if origins is not None:
            decoded.origins.append(origins)

    def _record(self, entry: Members, origins: Origins | None) -> LogRecord:
        where = {name: "query parameter " for name in self._said if name not in entry}
        for name in where:
            entry[name] = self._said[name]
        found: Origins = {}

        def take(members: Members, name: str, field: str, prefix: str = "") -> str | None:
            text = name_of(text_of(members.get(name)))
            if text:
                del members[name]
                found[field] = f"{prefix or where.get(name, '')}{name}"
            return text

        correlation = _correlation(entry)
        extra: dict[str, Any] = {}
        tags = _tags(text_of(entry.get("ddtags")))
        service = take(entry, "service", "service_name") or take(
            correlation, "service", "service_name", "dd."
        )
        if service is None and (service := tags.get("service")):
            found["service_name"] = "tag service"
        environment = tags.get("env")
        if environment:
            found["environment"] = "tag env"
        else:
            environment = take(correlation, "env", "environment", "dd.")
        version = take(correlation, "version", "version", "dd.") or tags.get("version")
        found.pop("version", None)
        if version:
            extra["service.version"] = version
        host = take(entry, "hostname", "host")
        found.pop("host", None)
        if host:
            extra["host.name"] = host
        trace_id = _id(correlation, "trace_id", found)
        span_id = _id(correlation, "span_id", found)
        for name, value in correlation.items():
            entry[free_name(f"dd.{name}", entry)] = value
        _take_error(entry, extra)
        return self._read_message(
            entry,
            Given(
                environment=environment,
                trace_id=trace_id,
                span_id=span_id,
                attributes=extra,
                fallback_service=service,
                origins=found,
            ),
            origins,
        )

    def _read_message(self, entry: Members, given: Given, origins: Origins | None) -> LogRecord:
        message = text_of(entry.get("message"))
        inner = _object_in(entry.get("message"))
        status = text_of(entry.pop("status", None))
        found = {**given.origins}
        if status:
            found["severity_number"] = "status"
        timestamp = None
        if inner is None or not any(name in inner for name in _TIMES_INSIDE):
            for name in _TIMES:
                timestamp = moment_of(entry.get(name), self._defaults.naive_timezone)
                if timestamp is not None:
                    del entry[name]
                    found["timestamp"] = name
                    break
        given = msgspec.structs.replace(given, timestamp_unix_nano=timestamp, origins=found)
        if inner is None and message is not None:
            given = msgspec.structs.replace(given, severity=status or None)
            # What is neither reserved nor its message may still hold a level or a trace id.
            content = msgspec.json.encode(entry)
            return record_of_object(content, self._defaults, given, origins)
        entry.pop("message", None)
        # The service and level a logger writes of itself go before the shipper's.
        given = msgspec.structs.replace(
            given,
            fallback_severity=status or None,
            attributes=_without_null(entry) | dict(given.attributes),
        )
        if inner is not None:
            return record_of_object(msgspec.json.encode(inner), self._defaults, given, origins)
        return record_of_object(b"{}", self._defaults, given, origins)


def _correlation(entry: Members) -> Members:
    """The members of `dd`, and those called `dd.NAME`, taken out."""
    found = object_of(entry.get("dd"))
    if found is None:
        found = {}
    else:
        del entry["dd"]
    for name in [name for name in entry if name.startswith("dd.")]:
        found[name[3:]] = entry.pop(name)
    return found


def _tags(text: str | None) -> dict[str, str]:
    """What the tags `env`, `version` and `service` say; the first of each counts."""
    found: dict[str, str] = {}
    if not text:
        return found
    for tag in text.split(","):
        name, _, value = tag.partition(":")
        name, value = name.strip(), value.strip()
        if name in ("env", "version", "service") and name not in found and name_of(value):
            found[name] = value
    return found


def _id(correlation: Members, name: str, origins: Origins) -> str | None:
    """An id as it is sent: Datadog's own are decimal, of 64 bits. Zero means that there is none."""
    text = id_text(text_of(correlation.get(name)))
    if not text or not text.strip("0"):
        return None
    del correlation[name]
    origins[name] = f"dd.{name}"
    return normal_id(text)


def _take_error(entry: Members, extra: dict[str, Any]) -> None:
    """`error.stack`, `.kind` and `.message`, nested or not, under OpenTelemetry's names."""
    nested = object_of(entry.get("error"))
    for name, ours in _ERROR_NAMES:
        if f"error.{name}" in entry:
            extra[ours] = entry.pop(f"error.{name}")
        elif nested is not None and name in nested:
            extra[ours] = nested.pop(name)
    if nested is not None:
        if nested:
            entry["error"] = msgspec.Raw(msgspec.json.encode(nested))
        else:
            del entry["error"]


def _object_in(message: msgspec.Raw | None) -> Members | None:
    """The object that a message is, or that its text is; None for any other message."""
    if message is None:
        return None
    text = bytes(message)
    if text[:1] == b'"':
        text = (text_of(message) or "").strip().encode()
    if text[:1] != b"{" or text[-1:] != b"}":
        return None
    try:
        return msgspec.json.decode(clean_json(text), type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, RecursionError):
        return None


def _without_null(members: Members) -> dict[str, Any]:
    return {name: value for name, value in members.items() if bytes(value) != b"null"}

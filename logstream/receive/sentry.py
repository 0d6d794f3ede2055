"""Sentry's envelopes: events and logs as records, transactions as spans.

An envelope is a line of headers, then items: a line of headers each (with the length of what
follows, or it is one line). Sessions, client reports, attachments, profiles, replays and
check-ins are neither lines nor spans: they are taken and not kept.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from logstream.errors import DecodeError
from logstream.model import Decoded, LogRecord, Origins, Reject, Span
from logstream.ports import Arrival
from logstream.receive.json_bodies import MAX_REJECT_BYTES
from logstream.receive.json_text import (
    MAX_DEPTH,
    clean_json,
    clean_text,
    is_deeper_than,
    merged,
    without_depths,
)
from logstream.receive.native_values import (
    INFO,
    Refused,
    free_name,
    id_text,
    members_of,
    normal_id,
    value_of,
)
from logstream.receive.object_record import UNKNOWN_SERVICE
from logstream.receive.piecewise import defaults_of, name_of
from logstream.receive.raw_members import (
    Members,
    first_name,
    list_of,
    moment_of,
    nanos_between,
    object_of,
    objects_of,
    text_of,
)
from logstream.receive.record_limit import check_count
from logstream.receive.severity import otel_severity_number, own_word, severity_number
from logstream.receive.stack_trace import printed

_REMEDY = "send a Sentry envelope: a line of headers, then items"
_PROJECT = re.compile(r"/api/([^/]+)/")
_SERVICE_NAMES = ("service.name", "service", "service_name")
_TIMES = ("timestamp", "start_timestamp")
_KINDS = (
    ("http.server", "server"),
    ("websocket.server", "server"),
    ("rpc.server", "server"),
    ("grpc.server", "server"),
    ("http.client", "client"),
    ("rpc", "client"),
    ("grpc", "client"),
    ("db", "client"),
    ("cache", "client"),
    ("queue.publish", "producer"),
    ("queue.submit", "producer"),
    ("queue", "consumer"),
)
_DIRECT_CAUSE = "\n\nThe above exception was the direct cause of the following exception:\n\n"


def decode(arrival: Arrival) -> Decoded:
    """Records, spans and rejects of an envelope, or of one event under /store.

    The index of a reject counts events, logs and spans. Raises DecodeError.
    """
    reader = _Reader(arrival)
    if arrival.path.rstrip("/").endswith("/store"):
        body = arrival.body.strip()
        if body[:1] != b"{":
            raise DecodeError("the body is not a JSON object", "send one Sentry event")
        reader.read("event", body)
        return reader.decoded
    head, _, rest = arrival.body.partition(b"\n")
    headers_of(head)
    for kind, payload in _items(rest, reader):
        reader.read(kind, payload)
    return reader.decoded


def headers_of(line: bytes) -> Members:
    """The headers in the first line of an envelope. Raises DecodeError."""
    try:
        return members_of(clean_json(line.strip()))
    except (Refused, ValueError, msgspec.DecodeError, RecursionError):
        raise DecodeError("the body's first line is no JSON object", _REMEDY) from None


def _items(rest: bytes, reader: "_Reader") -> Iterator[tuple[str, bytes]]:
    """(type, payload) of each item; the rest is refused where an item's headers are broken."""
    start = 0
    while start < len(rest):
        end = rest.find(b"\n", start)
        line = rest[start : len(rest) if end < 0 else end].strip()
        start = len(rest) if end < 0 else end + 1
        if not line:
            continue
        try:
            headers = headers_of(line)
        except DecodeError:
            reader.refuse("its item has no headers; send them in a line before it", line)
            return
        length = value_of(headers["length"]) if "length" in headers else None
        if type(length) is int and length >= 0:
            end = start + length
        else:
            end = rest.find(b"\n", start)
            end = len(rest) if end < 0 else end
        yield text_of(headers.get("type")) or "", rest[start:end]
        start = end


class _Reader:
    """Reads the items of one envelope into what they make."""

    def __init__(self, arrival: Arrival) -> None:
        self.decoded = Decoded([])
        self._defaults = defaults_of(arrival)
        self._wants_origins = arrival.wants_origins
        self._most = arrival.max_records
        self._count = 0
        project = _PROJECT.match(arrival.path)
        name = name_of(clean_text(project[1])) if project else None
        self._project_service = name_of(f"sentry-project-{name}") if name else None

    def read(self, kind: str, payload: bytes) -> None:
        """One item; a kind that is neither a log line nor a span is passed over."""
        if kind not in ("event", "transaction", "log"):
            return
        content = clean_json(payload.strip())
        if kind != "log":
            self._one(kind, content)
            return
        try:
            try:
                logs = _logs_of(content, self._most)
            except RecursionError:
                logs = _logs_of(without_depths(content), self._most)
        except (Refused, ValueError, DecodeError, msgspec.DecodeError):
            self.refuse('its item is not valid JSON; send {"items": […]}', content)
            return
        check_count(self._count + len(logs), self._most)
        for log in logs:
            self._one("log", bytes(log))

    def refuse(self, error: str, raw: bytes) -> None:
        """Count a record that cannot be read."""
        self.decoded.rejects.append(
            Reject(self._count, f"record {self._count}: {error}", raw[:MAX_REJECT_BYTES])
        )
        self._count += 1

    def _one(self, kind: str, content: bytes) -> None:
        check_count(self._count + 1, self._most)
        try:
            if is_deeper_than(content):
                raise RecursionError
            members = members_of(content)
            if kind == "transaction":
                self._transaction(members)
                return
            origins: Origins = {}
            make = self._log if kind == "log" else self._event
            self.decoded.records.append(make(members, origins))
            if self._wants_origins:
                self.decoded.origins.append(origins)
            self._count += 1
        except Refused as refused:
            self.refuse(str(refused), content)
        except (ValueError, msgspec.DecodeError) as malformed:
            self.refuse(f"it is not valid JSON ({malformed}); send a JSON object", content)
        except RecursionError:
            self.refuse(f"it is nested deeper than {MAX_DEPTH} levels; flatten it", content)

    def _event(self, event: Members, origins: Origins) -> LogRecord:
        extra: dict[str, Any] = {}
        timestamp = self._time(event, "timestamp", origins)
        # Sentry's own default is error.
        number, word = _severity(text_of(event.pop("level", None)) or "error")
        origins["severity_number"] = "level"
        exception = _exception_of(event, extra)
        body = _message_of(event, origins)
        if body is None:
            origins["body"] = "exception" if exception else "there is no message"
            body = exception
        trace = object_of((object_of(event.get("contexts")) or {}).get("trace")) or {}
        service = self._service(event, origins)
        self._names_of(event, extra)
        return LogRecord(
            timestamp_unix_nano=timestamp,
            observed_unix_nano=self._defaults.received_unix_nano,
            environment=self._environment(event, "environment", origins),
            service_name=service,
            severity_number=number,
            severity_text=word,
            body=body,
            trace_id=_id(trace, "trace_id", "contexts.trace.trace_id", origins),
            span_id=_id(trace, "span_id", "contexts.trace.span_id", origins),
            attributes=_attributes(event, extra),
        )

    def _log(self, log: Members, origins: Origins) -> LogRecord:
        attributes: Members = {}
        for name, value in (object_of(log.pop("attributes", None)) or {}).items():
            typed = object_of(value)
            attributes[name] = value if typed is None else typed.get("value", value)
        timestamp = self._time(log, "timestamp", origins)
        raw_level = text_of(log.pop("level", None))
        number, word = _severity(raw_level or "info")
        origins["severity_number"] = "level"
        for members, name in ((log, "severity_number"), (attributes, "sentry.severity_number")):
            exact = otel_severity_number(value_of(members[name])) if name in members else None
            if exact is not None:
                number, origins["severity_number"] = exact, name
                word = own_word(raw_level, number) if raw_level else None
                break
        body = text_of(log.pop("body", None)) or ""
        origins["body"] = "body"
        trace_id = _id(log, "trace_id", "trace_id", origins)
        span_id = _id(log, "span_id", "span_id", origins)
        if span_id is None and "sentry.trace.parent_span_id" in attributes:
            parent = {"span_id": attributes["sentry.trace.parent_span_id"]}
            span_id = _id(parent, "span_id", "attribute sentry.trace.parent_span_id", origins)
        extra: dict[str, Any] = {}
        for name, ours in (("sentry.release", "service.version"), ("server.address", "host.name")):
            if name in attributes:
                extra[ours] = attributes[name]
        service = first_name(attributes, _SERVICE_NAMES)
        if service is not None:
            origins["service_name"] = f"attribute {service[0]}"
        log.pop("severity_number", None)
        for name, taken in (("trace_id", trace_id), ("span_id", span_id)):
            if taken is not None:  # one that is too long for its field stays readable
                log.pop(name, None)
        for name, value in log.items():
            attributes[free_name(name, attributes)] = value
        return LogRecord(
            timestamp_unix_nano=timestamp,
            observed_unix_nano=self._defaults.received_unix_nano,
            environment=self._environment(attributes, "sentry.environment", origins),
            service_name=(
                service[1]
                if service
                else self._release_or_project(attributes, "sentry.release", origins)
            ),
            severity_number=number,
            severity_text=word,
            body=body,
            trace_id=trace_id,
            span_id=span_id,
            attributes=_attributes(attributes, extra),
        )

    def _transaction(self, event: Members) -> None:
        """The root span and those within it; each without ids is refused alone."""
        origins: Origins = {}
        contexts = object_of(event.get("contexts")) or {}
        trace = object_of(contexts.pop("trace", None)) or {}
        children = objects_of(event.pop("spans", None))
        event["contexts"] = msgspec.Raw(msgspec.json.encode(contexts))
        root: Members = {**trace, **{k: event.pop(k) for k in _TIMES if k in event}}
        if "transaction" in event:
            root["description"] = event.pop("transaction")
        extra: dict[str, Any] = {}
        environment = self._environment(event, "environment", origins)
        service = self._service(event, origins)
        self._names_of(event, extra)
        extra |= {
            name: value
            for name, value in event.items()
            if name != "type" and bytes(value) not in (b"null", b"{}", b"[]", b'""')
        }
        root_trace = root.get("trace_id")
        for span, more in ((root, extra), *((child, {}) for child in children)):
            if "trace_id" not in span and root_trace is not None:
                span["trace_id"] = root_trace
            own_origins = dict(origins)
            try:
                made = self._span(span, service, environment, more, own_origins)
            except Refused as refused:
                self.refuse(str(refused), msgspec.json.encode(span))
                continue
            self._count += 1
            self.decoded.spans.append(made)
            if self._wants_origins:
                self.decoded.span_origins.append(own_origins)

    def _span(
        self,
        span: Members,
        service: str,
        environment: str,
        extra: dict[str, Any],
        origins: Origins,
    ) -> Span:
        trace_id = _id(span, "trace_id", "trace_id", origins)
        span_id = _id(span, "span_id", "span_id", origins)
        if trace_id is None or span_id is None:
            raise Refused("its span has no trace_id or no span_id; send both")
        parent = {"parent_span_id": span.get("parent_span_id") or msgspec.Raw(b"null")}
        parent_id = _id(parent, "parent_span_id", "parent_span_id", origins)
        start = self._time(span, "start_timestamp", origins, "start_unix_nano")
        end = moment_of(span.pop("timestamp", None), self._defaults.naive_timezone)
        origins["duration_nano"] = "timestamp - start_timestamp"
        operation = text_of(span.pop("op", None)) or ""
        name = text_of(span.pop("description", None)) or operation or "unknown"
        word = text_of(span.pop("status", None))
        for taken in ("trace_id", "span_id"):
            span.pop(taken, None)
        if parent_id is not None:
            span.pop("parent_span_id", None)
        attributes = object_of(span.pop("data", None)) or {}
        for key, value in span.items():
            if bytes(value) not in (b"null", b"{}"):
                attributes[free_name(key, attributes)] = value
        if operation:
            extra = {"sentry.op": operation, **extra}
        return Span(
            trace_id=trace_id,
            span_id=span_id,
            parent_span_id=parent_id,
            environment=environment,
            service_name=service,
            name=name,
            kind=next(
                (kind for prefix, kind in _KINDS if operation.startswith(prefix)), "internal"
            ),
            status="ok" if word == "ok" else "unset" if not word else "error",
            status_message=None if not word or word == "ok" else word,
            start_unix_nano=start,
            duration_nano=0 if end is None else nanos_between(start, end),
            observed_unix_nano=self._defaults.received_unix_nano,
            attributes=_attributes(attributes, extra),
        )

    def _time(self, members: Members, name: str, origins: Origins, field: str = "timestamp") -> int:
        nanos = moment_of(members.get(name), self._defaults.naive_timezone)
        if nanos is None:
            origins[field] = "time of receipt"
            return self._defaults.received_unix_nano
        origins[field] = name
        del members[name]
        return nanos

    def _environment(self, members: Members, name: str, origins: Origins) -> str:
        found = first_name(members, (name, "deployment.environment.name"))
        if found is None:
            return self._defaults.environment
        origins["environment"] = found[0]
        return found[1]

    def _service(self, event: Members, origins: Origins) -> str:
        """A tag, OpenTelemetry's resource, the app's name, else what release and project say."""
        contexts = object_of(event.get("contexts")) or {}
        resource = object_of((object_of(contexts.get("otel")) or {}).get("resource")) or {}
        for where, members, names in (
            ("tag", _tags_of(event.get("tags")), _SERVICE_NAMES),
            ("contexts.otel.resource", resource, _SERVICE_NAMES),
            ("contexts.app", object_of(contexts.get("app")) or {}, ("app_name",)),
        ):
            found = first_name(members, names)
            if found is not None:
                origins["service_name"] = f"{where} {found[0]}"
                return found[1]
        return self._release_or_project(event, "release", origins)

    def _release_or_project(self, members: Members, name: str, origins: Origins) -> str:
        """The package of a release (checkout@1.4.2), else the project's number."""
        package, at, _ = (text_of(members.get(name)) or "").rpartition("@")
        if at and (service := name_of(package)):
            origins["service_name"] = name
            return service
        if self._project_service is None:
            return UNKNOWN_SERVICE
        origins["service_name"] = "the project in the path"
        return self._project_service

    def _names_of(self, event: Members, extra: dict[str, Any]) -> None:
        """Our names for what an event says of its release and host."""
        for name, ours in (("release", "service.version"), ("server_name", "host.name")):
            if text_of(event.get(name)):
                extra[ours] = event.pop(name)


def _logs_of(content: bytes, most: int) -> list[msgspec.Raw]:
    members = object_of(msgspec.Raw(content))
    if members is None:
        return list_of(msgspec.Raw(content), most)
    # Before logs were batched an item was one log.
    return list_of(members["items"], most) if "items" in members else [msgspec.Raw(content)]


def _severity(word: str) -> tuple[int, str | None]:
    number = severity_number(word)
    return (INFO, word) if number is None else (number, own_word(word, number))


def _id(members: Members, name: str, origin: str, origins: Origins) -> str | None:
    raw = members.get(name)
    text = None if raw is None else id_text(value_of(raw))
    if not text:
        return None
    origins[name] = origin
    return normal_id(text)


def _tags_of(value: msgspec.Raw | None) -> Members:
    """Tags are an object, or pairs in an array."""
    found = object_of(value)
    if found is None:
        found = {}
        for pair in list_of(value):
            parts = list_of(pair)
            if len(parts) == 2:
                found[text_of(parts[0]) or ""] = parts[1]
    return found


def _message_of(event: Members, origins: Origins) -> str | None:
    """The text of the message, filled in where the client did; its parts stay attributes."""
    for name in ("logentry", "message"):
        raw = event.get(name)
        entry = object_of(raw)
        if entry is None:
            text = text_of(raw) if name == "message" else None
            if text:
                del event[name]
        else:
            text = text_of(entry.get("formatted")) or text_of(entry.get("message"))
        if text:
            origins["body"] = name
            return text
    return None


def _exception_of(event: Members, extra: dict[str, Any]) -> str:
    """What the newest exception says; type, message and trace go to `extra`.

    Values begin with the cause, frames with the oldest call. They stay attributes too: only
    they hold variables and source.
    """
    exception = event.get("exception")
    values = objects_of((object_of(exception) or {}).get("values", exception))
    if not values:
        return ""
    platform = text_of(event.get("platform")) or ""
    traces = []
    for value in values:
        frames = objects_of((object_of(value.get("stacktrace")) or {}).get("frames"))
        kind, message = text_of(value.get("type")) or "", text_of(value.get("value")) or ""
        readable = [{name: value_of(raw) for name, raw in frame.items()} for frame in frames]
        traces.append(printed(kind, message, readable, platform))
    newest = values[-1]
    kind, message = text_of(newest.get("type")) or "", text_of(newest.get("value")) or ""
    extra["exception.type"] = kind
    extra["exception.message"] = message
    extra["exception.stacktrace"] = (
        _DIRECT_CAUSE.join(traces)
        if platform == "python"
        else "\nCaused by: ".join(reversed(traces))
    )
    return f"{kind}: {message}" if kind and message else kind or message


def _attributes(members: Members, extra: dict[str, Any]) -> bytes:
    found: dict[str, Any] = {k: v for k, v in members.items() if bytes(v) != b"null"}
    return merged(b"{}", found | {free_name(name, found): extra[name] for name in extra})

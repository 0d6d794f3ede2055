"""Syslog messages as they come over the network: RFC 5424, RFC 3164, and what calls itself so.

Whatever arrives is kept: a message that follows no form is the body of its record.
"""

import re
from typing import Any

import msgspec

from logstream.errors import DecodeError
from logstream.model import Decoded, LogRecord, Origins, Reject
from logstream.ports import Arrival
from logstream.receive.json_text import clean_json, clean_text
from logstream.receive.native_values import INFO, MAX_NAME_CHARS, Defaults, Refused, normal_id
from logstream.receive.object_record import (
    UNKNOWN_SERVICE,
    Given,
    record_of_object,
    record_of_text,
)
from logstream.receive.severity import SYSLOG_SEVERITIES, own_word, severity_number
from logstream.receive.text_shapes.header import Header
from logstream.receive.text_shapes.syslog import syslog_5424_header, syslog_header
from logstream.receive.text_shapes.times import Times

# RFC 5424 §6.2.1, by the names of syslog.h.
FACILITIES = (
    *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron"),
    *("authpriv", "ftp", "ntp", "audit", "alert", "clock"),
    *("local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"),
)
SEVERITY_WORDS = ("emergency", "alert", "critical", "error", "warning", "notice", "info", "debug")
HIGHEST_PRI = 191

_PRI = re.compile(r"<(\d{1,3})>")
_BETWEEN_MESSAGES = re.compile(rb"\x00|\r?\n(?=<\d{1,3}>)")
_PID_TAG = re.compile(r"([A-Za-z][\w./-]{0,63})\[(\d{1,10})\]: ?")
_BARE_TAG = re.compile(r"([A-Za-z][\w./-]{1,63}): ")
# Loggers and programs are named so; `Usage`, `Timeout` and `ValueError` are not among them.
_LOOKS_LIKE_A_NAME = re.compile(r"[a-z][\w./-]*|[A-Z]\w*[a-z]\w*[A-Z0-9_.-][\w.-]*")
_IS_AN_EXCEPTION = re.compile(r"(?:Error|Exception|Warning|Interrupt|Exit)$")
_LOGFMT_LEVEL = re.compile(r"(?:^|\s)(?:level|lvl|severity)=\"?\w")
_JSON_LEVEL = re.compile(r"\"[\w.@]*(?:level|lvl|severity|priority|@l)[\w.]*\"\s*:", re.IGNORECASE)
_HEX_32 = re.compile(r"[0-9a-fA-F]{32}")
_HEX_16 = re.compile(r"[0-9a-fA-F]{16}")
_CEE = "@cee:"
_encode = msgspec.json.encode


def decode(arrival: Arrival) -> Decoded:
    """The records of a text of messages, which end at a NUL or before a line with a priority."""
    defaults = Defaults(
        arrival.received_unix_nano, arrival.default_environment, arrival.naive_timezone
    )
    records: list[LogRecord] = []
    all_origins: list[Origins] = []
    for message in _BETWEEN_MESSAGES.split(arrival.body):
        origins: Origins | None = {} if arrival.wants_origins else None
        outcome = record_or_reject(message, defaults, origins=origins)
        if isinstance(outcome, LogRecord):
            records.append(outcome)
            if origins is not None:
                all_origins.append(origins)
    if not records:
        raise DecodeError("the body holds no message", "send syslog messages, one a line")
    return Decoded(records, origins=all_origins)


def record_or_reject(
    message: bytes,
    defaults: Defaults,
    index: int = 0,
    sender: str = "",
    origins: Origins | None = None,
) -> LogRecord | Reject:
    """One message's record; a Reject only when nothing is in it.

    `sender` is the address it came from: the `client.address` of a message that names no host.
    """
    text = clean_text(message.rstrip(b"\x00\r\n").decode("utf-8", "replace"))
    if not text.strip("\ufeff \t\r\n"):
        return Reject(index, "the message is empty; send text", message[:100], "empty")
    header, form = _header_of(text, Times(defaults.received_unix_nano, defaults.naive_timezone))
    if header.severity_number is None and form == "no priority":
        attributes = {"client.address": sender} if sender else {}
        if origins is not None:
            origins.update(_origins(header, form))
        return record_of_text(header.body, defaults, Given(attributes=attributes), origins)
    if origins is not None:
        origins.update(_origins(header, form))
    return _record(header, defaults, sender, origins)


def _header_of(text: str, times: Times) -> tuple[Header, str]:
    """What the message says of itself, and the form in which it does."""
    pri = _PRI.match(text)
    if pri is None or int(pri[1]) > HIGHEST_PRI:
        header = None if pri else syslog_header(text, times)
        return (Header(body=text), "no priority") if header is None else (header, "RFC 3164")
    header = syslog_5424_header(text, times)
    if header is not None:
        return header, "RFC 5424"
    header = syslog_header(text, times)
    if header is not None:
        return header, "RFC 3164"
    return _bare_header(int(pri[1]), text[pri.end() :].removeprefix("\ufeff"), times), "priority"


def _bare_header(pri: int, text: str, times: Times) -> Header:
    """`<14>message`, as Python's SysLogHandler writes it; also with a time, without a host."""
    attributes: dict[str, Any] = {"syslog.facility.code": pri // 8}
    found = times.find(text, reach=0)
    if found is not None:
        text = text[found[2] :].lstrip(" ")
    service = None
    tag = _PID_TAG.match(text)
    if tag is not None:
        service = tag[1]
        attributes["process.pid"] = int(tag[2])
        text = text[tag.end() :]
    else:
        tag = _BARE_TAG.match(text)
        if tag is not None and _is_a_name(tag[1]):
            service = tag[1]
            if found is not None:
                text = text[tag.end() :]
            # Without a time the text keeps it: `timeout: ...` may be a sentence.
    return Header(
        body=text,
        timestamp_unix_nano=None if found is None else found[0],
        severity_number=SYSLOG_SEVERITIES[pri % 8],
        severity_text=SEVERITY_WORDS[pri % 8],
        service=service,
        attributes=attributes,
    )


def _is_a_name(word: str) -> bool:
    return (
        _LOOKS_LIKE_A_NAME.fullmatch(word) is not None
        and not _IS_AN_EXCEPTION.search(word)
        and severity_number(word) is None
    )


def _record(header: Header, defaults: Defaults, sender: str, origins: Origins | None) -> LogRecord:
    attributes = dict(header.attributes)
    facility = attributes.pop("syslog.facility.code", None)
    if facility is not None:
        attributes["syslog.facility"] = FACILITIES[facility]
    pid = attributes.get("process.pid")
    if isinstance(pid, str) and pid.isdecimal() and len(pid) < 16:
        attributes["process.pid"] = int(pid)
    if sender and "host.name" not in attributes:
        attributes["client.address"] = sender
    service = header.service.strip() if header.service else None
    if service and len(service) > MAX_NAME_CHARS:
        attributes["syslog.appname"], service = service, None
    trace_id = _id_among(attributes, ("trace_id", "traceId"), _HEX_32)
    span_id = _id_among(attributes, ("span_id", "spanId"), _HEX_16)
    number = header.severity_number if header.severity_number is not None else INFO
    word = own_word(header.severity_text, number) if header.severity_text else None
    structured = _structured(header, attributes, service, trace_id, span_id, defaults, origins)
    if structured is not None:
        return structured
    return LogRecord(
        timestamp_unix_nano=defaults.received_unix_nano
        if header.timestamp_unix_nano is None
        else header.timestamp_unix_nano,
        observed_unix_nano=defaults.received_unix_nano,
        environment=defaults.environment,
        service_name=service or UNKNOWN_SERVICE,
        severity_number=number,
        severity_text=word,
        body=header.body,
        trace_id=trace_id,
        span_id=span_id,
        attributes=_encode(attributes),
    )


def _structured(
    header: Header,
    attributes: dict[str, Any],
    service: str | None,
    trace_id: str | None,
    span_id: str | None,
    defaults: Defaults,
    origins: Origins | None,
) -> LogRecord | None:
    """The record of a message that is a logger's JSON object (also behind @cee:) or logfmt.

    What it says goes before the header, which often only knows that something was printed.
    """
    text = header.body.lstrip()
    payload = text.removeprefix(_CEE).lstrip()
    is_object = payload[:1] == "{"
    if not is_object and not _LOGFMT_LEVEL.search(text):
        return None
    says_level = not is_object or _JSON_LEVEL.search(payload) is not None
    of_header = header.severity_text
    inner = Given(
        attributes=attributes,
        fallback_service=service,
        # Words in the text say nothing where the priority does.
        severity=None if says_level else of_header,
        fallback_severity=of_header,
        trace_id=trace_id,
        span_id=span_id,
    )
    try:
        record = (
            record_of_object(clean_json(payload.encode()), defaults, inner, origins)
            if is_object
            else record_of_text(header.body, defaults, inner, origins)
        )
    except (Refused, ValueError, RecursionError):
        return None
    # A time inside goes before the header's, which has often no more than seconds.
    if (
        header.timestamp_unix_nano is not None
        and record.timestamp_unix_nano == defaults.received_unix_nano
    ):
        record = msgspec.structs.replace(record, timestamp_unix_nano=header.timestamp_unix_nano)
        if origins is not None:
            origins["timestamp"] = "the header's timestamp"
    if origins is not None:
        if service and record.service_name == service:
            origins["service_name"] = "the header"
        if not says_level:
            origins["severity_number"] = "the priority's last three bits"
    return record


def _id_among(
    attributes: dict[str, Any], names: tuple[str, ...], form: re.Pattern[str]
) -> str | None:
    """The id that a structured data element holds under one of the names."""
    for name, value in attributes.items():
        if name.rpartition(".")[2] in names and isinstance(value, str) and form.fullmatch(value):
            return normal_id(attributes.pop(name))
    return None


def _origins(header: Header, form: str) -> Origins:
    return {
        "timestamp": "time of receipt"
        if header.timestamp_unix_nano is None
        else f"{form} timestamp",
        "severity_number": "no priority was sent"
        if header.severity_number is None
        else "the priority's last three bits",
        "service_name": "nothing names it"
        if header.service is None
        else ("APP-NAME" if form == "RFC 5424" else "the tag"),
        "environment": "LOGSTREAM_DEFAULT_ENVIRONMENT",
        "body": "the message",
    }

"""Syslog lines: RFC 3164 as files have it (with or without <PRI>) and RFC 5424."""

import re

from logstream.receive.severity import SYSLOG_SEVERITIES, severity_number
from logstream.receive.text_shapes.header import Header, Parse
from logstream.receive.text_shapes.json_lines import parse_json
from logstream.receive.text_shapes.key_values import parse_logfmt
from logstream.receive.text_shapes.levels import leading_level
from logstream.receive.text_shapes.program_text import parse_klog, parse_program
from logstream.receive.text_shapes.times import Times
from logstream.receive.text_shapes.web_access import status_severity

_INNER: tuple[Parse, ...] = (parse_json, parse_klog, parse_logfmt)
_WORDS = ("emergency", "alert", "critical", "error", "warning", "notice", "info", "debug")
_PRI = re.compile(r"<(\d{1,3})>(?!\d+ )")
_TAG = re.compile(
    r"(?P<tag>[^\s:\[\]%]+(?: [^\s:\[\]\d][^\s:\[\]]*){0,2})(?:\[(?P<pid>[\d-]+)\])?:\s?"
)
_DATE = re.compile(r"[^\W\d_]{3,9}\.? +\d|\d{4}-\d\d-\d\dT")
_HOST = re.compile(r"\s+(?P<host>(?![\[(])[^\s:]{1,80}|[\da-fA-F:.]{3,45})\s+")
_5424 = re.compile(
    r"<(?P<pri>\d{1,3})>\d{1,2} (?P<time>\S+) (?P<host>\S+) (?P<app>\S+) (?P<pid>\S+) (?P<id>\S+) "
    r"(?P<data>-|(?:\[(?:[^\]\"\\]|\"(?:[^\"\\]|\\.)*+\"|\\.)*+\])+)\s?(?P<body>.*)",
    re.DOTALL,
)
_ELEMENT = re.compile(r"\[([^\s\]=\"]+)((?:\s+[^\s=\]\"]+=\"(?:[^\"\\]|\\.)*+\")*+)\s*\]")
_PARAM = re.compile(r"([^\s=\]\"]+)=\"((?:[^\"\\]|\\.)*+)\"")


def parse_syslog(line: str, times: Times) -> Header | None:
    """`Nov  3 09:23:38 host tag[pid]: message`, the time also in ISO 8601."""
    wrapper = syslog_header(line, times)
    return None if wrapper is None else _with_message(wrapper, times)


def parse_syslog_5424(line: str, times: Times) -> Header | None:
    """`<165>1 2003-10-11T22:14:15.003Z host app pid id [data] message`."""
    wrapper = syslog_5424_header(line, times)
    return None if wrapper is None else _with_message(wrapper, times)


def syslog_header(line: str, times: Times) -> Header | None:
    """RFC 3164's header, with the message as it is."""
    pri = _PRI.match(line)
    start = pri.end() if pri else 0
    if not _DATE.match(line, start):
        return None
    found = times.find(line[start:], reach=0)
    if found is None:
        return None
    moment, _, time_end = found
    text = line[start + time_end :]
    host = _HOST.match(text)
    if host is None:
        return None
    rest = text[host.end() :]
    tag = _TAG.match(rest)
    if not pri and _is_level_in_capitals(host["host"], tag and tag["tag"]):
        return None
    if tag is None and not pri and _has_level(line, times):
        return None
    if not pri and line[:1].isdigit() and (tag is None or _is_level(host["host"])):
        return None  # an ISO time and words: any program's line begins so
    attributes: dict[str, object] = {"host.name": host["host"]}
    if tag and tag["pid"]:
        attributes["process.pid"] = int(tag["pid"]) if tag["pid"].isdigit() else tag["pid"]
    word, number = _pri_severity(int(pri[1]), attributes) if pri else (None, None)
    return Header(
        body=rest[tag.end() :] if tag else rest,
        timestamp_unix_nano=moment,
        severity_number=number,
        severity_text=word,
        service=tag["tag"].rpartition("/")[2] or None if tag else None,
        attributes=attributes,
    )


def syslog_5424_header(line: str, times: Times) -> Header | None:
    """RFC 5424's header, with the message as it is; a parameter given twice is a list."""
    match = _5424.match(line)
    if match is None:
        return None
    attributes: dict[str, object] = {}
    for key, name in (("host", "host.name"), ("pid", "process.pid"), ("id", "syslog.msgid")):
        if match[key] != "-":
            attributes[name] = match[key]
    for element in _ELEMENT.finditer(match["data"]):
        for name, value in _PARAM.findall(element[2]):
            key, text = f"{element[1]}.{name}", re.sub(r"\\(.)", r"\1", value)
            known = attributes.get(key)
            if isinstance(known, list):
                known.append(text)
            else:
                attributes[key] = text if known is None else [known, text]
    word, number = _pri_severity(int(match["pri"]), attributes)
    return Header(
        body=match["body"].removeprefix("\ufeff"),
        timestamp_unix_nano=None if match["time"] == "-" else times.parse(match["time"]),
        severity_number=number,
        severity_text=word,
        service=None if match["app"] == "-" else match["app"],
        attributes=attributes,
    )


def _is_level(word: str) -> bool:
    return "(" in word or severity_number(word) is not None


def _is_level_in_capitals(*words: str | None) -> bool:
    return any(word and word.isupper() and severity_number(word) for word in words)


def _has_level(line: str, times: Times) -> bool:
    header = parse_program(line, times)
    return header is not None and header.severity_number is not None


def _pri_severity(pri: int, attributes: dict[str, object]) -> tuple[str | None, int]:
    attributes["syslog.facility.code"] = pri // 8
    return _WORDS[pri % 8], SYSLOG_SEVERITIES[pri % 8]


def _with_message(wrapper: Header, times: Times) -> Header:
    """A message with a header of its own is read; a level that opens it counts without PRI."""
    for parse in _INNER:
        inner = parse(wrapper.body, times)
        if inner is not None:
            return wrapper.inside(inner)
    if wrapper.severity_number is not None:
        return wrapper
    level = leading_level(wrapper.body)
    number = level.number if level else status_severity(wrapper.body)
    if number is None:
        return wrapper
    return wrapper.inside(
        Header(
            body=wrapper.body, severity_number=number, severity_text=level.word if level else None
        )
    )

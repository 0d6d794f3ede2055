"""Lines of programs' own loggers: a time, a level, and between them what the logger adds.

Covers Python logging, Log4j, Logback, Spark, Hadoop, java.util.logging, Go, Rust, PostgreSQL,
Rails, Windows CBS and kin: they differ in order and punctuation, not in kind. klog's
(`E0102 15:04:05.000000 …`) has its own function, because its level and date are one word.
"""

import re

from logstream.receive.severity import severity_number
from logstream.receive.text_shapes.header import Header
from logstream.receive.text_shapes.levels import Level, leading_level, level_after, level_before
from logstream.receive.text_shapes.times import Times
from logstream.receive.text_shapes.web_access import status_severity
from logstream.receive.timestamps import NotATime

_PREFIX = re.compile(
    r"[\[(<\"*.#]*|\S{1,80}\s+[\[(<]*|[\w.$\[\]():, -]{0,40}(?:[\[(\s:]|=\"?)"
    r"|(?:\S*\d\S*\s+|[A-Z]+\s+|-\s+)+"
)
_TAIL = re.compile(r"[\s\])>:|,-]*")
_PID = re.compile(r"[\s\[\]#:-]*(\d{1,10})[\s\[\]#:-]*")
_NAME = r"[A-Za-z_$][\w$-]*(?:[.$/][\w$-]+)+"
_AFTER_LEVEL = (
    re.compile(
        r"(?P<pid>\d+) --- (?:\[[^\]]*\] ){0,1}\[\s*(?P<thread>[^\]]*?)\s*\] (?P<logger>\S+)\s*: "
    ),
    re.compile(rf"\[(?P<thread>[^\]]{{1,80}})\]\s+(?P<logger>{_NAME}|[\w$]+)\s*[:-]\s+"),
    re.compile(rf"(?P<logger>{_NAME})(?:\s*\[(?P<thread>[^\]]*)\])?(?::\s+|\s+-\s+|\s+(?=\[))"),
    re.compile(r"(?P<file>[\w./-]+\.[A-Za-z]{1,4}):(?P<line>\d+)[\]:]?\s+"),
    re.compile(r"(?P<logger>root): ?"),
)
_ATTRIBUTES = {
    "thread": "thread.name",
    "logger": "logger",
    "pid": "process.pid",
    "file": "code.file.path",
    "line": "code.line.number",
}
_NUMERIC = ("process.pid", "code.line.number")
# Redis: its role before the time, after it one of four signs for the level.
_REDIS_ROLE = re.compile(r"\d+:[MSCX] ")
_REDIS = re.compile(r" ([.\-*#]) ")
_REDIS_SIGNS = {".": 5, "-": 5, "*": 9, "#": 13}
_PYTHON = re.compile(
    r"(DEBUG|INFO|WARNING|ERROR|CRITICAL|NOTICE|TRACE|WARN|FATAL):([\w.-]+):(?!//)"
)
_KLOG = re.compile(
    r"([IWEFD])(\d{4}|\d\d(?=\d{4} ))?(\d\d)(\d\d) (\d\d):(\d\d):(\d\d)\.(\d{1,9})"
    r"\s+(?:(\d+) )?([^\s:\]]+):(\d+)(?:\]| ) ?"
)


def parse_klog(line: str, times: Times) -> Header | None:
    """Go's klog and glog: `E0102 15:04:05.000000   12 file.go:34] message`."""
    match = _KLOG.match(line)
    if match is None:
        return None
    letter, year, month, day, hour, minute, second, fraction, thread, file, number = match.groups()
    clock, nanos = (int(hour), int(minute), int(second)), int(fraction.ljust(9, "0"))
    try:
        moment = times.at(_full_year(year), int(month), int(day), clock, nanos)
    except NotATime:
        return None
    return Header(
        body=line[match.end() :],
        timestamp_unix_nano=moment,
        severity_number=severity_number(letter),
        attributes={
            **({"thread.id": int(thread)} if thread else {}),
            "code.file.path": file,
            "code.line.number": int(number),
        },
    )


def _full_year(digits: str | None) -> int | None:
    if digits is None:
        return None
    return int(digits) if len(digits) == 4 else 2000 + int(digits)


def parse_program(line: str, times: Times) -> Header | None:
    """A line that begins with a time (after at most a short prefix) or with a level."""
    found = times.find(line, reach=60)
    if found is None:
        return _level_first(line)
    moment, start, end = found
    prefix, rest = line[:start], line[end:]
    before = level_before(prefix)
    if prefix and not before and not _PREFIX.fullmatch(prefix):
        return None
    if (redis := _REDIS.match(rest)) and _REDIS_ROLE.fullmatch(prefix):
        level: Level | None = Level(None, _REDIS_SIGNS[redis[1]], 0, redis.end())
    else:
        level = level_after(rest)
    if before is not None:
        word = before.word or ""
        # Ruby says both, E and ERROR; else what follows the time is already the message.
        if level is None or level.start == level.end or not _is_same(before, level):
            return _with_level(line, moment, prefix.replace(word, "", 1), "", before, rest)
    if level is None:
        inner = rest.lstrip(" \t])>|,:-")
        return Header(
            body=inner or line,
            timestamp_unix_nano=moment,
            severity_number=status_severity(rest),
            attributes=_named(prefix),
        )
    return _with_level(line, moment, prefix, rest[: level.start], level, rest[level.end :])


def parse_anything(line: str, times: Times) -> Header | None:
    """The last resort: a time near the front and a level, each if there is one; never None."""
    header = parse_program(line, times)
    if header is not None:
        return header
    found = times.find(line, reach=40)
    return Header(body=line, timestamp_unix_nano=found[0] if found else None)


def _is_same(before: Level, after: Level) -> bool:
    return len(before.word or "") == 1 and before.number == after.number


def _level_first(line: str) -> Header | None:
    if match := _PYTHON.match(line):
        return Header(
            body=line[match.end() :],
            severity_number=severity_number(match[1]),
            severity_text=match[1],
            attributes={"logger": match[2]},
        )
    level = leading_level(line)
    if level is None:
        return None
    return Header(
        body=line[level.end :].lstrip(" :|-") or line,
        severity_number=level.number,
        severity_text=_worth_keeping(level.word),
    )


def _with_level(line: str, moment: int, prefix: str, gap: str, level: Level, tail: str) -> Header:
    attributes = _named(f"{prefix} {gap}")
    body = tail[_match_end(_TAIL, tail) :]
    for pattern in _AFTER_LEVEL:
        match = pattern.match(body)
        if match:
            for key, value in match.groupdict().items():
                if value:
                    name = _ATTRIBUTES[key]
                    attributes[name] = int(value) if name in _NUMERIC else value
            body = body[match.end() :]
            break
    return Header(
        body=body or line,
        timestamp_unix_nano=moment,
        severity_number=level.number,
        severity_text=_worth_keeping(level.word),
        attributes=attributes,
    )


def _worth_keeping(word: str | None) -> str | None:
    """The sender's word, when it is more than a letter or two."""
    return None if word is None or len(word) <= 2 else word


def _named(text: str) -> dict[str, object]:
    """What stood around time and level: a process id where it is one number, else kept as it is."""
    text = text.strip(" \t-|:,.[](){}<>\"'")
    if not text:
        return {}
    if match := _PID.fullmatch(text):
        return {"process.pid": int(match[1])}
    return {"log.header": text}


def _match_end(pattern: re.Pattern[str], text: str) -> int:
    match = pattern.match(text)
    return match.end() if match else 0

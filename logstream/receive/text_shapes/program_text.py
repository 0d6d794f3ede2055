"""Lines of programs' own loggers: a time, a level, and between them what the logger adds.

Covers Python logging, Log4j, Logback, Spark, Hadoop, java.util.logging, Go, Rust, PostgreSQL,
Rails, Windows CBS and kin: they differ in order and punctuation, not in kind. klog's
(`E0102 15:04:05.000000 …`) has its own function, because its level and date are one word.
"""

import re

from logstream.receive.severity import severity_number
from logstream.receive.text_shapes.header import Header, leading_level
from logstream.receive.text_shapes.times import Times
from logstream.receive.timestamps import NotATime

_UPPER = (
    "TRACE|VERBOSE|FINEST|FINER|FINE|CONFIG|DEBUG[1-9]?|DBG|INFO|INF|INFORMATION|NOTICE|NOTE|WARN|"
    "WARNING|WRN|ERROR|ERR|SEVERE|CRITICAL|CRIT|FATAL|FTL|ALERT|EMERG|EMERGENCY|PANIC|LOG|STATEMENT|"
    "DETAIL|HINT|CONTEXT"
)
_UPPER_LEVEL = re.compile(rf"(?<![A-Za-z0-9_/-])(?:{_UPPER})(?![A-Za-z0-9_=-]|\.\w)")
_POSTGRES_ONLY = ("LOG", "STATEMENT", "DETAIL", "HINT", "CONTEXT")
_ANY_CASE = "|".join(
    word for word in _UPPER.lower().split("|") if word.upper() not in _POSTGRES_ONLY
)
_ANY_LEVEL = re.compile(rf"[\[(<]?({_ANY_CASE})(?![\w=-])", re.IGNORECASE)
_LETTER = re.compile(r"\[?([TDIWEFVC])\]?(?=[\s/:|\]])")
_SHORT_CODE = re.compile(r"\b(Db|In|No|Wa|Er|Cr|Al|Em)\((\d{1,3})\)")
_SHORT_NUMBERS = {"Db": 5, "In": 9, "No": 9, "Wa": 13, "Er": 17, "Cr": 21, "Al": 21, "Em": 21}

# What a logger may put between time and level: groups in brackets, numbers, punctuation, and
# at most three names. Anything longer is a sentence, and a level in it is only a word.
_GAP = re.compile(
    r"(?:[\s\-|:,.*)\]]|\[[^\]]*\]|\([^)]*\)|<[^>]*>|#?\d+\b)*"
    r"(?:[\w.$/@#=:,+-]+(?:\[[^\]]*\])?(?:[\s\-|:,)\]]|\[[^\]]*\]|\([^)]*\)|<[^>]*>|#?\d+\b)+){0,3}"
    r"[\[(<\w.$:)-]*"
)
_SHORT_GAP = re.compile(r"(?:[\s\-|:,]|\[[^\]]*\]|\([^)]*\)|<[^>]*>|#?\d+\b)*")
_PREFIX = re.compile(r"[\[(<\"]*|\S{1,80}\s+[\[(<]*|[\w.$\[\]():, -]{0,40}[\[(\s:]")
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
_PYTHON = re.compile(rf"({_UPPER}):([\w.-]+):(?!//)")
_KLOG = re.compile(
    r"([IWEFD])(?:(\d{4}))?(\d\d)(\d\d) (\d\d):(\d\d):(\d\d)\.(\d{1,9})"
    r"\s+(\d+) ([^\s:\]]+):(\d+)\] ?"
)


def parse_klog(line: str, times: Times) -> Header | None:
    """Go's klog and glog: `E0102 15:04:05.000000   12 file.go:34] message`."""
    match = _KLOG.match(line)
    if match is None:
        return None
    letter, year, month, day, hour, minute, second, fraction, thread, file, number = match.groups()
    clock, nanos = (int(hour), int(minute), int(second)), int(fraction.ljust(9, "0"))
    try:
        moment = times.at(int(year) if year else None, int(month), int(day), clock, nanos)
    except NotATime:
        return None
    return Header(
        body=line[match.end() :],
        timestamp_unix_nano=moment,
        severity_number=severity_number(letter),
        attributes={
            "thread.id": int(thread),
            "code.file.path": file,
            "code.line.number": int(number),
        },
    )


def parse_program(line: str, times: Times) -> Header | None:
    """A line that begins with a time (after at most a short prefix) or with a level."""
    found = times.find(line, reach=60)
    if found is None:
        return _level_first(line)
    moment, start, end = found
    prefix = line[:start]
    before = _UPPER_LEVEL.search(prefix) or (
        re.match(r"([IWEFDTV]), \[", prefix) if start < 8 else None
    )
    if prefix and not before and not _PREFIX.fullmatch(prefix):
        return None
    if before:
        word = before[1] if before.re.groups else before[0]
        after = line[end:]
        repeated = _UPPER_LEVEL.search(after, 0, 40)
        if repeated and _GAP.fullmatch(after[: repeated.start()]) and repeated[0] != word:
            return _header(
                line,
                moment,
                prefix,
                after[: repeated.start()],
                repeated[0],
                after[repeated.end() :],
            )
        return _header(line, moment, prefix.replace(word, "", 1), "", word, after)
    rest = line[end:]
    level = _level_after(rest)
    if level is None:
        inner = rest.lstrip(" \t])>|,:-")
        return Header(body=inner or line, timestamp_unix_nano=moment, attributes=_named(prefix))
    word, word_start, word_end = level
    return _header(line, moment, prefix, rest[:word_start], word, rest[word_end:])


def parse_anything(line: str, times: Times) -> Header | None:
    """The last resort: a time near the front and a level, each if there is one; never None."""
    header = parse_program(line, times)
    if header is not None:
        return header
    found = times.find(line, reach=40)
    return Header(body=line, timestamp_unix_nano=found[0] if found else None)


def _level_after(rest: str) -> tuple[str, int, int] | None:
    """(word, start, end) of the level in what follows the time."""
    near = _SHORT_GAP.match(rest)
    gap = near.end() if near else 0
    if match := _ANY_LEVEL.match(rest, gap):
        word = match[1]
        follows = rest[match.end() :][:1]
        # A small "error" opening a sentence is a word; one set off by the logger is a level.
        if not word.islower() or follows in ("", ":", "]", ")", ">", "|", ",", "\t") or gap <= 2:
            return word, match.start(1), match.end(1)
    if match := _LETTER.match(rest, gap):
        return match[1], match.start(1), match.end(1)
    if match := _SHORT_CODE.match(rest, gap):
        return match[1], match.start(), match.end()
    # Groups in brackets may hold the level: [main/INFO], [ INFO ], [a:INFO].
    for match in _UPPER_LEVEL.finditer(rest, 0, 160):
        if _GAP.fullmatch(rest[: match.start()]) or rest[: match.start()].rstrip("[( ").endswith(
            ":"
        ):
            return match[0], match.start(), match.end()
        break
    return None


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
    word, number, end = level
    return Header(
        body=line[end:].lstrip(" :|-") or line, severity_number=number, severity_text=word
    )


def _header(line: str, moment: int, prefix: str, gap: str, word: str, tail: str) -> Header:
    number = _SHORT_NUMBERS.get(word) or severity_number(word)
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
        severity_number=number,
        severity_text=None if len(word) <= 2 else word,
        attributes=attributes,
    )


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

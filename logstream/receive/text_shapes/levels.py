"""Finding the level in a line, by where it stands and how it is set off.

A level word inside a sentence is only a word. So the text is read piece by piece, as long as
it looks like what a logger writes: groups in brackets, numbers, names, pairs.
"""

import re
from typing import NamedTuple

from logstream.receive.severity import SYSLOG_SEVERITIES, severity_number


class Level(NamedTuple):
    """A level, the sender's word for it (None for a sign or number), and where it stands.

    `start` and `end` are equal where the level belongs to the message too (`level=warn`).
    """

    word: str | None
    number: int
    start: int
    end: int


_WORDS = (
    "trace|trce|verbose|vrb|finest|finer|fine|config|debug[1-9]?|dbug|dbg|info|inf|information|"
    "informational|notice|note|success|warn|warning|wrn|error|err|eror|severe|fail|critical|crit|"
    "fatal|ftl|alert|emerg|emergency|panic|fatal error|parse error"
)
# Words that are a level only beside the time or where a logger puts one in capitals or brackets.
_RARER_WORDS = "system|lifecycle|default|normal|any"
_POSTGRES_WORDS = "log|statement|detail|hint|context"
_LEVEL = re.compile(f"(?:{_WORDS})", re.IGNORECASE)
_RARE_LEVEL = re.compile(f"(?:{_WORDS}|{_RARER_WORDS}|{_POSTGRES_WORDS})", re.IGNORECASE)
_SIGNS = {"(EE)": 17, "(WW)": 13, "(II)": 9}
_SHORT_CODE = re.compile(r"(Db|In|No|Wa|Er|Cr|Al|Em)\(\d{1,3}\)")
_SHORT_NUMBERS = {"Db": 5, "In": 9, "No": 9, "Wa": 13, "Er": 17, "Cr": 21, "Al": 21, "Em": 21}
_PHRASE = re.compile(r"(?:fatal|parse) error(?=:)", re.IGNORECASE)
_PAIR = re.compile(r"(?:level|lvl|loglevel|severity|at)[=:]\"?(\w+)", re.IGNORECASE)
# Network devices: %FACILITY-3-MNEMONIC, the digit is syslog's severity.
_DEVICE = re.compile(r"%[A-Z][\w-]*-([0-7])-\w+:?")
_LETTERS = frozenset("TDIWEFVC")
# In brackets these are as often a logger's or a thread's name: [config], [default].
_NAMES_TOO = frozenset((*_RARER_WORDS.split("|"), *_POSTGRES_WORDS.split("|")))
_SMALL_NAMES_TOO = frozenset(("config", "fine", "note", "success", "fail"))

_SPACE = re.compile(r"[\s\-|:,.*)\]>}#;=!\"]+")
_GROUP = re.compile(r"\[([^\]]*)\]|\(([^)]*)\)|<([^>]*)>|\{([^}]*)\}")
_WORD = re.compile(r"[^\s|,;\[\](){}<>\"]+")
_PART = re.compile(r"[^/:#\s,|]+")
_SENTENCE_WORD = re.compile(r"[a-z']+|[A-Z][a-z']*")
_SET_OFF_BY = ("", ":", "|", "\t", ",", "]", ")")
_LETTER_SET_OFF_BY = (*" /:|]\t)>!",)
_ENDS = re.compile(r"  | :")
_REACH = 160
_MOST_NAMES = 8
_MOST_SENTENCE_WORDS = 2


def level_after(text: str) -> Level | None:
    """The level in what follows a line's time: `[main] WARN x`, `info: x`, `E tag: x`."""
    text = text[: 2 * _REACH]  # a line may be megabytes long
    position = names = sentence_words = 0
    is_set_off = is_first = True
    unsure: Level | None = None
    while position < min(len(text), _REACH):
        if space := _SPACE.match(text, position):
            is_set_off = is_set_off or len(space[0].strip()) > 0
            position = space.end()
            continue
        group = _GROUP.match(text, position)
        if group is not None:
            if found := _in_group(group):
                if not _may_be_a_name(found.word or ""):
                    return found
                unsure = unsure or found
            is_set_off, is_first = True, False
            position = group.end()
            continue
        word = _WORD.match(text, position)
        if word is None:
            position += 1
            continue
        found = _of_word(
            text,
            word,
            is_set_off=is_set_off or (word[0].istitle() and sentence_words == 0),
            is_first=is_first,
            is_near=names == 0,
        )
        if found:
            return found
        is_first, is_set_off = False, word[0][-1] in ":."
        if not word[0][0].isdigit():
            names += 1
            sentence_words += _SENTENCE_WORD.fullmatch(word[0].rstrip(":.")) is not None
        if names > _MOST_NAMES or sentence_words > _MOST_SENTENCE_WORDS:
            break
        position = word.end()
    return unsure


def level_before(text: str) -> Level | None:
    """The level in what stands before a line's time: `ERROR [main] `, `W, [`, `Warning\\t`."""
    bare = text.strip(" \t[]()<>|:,-")
    if bare in _LETTERS or bare == "A":
        start = text.index(bare)
        return Level(bare, 9 if bare == "A" else severity_number(bare) or 9, start, start + 1)
    if _LEVEL.fullmatch(bare):
        start = text.index(bare)
        return _level(bare, start)
    parts = re.split(r"[:,\s]", bare)
    is_set_off = len(parts) > 1 and (parts[-1].istitle() or " " not in bare)
    if is_set_off and _LEVEL.fullmatch(parts[-1]):
        return _level(parts[-1], text.index(bare) + len(bare) - len(parts[-1]))
    if android := re.match(r"([TDIWEFVC])/", text):
        return _level(android[1], 0)
    for word in re.finditer(r"(?<![\w/-])[A-Z][A-Z0-9]+(?![\w=-]|\.\w)", text):
        if _LEVEL.fullmatch(word[0]):
            return _level(word[0], word.start())
    return None


_LEADING = re.compile(
    rf"(?:##\[|::|[\[(<])?\s*({_WORDS})\s*(?:(?:\[\w+\])?(?:[\])>]|:(?!//))|\s*\||\s+-\s|"
    r"(?=\s{2,}\S))",
    re.IGNORECASE,
)
_LEADING_UPPER = re.compile(rf"(?:npm )?[\[(<]?\s*({_WORDS.upper()})(?=[\s:\])>|/,\[!-])")
_LEADING_GROUP = re.compile(rf"(?:\[[^\]]{{1,80}}\]\s*){{1,2}}\[({_WORDS})\]", re.IGNORECASE)
_LEADING_COMMAND = re.compile(r"::(error|warning|notice|debug) ")
_LEADING_PAIR = re.compile(rf"(?:level|lvl|severity)=\"?({_WORDS})\b", re.IGNORECASE)
_LEADING_LETTER = re.compile(r"([VDIWEF])(?:/[\w.$-]+\s*\(\s*\d+\))?: ")
_LEADING_PRIORITY = re.compile(r"<([0-7])>")
_LEADING_SIGN = re.compile(r"\((?:EE|WW|II)\)")
# cart.c:7:9: warning: …; imap(ann): Error: …
_LEADING_NAME = re.compile(
    rf"(?:[^\s:]+(?::\d+)*: ){{1,2}}({_WORDS})(?: [A-Z]+\d+)?: ", re.IGNORECASE
)
_GROUPS = re.compile(r"(?:\[[^\]]{1,80}\]\s*){0,3}")


def leading_level(text: str) -> Level | None:
    """The level that opens a line without a time: `ERROR:`, `[warn]`, `level=info`, `<3>`.

    A word that merely opens a sentence ("error while reading") is none, unless in capitals.
    """
    groups = _GROUPS.match(text)
    start = groups.end() if groups else 0
    if match := (
        _LEADING.match(text)
        or _LEADING_UPPER.match(text)
        or _LEADING.match(text, start)
        or _LEADING_UPPER.match(text, start)
        or _LEADING_GROUP.match(text)
    ):
        number = _number(match[1])
        return None if number is None else Level(match[1], number, match.start(1), match.end())
    if match := _LEADING_PRIORITY.match(text):
        return Level(None, SYSLOG_SEVERITIES[int(match[1])], 0, match.end())
    if match := _LEADING_SIGN.match(text, start):
        return Level(None, _SIGNS[match[0]], 0, 0)
    for pattern in (_LEADING_PAIR, _LEADING_LETTER, _LEADING_COMMAND, _LEADING_NAME):
        if match := pattern.match(text):
            return _kept(match[1])
    return _device(text, 0)


def _in_group(group: re.Match[str]) -> Level | None:
    content = next(part for part in group.groups() if part is not None)
    start = group.start() + 1
    bare = content.strip()
    if group[0] in _SIGNS:
        return Level(None, _SIGNS[group[0]], start, group.end() - 1)
    if _RARE_LEVEL.fullmatch(bare) or bare in _LETTERS:
        return _level(bare, start + content.index(bare))
    parts = list(_PART.finditer(content))
    # [main/INFO], [cart.web#info], [core:error]: the level is the first or the last part.
    for part in (parts[-1], parts[0]) if parts else ():
        is_plain = part[0].isupper() or (" " not in bare and not _may_be_a_name(part[0]))
        if _LEVEL.fullmatch(part[0]) and is_plain:
            return _level(part[0], start + part.start())
    return None


def _may_be_a_name(word: str) -> bool:
    return word.lower() in _NAMES_TOO or word in _SMALL_NAMES_TOO


def _of_word(
    text: str, match: re.Match[str], *, is_set_off: bool, is_first: bool, is_near: bool
) -> Level | None:
    """The level a word is or holds; what stood before it decides which spellings count."""
    word, start = match[0], match.start()
    bare = word.rstrip(":.!-")
    follows = text[start + len(bare) :]
    if phrase := _PHRASE.match(text, start):
        return _level(phrase[0], start)
    if _RARE_LEVEL.fullmatch(bare):
        # Nagios writes SERVICE ALERT: of every state.
        if bare.isupper() and (bare != "ALERT" or is_first or is_set_off):
            return _level(bare, start)
        is_common = _LEVEL.fullmatch(bare) is not None
        ends = follows[:1] in _SET_OFF_BY or _ENDS.match(follows)
        if (is_common and (is_first or (is_set_off and ends))) or (
            is_near and bare.istitle() and bare.lower() not in _POSTGRES_WORDS.split("|")
        ):
            return _level(bare, start)
    if is_near and bare in _LETTERS and follows[:1] in _LETTER_SET_OFF_BY:
        return _level(bare, start)
    if is_near and word[1:2] == "/" and word[0] in _LETTERS:
        return _level(word[0], start)
    if (code := _SHORT_CODE.match(text, start)) and is_near:
        return Level(code[1], _SHORT_NUMBERS[code[1]], start, code.end())
    if pair := _PAIR.match(text, start):
        return _kept(pair[1])
    if device := _device(text, start):
        return device
    first = word.partition("/")[0]
    if is_first and first != word and _LEVEL.fullmatch(first):
        return _level(first, start)
    return _joined(word, start)


def _joined(word: str, start: int) -> Level | None:
    """INFO/MainProcess, gpu:ERROR:cart.cc, shop.WARNING: a part in capitals is the level."""
    parts = [part for part in re.finditer(r"[^/:.]+", word) if part[0].isupper()]
    for part in parts:
        is_after_dot = word[part.start() - 1 : part.start()] == "."
        is_before_dot = word[part.end() : part.end() + 1] == "."
        ends = part.end() == len(word) or word[part.end()] == ":"
        if _LEVEL.fullmatch(part[0]) and not is_before_dot and (ends or not is_after_dot):
            return _level(part[0], start + part.start())
    return None


def _device(text: str, start: int) -> Level | None:
    match = _DEVICE.match(text, start)
    return None if match is None else Level(None, SYSLOG_SEVERITIES[int(match[1])], 0, 0)


def _kept(word: str) -> Level | None:
    number = _number(word)
    return None if number is None else Level(word, number, 0, 0)


def _level(word: str, start: int) -> Level | None:
    number = _number(word)
    return None if number is None else Level(word, number, start, start + len(word))


def _number(word: str) -> int | None:
    """Of a phrase the first word counts when it is a level (fatal error), else the last."""
    first, _, last = word.partition(" ")
    return severity_number(first) or (severity_number(last) if last else None)

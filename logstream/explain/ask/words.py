"""Words of a question: tokens, stems, and how alike two words are."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property, lru_cache

# Invisible marks of writing direction and joints, which would part or disguise words.
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad]")
_LOOKALIKES = str.maketrans(
    "абвгдеёзикмнорстухѕіјԁԛԝһϲοραενκτιυ",
    "a6brdee3ukmhopctyxsijdqwhcopaevktiu",
)
_QUOTED = re.compile(
    r"(?P<open>[\"“”„«`])(?P<double>[^\"“”„«»`]{1,500})[\"“”»`]"
    r"|(?<![\w'’])['‘](?P<single>(?:[^'’‘\"]|(?<=\w)['’](?=\w)){1,500})['’](?!\w)"
    r"|(?<!\w)\"(?P<mixed>[^\"']{1,60})'(?=[\s,.;?!)]|$)"
    r"|(?<!\S)(?P<regex>/[^/]*[\\*+?\[\]|^$(){}][^/]*/)(?!\S)"
)
_MARK = re.compile(r"[,;?!()]|\.(?=\s|$)|:(?=\s|$)")
_COMPARISONS = frozenset({">", "<", ">=", "<=", "=", "==", "≥", "≤"})
_LEADING = "([{<¿¡*'\"‘’“”«"
_TRAILING = ".,;:!?)]}>*'\"‘’“”»"
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NUMBERED = re.compile(r"[^\W\d_]+\d*")
_LETTERS = re.compile(r"[^\W\d_]+")
_ENDINGS = (
    *("izations", "ization", "izing", "izes", "ized", "ize", "ations", "ation", "ating", "ators"),
    *("ator", "ated", "ates", "ate", "nesses", "ness", "ments", "ment", "ures", "ure"),
    *("fully", "ful", "ably", "ably", "ings", "ing", "ions", "ion", "edly", "ers", "er", "ies"),
    *("ied", "ors", "or", "ed", "es", "ly", "al", "s", "e", "y"),
)
_IRREGULAR = {
    **{"took": "take", "taken": "take", "sent": "send", "ran": "run", "lost": "lose"},
    **{"built": "build", "found": "find", "got": "get", "gotten": "get", "wrote": "write"},
    **{"written": "write", "threw": "throw", "thrown": "throw", "broke": "break"},
    **{"broken": "break", "shut": "shutdown", "left": "leave", "hung": "hang", "fell": "fall"},
    **{"went": "go", "gone": "go", "slept": "sleep", "bought": "buy", "paid": "pay"},
    **{"chose": "choose", "began": "begin", "begun": "begin", "stuck": "stick", "held": "hold"},
    **{"does": "do", "did": "do", "done": "do", "has": "have", "had": "have", "is": "be"},
    **{"failure": "fail", "failures": "fail", "user": "user", "users": "user", "news": "news"},
    **{"server": "server", "servers": "server", "order": "order", "orders": "order"},
    **{"error": "error", "errors": "error", "process": "process", "processes": "process"},
    **{"number": "number", "numbers": "number", "password": "password", "address": "address"},
    **{"addresses": "address", "access": "access", "memory": "memory", "timed": "time"},
}


@dataclass(frozen=True)
class Token:
    """A word, a quoted text (`is_quoted`, without its quotes), or a mark such as a comma.

    A regular expression between slashes counts as quoted, slashes included.
    """

    text: str
    start: int
    end: int
    is_quoted: bool = False

    @cached_property
    def lower(self) -> str:
        """In lower case, its apostrophes straight."""
        return self.text.lower().replace("’", "'")

    @cached_property
    def is_mark(self) -> bool:
        """True for a comma, bracket or the end of a sentence."""
        return not self.is_quoted and _MARK.fullmatch(self.text) is not None

    @property
    def stem(self) -> str:
        """See `stem`; "" of a mark."""
        return "" if self.is_mark else stem(self.lower)


def word_set(words: str) -> frozenset[str]:
    """The words of a list that blanks part."""
    return frozenset(words.split())


def tidy(question: str, most: int) -> str:
    """One line without invisible characters, at most `most` characters of it."""
    text = unicodedata.normalize("NFC", question[: most * 2].encode("utf-8", "replace").decode())
    return " ".join(_INVISIBLE.sub("", text).replace("\x00", " ").split())[:most]


def tokens_of(text: str) -> list[Token]:
    """The tokens of a tidy text, from left to right."""
    tokens: list[Token] = []
    position = 0
    for quoted in _QUOTED.finditer(text):
        content = next(part for part in quoted.group("double", "single", "mixed", "regex") if part)
        if not content.strip():
            continue
        tokens += _bare(text, position, quoted.start())
        tokens.append(Token(content.strip(), quoted.start(), quoted.end(), is_quoted=True))
        position = quoted.end()
    return tokens + _bare(text, position, len(text))


def _bare(text: str, start: int, end: int) -> list[Token]:
    tokens: list[Token] = []
    for word in re.compile(r"\S+").finditer(text, start, end):
        left, right = word.start(), word.end()
        if word[0] in _COMPARISONS:
            tokens.append(Token(word[0], left, right))
            continue
        while left < right and text[left] in _LEADING:
            left += 1
        stop = right
        while stop > left and text[stop - 1] in _TRAILING:
            is_kept = {"}": "{" in text[left:stop], "*": left == word.start()}
            if is_kept.get(text[stop - 1], False):
                break
            stop -= 1
        tokens += [
            Token(text[at], at, at + 1) for at in range(word.start(), left) if text[at] in "("
        ]
        if re.match(r"-[^\W\d_]", text[left:stop]):
            tokens.append(Token("-", left, left + 1))
            left += 1
        if stop > left:
            tokens += _split(text[left:stop], left)
        tokens += [
            Token(text[at], at, at + 1) for at in range(stop, right) if _MARK.fullmatch(text[at])
        ]
    return tokens


def _split(word: str, start: int) -> list[Token]:
    """A word without `'s`; `errors/warnings` and `errors,warnings` as words of their own."""
    if possessive := re.fullmatch(r"(.*\w)['’]s", word):
        word = possessive[1]
    if re.fullmatch(r"[^\W\d_]{3,}(?:[,/][^\W\d_]{3,})+", word):
        pieces: list[Token] = []
        for piece in re.finditer(r"[^,/]+|[,/]", word):
            text = "," if piece[0] in ",/" else piece[0]
            pieces.append(Token(text, start + piece.start(), start + piece.end()))
        return pieces
    return [Token(word, start, start + len(word))]


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """What forms of a word share: failure, failed and fails are `fail`; a word in lower case."""
    word = _IRREGULAR.get(word, word)
    if word in _IRREGULAR.values() or len(word) < 4 or not word.isalpha():
        return word
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= (3 if len(ending) < 3 else 4):
            if ending == "s" and word.endswith(("ss", "us", "is")):
                continue
            word = word[: -len(ending)]
            break
    else:
        return word
    word = _IRREGULAR.get(word, word)
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz":
        word = word[:-1]
    if len(word) > 5 and word.endswith("at"):
        word = word[:-2]
    return word if len(word) < 5 or word[-1] not in "ey" else word[:-1]


@lru_cache(maxsize=20_000)
def pieces_of(name: str) -> tuple[str, ...]:
    """The words inside a name: `payment-gateway`, `usedRam`, `http.status_code` → its parts."""
    return tuple(piece.lower() for piece in _LETTERS.findall(_CAMEL.sub(" ", name)))


@lru_cache(maxsize=20_000)
def parts_of(name: str) -> tuple[str, ...]:
    """Like `pieces_of`, but a number stays with the word before it: `travel2`."""
    return tuple(part.lower() for part in _NUMBERED.findall(_CAMEL.sub(" ", name)))


def without_lookalikes(word: str) -> str:
    """The word with Cyrillic, Greek and wide letters as the Latin ones that they look like."""
    if word.isascii():
        return word
    return unicodedata.normalize("NFKC", word).lower().translate(_LOOKALIKES)


def distance(one: str, other: str, most: int) -> int:
    """Edits (insert, delete, replace, swap neighbours) between two words; `most` + 1 if more."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        current = [row]
        for column, wanted in enumerate(other, 1):
            cost = min(last[column] + 1, current[-1] + 1, last[column - 1] + (letter != wanted))
            if row > 1 and column > 1 and letter == other[column - 2] and wanted == one[row - 2]:
                cost = min(cost, before[column - 2] + 1)
            current.append(cost)
        if min(current) > most:
            return most + 1
        before, last = last, current
    return last[-1]

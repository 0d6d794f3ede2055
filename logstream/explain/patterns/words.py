"""A message as a short sequence of words and places: equal for messages of one statement.

What varies by its shape is a place. Places that follow each other are one, and so is a unit of
several words that repeats: lists vary in length.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from logstream.template import MAX_CHARACTERS, places_of, spaced

# No word is equal to it: `<` stands for itself.
VARIABLE = "<*>"
# Of longer messages the rest is one place.
MAX_PIECES = 80
# With fewer words than this, a word with a digit in it may be all that tells messages apart.
LEAST_WORDS = 2
_LONGEST_UNIT = 6
_BETWEEN_UNITS = frozenset(",;|/-")

_TOKEN = re.compile(r"([A-Za-z0-9_\-.$/\\@%+*~#!?&\u0080-\U0010ffff]+)|\s+|.", re.DOTALL)
_LETTERS = re.compile(r"[A-Za-z\u0080-\U0010ffff]{2,}")
_END_OF_SENTENCE = ".!?"
# `eth0`, `worker-12`: names of a kind; what varies in them is the number alone.
_NUMBERED = re.compile(r"([A-Za-z]+[-_]?)\d{1,3}")

# Where the frames of a stack trace begin: Java and JavaScript, .NET, Python, Go, Ruby, Rust.
_FRAMES = re.compile(
    r"\n[ \t]*+(?:at [\w.$<>/\[\] ]{1,200}+[(:]|Traceback \(most recent|File \"|goroutine \d|"
    r"Caused by: |stack backtrace:|from [^\n]{1,200}:\d++:in |[^\s:]{1,200}:\d++:in )"
)


class Piece(NamedTuple):
    """A word as it is compared, or VARIABLE; where it stands in the message.

    `kind` is a template's for a place (and `id` for a word with digits that may become one),
    `numbered` for a word that ends in a short number, `sign` for punctuation, else empty.
    `parts` are the places that became this one. `inner` are the pieces of what stands in quotes,
    which counts as one word. `repeated_to` is where the repetitions of a
    unit end, of which this is the last piece; else 0.
    """

    word: str
    start: int
    end: int
    kind: str = ""
    parts: tuple["Piece", ...] = ()
    inner: tuple["Piece", ...] = ()
    repeated_to: int = 0

    @property
    def is_variable(self) -> bool:
        """True of a place."""
        return self.word == VARIABLE

    def with_part(self, other: "Piece") -> "Piece":
        """One place of this and one that follows it."""
        parts = (self.parts or (self,)) + (other.parts or (other,))
        return self._replace(end=other.end, kind="list", parts=parts)

    def grown(self, end: int) -> "Piece":
        """The same place up to there: what follows belongs to its last value."""
        *before, last = self.parts or (self,)
        last = last._replace(end=end, kind="id")
        return self._replace(end=end, parts=(*before, last)) if before else last


class Message(NamedTuple):
    """A message's text, as templates have it, and its pieces."""

    text: str
    pieces: tuple[Piece, ...]

    @property
    def shape(self) -> tuple[str, ...]:
        """The words alone."""
        return tuple(piece.word for piece in self.pieces)


def words_in(shape: Sequence[str]) -> int:
    """How many words of a shape say something; those within quotes one by one."""
    return sum(is_word(part) for word in shape for part in word.split(" "))


def is_word(text: str) -> bool:
    """True of a word that says something, as constants of a message do."""
    return text != VARIABLE and _LETTERS.search(text) is not None


@lru_cache(maxsize=5_000)
def read(message: str) -> Message:
    """A message in pieces."""
    text = spaced(message)
    whole = _end_of_words(message, text)
    pieces = _cut(text[:whole])
    said = sum(1 for piece in pieces if piece.kind != "id" and is_word(piece.word))
    if said >= LEAST_WORDS:
        pieces = [
            piece._replace(word=VARIABLE) if piece.kind == "id" else piece for piece in pieces
        ]
    pieces = _joined(pieces, text)
    if whole < len(text):
        pieces.append(Piece(VARIABLE, whole, len(text), "text"))
    pieces = collapsed(pieces)
    if len(pieces) > MAX_PIECES:
        rest = Piece(VARIABLE, pieces[MAX_PIECES].start, len(text), "text")
        pieces = collapsed([*pieces[:MAX_PIECES], rest])
    return Message(text, tuple(_quoted(pieces)))


def collapsed(pieces: list[Piece]) -> list[Piece]:
    """One place for places that follow each other, one unit for a unit that is repeated."""
    found: list[Piece] = []
    for piece in pieces:
        found.append(piece)
        while _drop_repeated(found):
            pass
    return found


def _end_of_words(message: str, text: str) -> int:
    """Where one place begins that is the rest: the frames of a stack trace, or a word cut off."""
    frames = _FRAMES.search(message, 0, MAX_CHARACTERS)
    if frames is not None:
        return min(len(spaced(message[: frames.start()])) + 1, len(text))
    # The last word of a message that is too long may have been cut.
    return text.rfind(" ") + 1 if len(message) >= MAX_CHARACTERS else len(text)


def _cut(text: str) -> list[Piece]:
    pieces: list[Piece] = []
    at = 0
    for start, end, kind in places_of(text):
        pieces += _words(text, at, start)
        pieces.append(Piece(VARIABLE, start, end, kind))
        at = end
    return pieces + _words(text, at, len(text))


def _words(text: str, start: int, end: int) -> list[Piece]:
    pieces = []
    for match in _TOKEN.finditer(text, start, end):
        first, last = match.span()
        if match[1] is None:
            if not match[0].isspace():
                pieces.append(Piece(match[0], first, last, "sign"))
            continue
        word = match[1].rstrip(_END_OF_SENTENCE)
        if word:
            pieces.append(_word(word, first))
        if first + len(word) < last:
            pieces.append(Piece(text[first + len(word) : last], first + len(word), last, "sign"))
    return pieces


def _word(word: str, start: int) -> Piece:
    end = start + len(word)
    if not any(character.isdigit() for character in word):
        return Piece(word, start, end)
    numbered = _NUMBERED.fullmatch(word)
    if numbered is not None:
        return Piece(f"{numbered[1]}#", start, end, "numbered")
    return Piece(word, start, end, "id")


def _joined(pieces: list[Piece], text: str) -> list[Piece]:
    """Places that no space and no word parts are one; so is a word that a place is stuck to."""
    found: list[Piece] = []
    for n, piece in enumerate(pieces):
        if not piece.is_variable and piece.kind != "sign":
            before = n > 0 and pieces[n - 1].is_variable and pieces[n - 1].end == piece.start
            after = (
                n + 1 < len(pieces)
                and pieces[n + 1].is_variable
                and pieces[n + 1].start == piece.end
            )
            if before or after:
                piece = piece._replace(word=VARIABLE, kind="id")
        if piece.is_variable and (last := _last_place(found)) is not None:
            place = found[last]
            if " " not in text[place.end : piece.start]:
                is_stuck = place.end == piece.start
                del found[last + 1 :]
                found[last] = place.grown(piece.end) if is_stuck else place.with_part(piece)
                continue
        found.append(piece)
    return found


def _last_place(pieces: list[Piece]) -> int | None:
    """Where the last place is, when only signs follow it."""
    for n in range(len(pieces) - 1, -1, -1):
        if pieces[n].is_variable:
            return n
        if pieces[n].kind != "sign":
            return None
    return None


def _quoted(pieces: list[Piece]) -> list[Piece]:
    """Several pieces between double quotes are one: what people wrote has any number of words."""
    quotes = [n for n, piece in enumerate(pieces) if piece.word == '"']
    if len(quotes) % 2 or any(piece.repeated_to for piece in pieces):
        return pieces
    found: list[Piece] = []
    at = 0
    for opening, closing in zip(quotes[::2], quotes[1::2], strict=True):
        inner = pieces[opening + 1 : closing]
        found += pieces[at : opening + 1]
        if len(inner) > 1:
            word = " ".join(piece.word for piece in inner)
            found.append(Piece(word, inner[0].start, inner[-1].end, inner=tuple(inner)))
        else:
            found += inner
        at = closing
    return found + pieces[at:]


def _drop_repeated(pieces: list[Piece]) -> bool:
    """Drop the unit at the end when it stands before itself: a place twice, others three times."""
    for size in range(1, _LONGEST_UNIT + 1):
        for between in (0, 1):
            step = size + between
            if len(pieces) < size + step:
                return False
            if pieces[-1].word != pieces[-1 - step].word:
                continue
            if between and pieces[-size - 1].word not in _BETWEEN_UNITS:
                continue
            unit = [piece.word for piece in pieces[-size:]]
            if VARIABLE not in unit or unit != _unit(pieces, len(pieces) - size - step, size):
                continue
            if not _is_whole(unit):
                continue
            first = len(pieces) - size - step
            last = pieces[-1]
            if size == 1:
                place = pieces[first].with_part(last)
            elif pieces[first + size - 1].repeated_to:
                place = pieces[first + size - 1]._replace(repeated_to=last.end)
            elif first >= step and unit == _unit(pieces, first - step, size):
                first -= step
                place = pieces[first + size - 1]._replace(repeated_to=last.end)
            else:
                continue
            pieces[first + size - 1 :] = [place]
            return True
    return False


def _is_whole(unit: list[str]) -> bool:
    """False of a unit that begins or ends within quotes or brackets."""
    return all(unit.count(quote) % 2 == 0 for quote in "\"'`") and all(
        unit.count(opening) == unit.count(closing) for opening, closing in ("()", "[]", "{}")
    )


def _unit(pieces: list[Piece], first: int, size: int) -> list[str]:
    return [piece.word for piece in pieces[first : first + size]]

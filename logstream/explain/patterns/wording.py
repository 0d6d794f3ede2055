"""The template of a group: what its messages have in common, and what kinds of values differ."""

import re
from collections.abc import Sequence
from itertools import pairwise

from logstream.explain.patterns.words import VARIABLE, Message, Piece, collapsed
from logstream.template import MAX_CHARACTERS

MAX_TEMPLATE_CHARACTERS = MAX_CHARACTERS
EMPTY = "<empty message>"
# Of values that follow each other, more are told as one list.
MAX_PARTS = 6
# So many messages with one name, `OrderService#48`, and it is a constant until another comes.
_SAME_NAME_IN = 4
_NAME = re.compile(r"(?!.*\d{5})[\w.$]*[A-Za-z]{4}[\w.$#:-]*")


def template_of(messages: Sequence[Message], common: Sequence[str]) -> str:
    """The template of messages of one length, whose words `common` are the same.

    A word that only seems to be a constant, because few examples are known, is corrected when
    there are more of them.
    """
    aligned = [_aligned(message, common) for message in messages]
    text = _sequence(aligned, messages)
    if aligned[0]:
        text = messages[0].text[: aligned[0][0].start] + text
    return text[:MAX_TEMPLATE_CHARACTERS] or EMPTY


def _sequence(aligned: Sequence[Sequence[Piece]], messages: Sequence[Message]) -> str:
    """Pieces that correspond to each other one by one, from the first to the last."""
    text = ""
    for place, piece in enumerate(aligned[0]):
        if place:
            before = aligned[0][place - 1]
            text += messages[0].text[before.repeated_to or before.end : piece.start]
        text += _said([pieces[place] for pieces in aligned], messages)
        if any(pieces[place].repeated_to for pieces in aligned):
            text += "<list>"
    return text


def _aligned(message: Message, common: Sequence[str]) -> list[Piece]:
    if message.shape == common:
        return list(message.pieces)
    pieces = [
        piece._replace(word=VARIABLE, kind="text" if piece.inner else "word", inner=())
        if word == VARIABLE and not piece.is_variable
        else piece
        for piece, word in zip(message.pieces, common, strict=True)
    ]
    return collapsed(pieces)


def _said(pieces: Sequence[Piece], messages: Sequence[Message]) -> str:
    if pieces[0].inner:
        return _sequence([piece.inner for piece in pieces], messages)
    texts = _texts(pieces, messages)
    if not pieces[0].is_variable:
        # Of `eth0` and `eth1` what is before the number.
        return texts[0] if len(texts) == 1 else f"{pieces[0].word[:-1]}<num>"
    parts = [piece.parts or (piece,) for piece in pieces]
    between = {_between(own, message) for own, message in zip(parts, messages, strict=True)}
    if len(between) > 1 or len(parts[0]) > MAX_PARTS or _is_list(parts):
        return "<list>" if any(" " in text or "," in text for text in texts) else "<id>"
    said = ""
    for place, literal in enumerate((*between.pop(), "")):
        own = [one[place] for one in parts]
        texts = _texts(own, messages)
        is_constant = len(texts) == 1 and len(messages) >= _SAME_NAME_IN
        if is_constant and own[0].kind == "id" and _NAME.fullmatch(texts[0]):
            said += f"{texts[0]}{literal}"
        else:
            said += f"<{_kind([one.kind for one in own], texts)}>{literal}"
    return said


def _between(parts: Sequence[Piece], message: Message) -> tuple[str, ...]:
    return tuple(message.text[one.end : other.start] for one, other in pairwise(parts))


def _is_list(parts: Sequence[Sequence[Piece]]) -> bool:
    """True of several values of one kind, of which there may be another number."""
    return len(parts[0]) > 2 and len({part.kind for own in parts for part in own}) == 1


def _texts(pieces: Sequence[Piece], messages: Sequence[Message]) -> list[str]:
    return sorted(
        {
            message.text[piece.start : piece.end]
            for piece, message in zip(pieces, messages, strict=True)
        }
    )


def _kind(kinds: Sequence[str], texts: Sequence[str]) -> str:
    found = {"id" if kind == "numbered" else kind or "word" for kind in kinds}
    if len(found) == 1:
        return found.pop()
    if "text" in found or any(" " in text for text in texts):
        return "text"
    return "word" if "word" in found else "id"

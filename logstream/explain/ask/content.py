"""The words of a question that may stand in messages, in groups that mean one thing."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from logstream.explain.ask.filler import FILLER, NEGATIONS, WEAK
from logstream.explain.ask.question import Question
from logstream.explain.ask.severities import SOFT
from logstream.explain.ask.synonyms import PAIRS
from logstream.explain.ask.templates import TemplateIndex
from logstream.explain.ask.words import pieces_of, stem

_ENDS_A_GROUP = NEGATIONS | {"or", ".", ";", "but", "except", "-"}


@dataclass(frozen=True)
class Word:
    """A word at tokens `first` to `last`, in lower case; a weak one says little alone."""

    first: int
    last: int
    text: str
    is_weak: bool = False

    @property
    def stem(self) -> str:
        """See `words.stem`."""
        return stem(self.text)

    @property
    def says_something(self) -> bool:
        """False for words that mean little, or rather a severity, when they stand alone."""
        return not self.is_weak and self.text not in SOFT


@dataclass(frozen=True)
class Group:
    """Words that belong together; whether an "or" stands before and behind them."""

    words: tuple[Word, ...]
    or_before: bool = False
    or_after: bool = False


def groups_of(question: Question, templates: TemplateIndex) -> list[Group]:
    """Content words in groups that "or", negations and ends of sentences part."""
    groups: list[Group] = []
    position = 0
    for word in content_of(question, templates):
        between = {question.any_word(at) for at in range(position, word.first)}
        is_or = "or" in between
        if not groups or between & _ENDS_A_GROUP:
            if groups and is_or:
                groups[-1] = Group(groups[-1].words, groups[-1].or_before, or_after=True)
            groups.append(Group((word,), or_before=is_or and len(groups) > 0))
        else:
            groups[-1] = Group((*groups[-1].words, word), groups[-1].or_before)
        position = word.last + 1
    return [group for group in groups if any(word.says_something for word in group.words)]


def content_of(question: Question, templates: TemplateIndex) -> list[Word]:
    """Free words that are no filler. Of a compound that a pattern has in pieces the pieces."""
    words: list[Word] = []
    skip = -1
    for index, token in enumerate(question.tokens):
        if index <= skip or not question.is_free(index) or token.is_mark or token.is_quoted:
            continue
        pair = PAIRS.get((token.lower, question.word(index + 1)))
        if pair and question.is_free(index + 1):
            words.append(Word(index, index + 1, pair))
            skip = index + 1
        elif token.lower in NEGATIONS:
            if _is_literal(question, templates, index):
                words.append(Word(index, index, token.lower))
        elif token.lower not in FILLER - WEAK and any(letter.isalnum() for letter in token.text):
            pieces = _known_pieces(templates, token.text.strip("*"))
            words += [Word(index, index, piece, token.lower in WEAK) for piece in pieces]
    return words


def every_word(question: Question) -> list[Word]:
    """All free words, those that say nothing included; two that are written as one joined."""
    words: list[Word] = []
    skip = -1
    for index, token in enumerate(question.tokens):
        if index <= skip or not question.word(index) or token.is_mark:
            continue
        pair = PAIRS.get((token.lower, question.word(index + 1)))
        words.append(Word(index, index + bool(pair), pair or token.lower.strip("*")))
        skip = index + bool(pair)
    return words


def named_services(question: Question) -> set[str]:
    """The services that the question speaks of, those that it rules out left out."""
    return {
        name
        for part in question.parts
        if part.field == "service" and not part.is_excluded
        for name in part.values
    }


def positions(words: Iterable[Word]) -> set[int]:
    """The tokens of words."""
    return {at for word in words for at in range(word.first, word.last + 1)}


def _known_pieces(templates: TemplateIndex, text: str) -> tuple[str, ...]:
    """`blockMap` as block and map where some pattern has these beside each other."""
    pieces = pieces_of(text)
    stems = [stem(piece) for piece in pieces]
    are_together = len(pieces) > 1 and all(
        templates.are_neighbours(one, other) for one, other in pairwise(stems)
    )
    return pieces if are_together else (text.lower(),)


def _is_literal(question: Question, templates: TemplateIndex, index: int) -> bool:
    """True for `not` of "not found" where a pattern has both: no negation then."""
    following = index + 1
    while question.word(following) in ("the", "a", "any"):
        following += 1
    word = question.word(following)
    return bool(word) and templates.are_neighbours(stem(question.word(index)), stem(word))

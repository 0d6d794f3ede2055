"""The words of the log's own patterns, and which patterns some words speak of."""

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from logstream.explain.ask.words import pieces_of, stem
from logstream.template import PLACE

_WORD = re.compile(r"[^\W\d_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_CLOSE = 0.85
_SAME_FORM = 0.15
# The share of the most telling piece that another must have to be searched for beside it.
_TELLING = 0.4


@dataclass(frozen=True)
class KnownPattern:
    """A pattern of the log: its template with typed places, an example, and who writes it."""

    id: int
    template: str
    example: str = ""
    count: int = 0
    services: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()


@dataclass(frozen=True)
class TemplateWord:
    """A literal word of a template: of which piece between its places, and where in it."""

    stem: str
    form: str
    segment: int
    start: int
    end: int


@dataclass(frozen=True)
class Match:
    """A pattern that words of a question speak of.

    `anchors` are the literal pieces that hold these words; `used` the positions of the words
    among those asked; `coverage` the share of what was asked, by weight, that it accounts for.
    """

    pattern: int
    score: float
    coverage: float
    anchors: tuple[str, ...]
    used: frozenset[int]


class TemplateIndex:
    """Patterns by the stems of their literal words."""

    def __init__(self, patterns: Sequence[KnownPattern]) -> None:
        self.patterns = patterns
        self.segments = [_literals_of(pattern.template) for pattern in patterns]
        self.words = [_words_of(segments) for segments in self.segments]
        self.texts = ["\n".join(segments).lower() for segments in self.segments]
        self._shown: dict[int, frozenset[str]] = {}
        self._by_stem: dict[str, set[int]] = {}
        for number, words in enumerate(self.words):
            for word in words:
                self._by_stem.setdefault(word.stem, set()).add(number)

    @cached_property
    def _example_stems(self) -> frozenset[str]:
        return frozenset(
            stem(piece) for pattern in self.patterns for piece in pieces_of(pattern.example)
        )

    def knows(self, word: str) -> bool:
        """True when a stem is a literal word of some pattern."""
        return word in self._by_stem

    def has_seen(self, word: str) -> bool:
        """True when a stem stands in a pattern or in its example."""
        return word in self._by_stem or word in self._example_stems

    def weight(self, word: str) -> float:
        """How telling a stem is: the rarer among patterns, the more (as in idf)."""
        found = len(self._by_stem.get(word, ()))
        return max(math.log((len(self.patterns) + 1) / (found + 0.5)), 0.15)

    @cached_property
    def _neighbours(self) -> frozenset[tuple[str, str]]:
        return frozenset(
            (one.stem, other.stem) for words in self.words for one, other in pairwise(words)
        )

    def are_neighbours(self, one: str, other: str) -> bool:
        """True when the stems stand beside each other in some pattern."""
        return (one, other) in self._neighbours

    def holding(self, phrases: Collection[str]) -> set[int]:
        """Patterns whose literal text holds all of the phrases, in any case."""
        lowered = [phrase.lower() for phrase in phrases]
        return {
            number
            for number, text in enumerate(self.texts)
            if all(phrase in text for phrase in lowered)
        }

    def best(
        self,
        asked: Sequence[Mapping[str, float]],
        services: Collection[str] = (),
        forms: Sequence[str] = (),
    ) -> list[Match]:
        """The patterns that account best for what is asked, those about as good included.

        `asked` gives for each word the stems it may stand for, with how well. When `services`
        are named, patterns that others write do not count. `forms` are the words as they were
        said: a pattern with the same form comes first.
        """
        weights = [self._weight_asked(word) for word in asked]
        total = sum(weights) or 1.0
        candidates: set[int] = set()
        for word in asked:
            for one in word:
                candidates |= self._by_stem.get(one, set())
        if services:
            named = set(services)
            of_services = {
                number
                for number in candidates
                if not self.patterns[number].services or named & set(self.patterns[number].services)
            }
            candidates = of_services or candidates
        matches = [self._match(number, asked, forms, total) for number in candidates]
        if not matches:
            return []
        best = max(match.score for match in matches)
        close = [match for match in matches if match.score >= best * _CLOSE]
        return sorted(close, key=lambda match: (-match.score, -self.patterns[match.pattern].count))

    def _weight_asked(self, word: Mapping[str, float]) -> float:
        """How much a word weighs in what is asked; one that no pattern knows a middling amount."""
        known = [self.weight(one) * fit for one, fit in word.items() if one in self._by_stem]
        return max(known, default=max(word.values()) * math.log(len(self.patterns) + 1) / 2)

    def _match(
        self,
        number: int,
        asked: Sequence[Mapping[str, float]],
        forms: Sequence[str],
        total: float,
    ) -> Match:
        words = self.words[number]
        places: dict[int, list[int]] = {}
        score = 0.0
        for position, word in enumerate(asked):
            best = 0.0
            for one, fit in word.items():
                at = [index for index, found in enumerate(words) if found.stem == one]
                if at:
                    places.setdefault(position, []).extend(at)
                    best = max(best, self.weight(one) * fit)
            score += best
        coverage = score / total
        for position, at in places.items():
            following = places.get(position + 1, ())
            if any(index + 1 in following or index - 1 in following for index in at):
                score += 0.3 * total / max(len(asked), 1)
        for position in range(len(forms)):
            if any(forms[position] == words[index].form for index in places.get(position, ())):
                score += _SAME_FORM * total / len(asked)
        # Of equally good ones the shorter says less that was not asked.
        score -= 0.01 * len(words)
        return Match(number, score, coverage, self._anchors(number, places), frozenset(places))

    def _anchors(self, number: int, places: Mapping[int, Sequence[int]]) -> tuple[str, ...]:
        """In each piece between places the text from the first word asked for to the last."""
        words = self.words[number]
        asked_at = {index: position for position, at in places.items() for index in at}
        by_segment: dict[int, list[int]] = {}
        for index in sorted(asked_at):
            by_segment.setdefault(words[index].segment, []).append(index)
        spans = {
            segment: _without_repeats(found, asked_at) for segment, found in by_segment.items()
        }
        masses = {
            segment: sum(self.weight(words[index].stem) for index in found)
            for segment, found in spans.items()
        }
        anchors = [
            self.segments[number][segment][words[found[0]].start : words[found[-1]].end]
            for segment, found in spans.items()
            if masses[segment] >= _TELLING * max(masses.values())
        ]
        return tuple(
            one
            for one in dict.fromkeys(anchors)
            if not any(one != other and one.lower() in other.lower() for other in anchors)
        )

    def shows(self, word: str, patterns: Collection[int]) -> bool:
        """True when a stem stands in one of the patterns or in its example."""
        return any(word in self._stems_of(number) for number in patterns)

    def _stems_of(self, number: int) -> frozenset[str]:
        if number not in self._shown:
            text = f"{self.patterns[number].template} {self.patterns[number].example}"
            self._shown[number] = frozenset(stem(piece) for piece in pieces_of(text))
        return self._shown[number]

    def as_written(self, match: Match, anchor: str) -> tuple[str, ...]:
        """The anchor; its words one by one where messages have other white space between them."""
        example = self.patterns[match.pattern].example.lower()
        anchor = " ".join(anchor.split())
        if not example or anchor.lower() in example:
            return (anchor,) if anchor else ()
        return tuple(anchor.split())

    def whole_segments(self, match: Match) -> tuple[str, ...]:
        """The match's anchors as the whole pieces that they stand in, without marks at the ends."""
        return tuple(
            next(
                (
                    segment.strip(" \t:;,.[](){}'\"=-")
                    for segment in self.segments[match.pattern]
                    if anchor in segment
                ),
                anchor,
            )
            for anchor in match.anchors
        )


def _without_repeats(found: list[int], asked_at: Mapping[int, int]) -> list[int]:
    """Without words at either end that come again further in: `session` of "session): session"."""
    while len(found) > 1 and any(asked_at[found[0]] == asked_at[other] for other in found[1:]):
        found = found[1:]
    while len(found) > 1 and any(asked_at[found[-1]] == asked_at[other] for other in found[:-1]):
        found = found[:-1]
    return found


def _literals_of(template: str) -> list[str]:
    """The literal pieces of a template, between its typed places."""
    return PLACE.split(template)[::2]


def _words_of(segments: Sequence[str]) -> list[TemplateWord]:
    words: list[TemplateWord] = []
    for number, segment in enumerate(segments):
        for found in _WORD.finditer(segment):
            start = found.start()
            for piece in _CAMEL.split(found[0]):
                words.append(
                    TemplateWord(
                        stem(piece.lower()), piece.lower(), number, start, start + len(piece)
                    )
                )
                start += len(piece)
    return words

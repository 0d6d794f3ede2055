"""What people say in one way and programs write in others: failed logins, out of memory."""

from collections.abc import Sequence

from logstream.explain.ask.content import every_word, named_services
from logstream.explain.ask.filler import FILLER, WEAK
from logstream.explain.ask.q_terms import any_of, text_term
from logstream.explain.ask.question import Part, Question
from logstream.explain.ask.severities import HARD
from logstream.explain.ask.synonyms import IDIOMS
from logstream.explain.ask.templates import TemplateIndex
from logstream.explain.ask.vocabulary import Vocabulary
from logstream.explain.ask.words import stem

_MOST_PHRASES = 6
_LONGEST_GAP = 3
_LONGEST_LITERAL = 10


def read_literals(question: Question, vocabulary: Vocabulary) -> None:
    """Take three words and more that stand in a pattern of the log just as they were said."""
    index = vocabulary.templates
    words = [question.word(at) for at in range(len(question.tokens))]
    for length in range(min(_LONGEST_LITERAL, len(words)), 2, -1):
        for first in range(len(words) - length + 1):
            said = words[first : first + length]
            telling = [word for word in said if word and word not in FILLER | WEAK | HARD.keys()]
            is_known = all(word and index.knows(stem(word)) for word in said)
            if not is_known or len(telling) < 2 or first in question.taken:
                continue
            text = question.words(first, first + length - 1)
            if patterns := index.holding([text]):
                question.add(
                    Part(
                        *(first, first + length - 1, "q", (text_term(text),)),
                        f"messages with “{text}”",
                        is_soft=True,
                        patterns=frozenset(patterns),
                    )
                )
                words[first : first + length] = [""] * length


def read_idioms(question: Question, vocabulary: Vocabulary) -> None:
    """Take what people say in one way and programs write in others: failed logins."""
    services = named_services(question)
    index = vocabulary.templates
    for asked, written in IDIOMS:
        found = _idiom_at(question, asked)
        if found is None:
            continue
        first, last, positions = found
        in_use = _in_use(index, written, services) or _in_use(index, written, set())
        phrases = in_use or written
        kept = [one for one in phrases if not any(o != one and o in one for o in phrases)]
        term = any_of([text_term(phrase) for phrase in kept[:_MOST_PHRASES]])
        said = question.words(first, last)
        meaning = f"messages with {' or '.join(f'“{phrase}”' for phrase in kept[:_MOST_PHRASES])}"
        is_literal = len(kept) == 1 and kept[0] in said.lower()
        part = Part(
            *(first, last, "q", (term,), meaning),
            sure="certain" if is_literal else "likely" if in_use else "guess",
            alternatives=() if is_literal else (f"the words “{said}” in messages",),
            is_soft=True,
            patterns=frozenset(number for phrase in kept for number in index.holding([phrase])),
        )
        question.parts.append(part)
        question.take(positions)


def _in_use(index: TemplateIndex, written: Sequence[str], services: set[str]) -> list[str]:
    """The phrases that a pattern of the services (of any, when none is named) has."""
    return [
        phrase
        for phrase in written
        if any(
            not services
            or not index.patterns[number].services
            or services & set(index.patterns[number].services)
            for number in index.holding([phrase])
        )
    ]


def _idiom_at(question: Question, asked: Sequence[str]) -> tuple[int, int, list[int]] | None:
    words = every_word(question)
    for phrase in sorted(asked, key=lambda one: -len(one.split())):
        wanted = [stem(word) for word in phrase.split()]
        for start, word in enumerate(words):
            if word.stem == wanted[0]:
                chosen = [word]
                for other in words[start + 1 :]:
                    is_far = other.first - chosen[-1].last > _LONGEST_GAP + 1
                    if len(chosen) == len(wanted) or is_far:
                        break
                    if other.stem == wanted[len(chosen)]:
                        chosen.append(other)
                if len(chosen) == len(wanted):
                    positions = [at for one in chosen for at in range(one.first, one.last + 1)]
                    return chosen[0].first, chosen[-1].last, positions
    return None

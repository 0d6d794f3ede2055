"""What people say in one way and programs write in others: failed logins, out of memory."""

from collections.abc import Sequence

from logstream.explain.ask.content import every_word, named_services
from logstream.explain.ask.q_terms import any_of, text_term
from logstream.explain.ask.question import Part, Question
from logstream.explain.ask.synonyms import IDIOMS
from logstream.explain.ask.templates import TemplateIndex
from logstream.explain.ask.vocabulary import Vocabulary
from logstream.explain.ask.words import stem

_MOST_PHRASES = 6
_LONGEST_GAP = 3


def read_idioms(question: Question, vocabulary: Vocabulary) -> None:
    """Take what people say in one way and programs write in others: failed logins."""
    services = named_services(question)
    index = vocabulary.templates
    for asked, written in IDIOMS:
        found = _idiom_at(question, asked, index)
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


def _idiom_at(
    question: Question, asked: Sequence[str], templates: TemplateIndex
) -> tuple[int, int, list[int]] | None:
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

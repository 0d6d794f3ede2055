"""What is left of a question: words of messages, mapped to how the log itself puts them."""

from collections.abc import Sequence
from itertools import pairwise

from logstream.explain.ask.filler import FILLER, NEGATIONS
from logstream.explain.ask.q_terms import any_of, text_term
from logstream.explain.ask.question import Part, Question
from logstream.explain.ask.severities import SOFT
from logstream.explain.ask.synonyms import IDIOMS, PAIRS, meanings
from logstream.explain.ask.templates import Match, TemplateIndex
from logstream.explain.ask.vocabulary import Vocabulary
from logstream.explain.ask.words import pieces_of, stem, word_set

_ENOUGH = 0.5
_MOST_PHRASES = 6
_LONGEST_IDIOM_GAP = 3
# Filler that is content where a pattern has it beside another content word.
_WEAK_CONTENT = word_set(
    """attempt attempts event events request requests time times take taken took used use detected
    received detect receive result results user users server servers host hosts level application
    service services produced written performed identified log logged made log-in data file
    number seconds open opened"""
)


class _Word:
    """A content word: its token positions and stem."""

    def __init__(self, first: int, last: int, word: str, is_weak: bool) -> None:
        self.first, self.last, self.word, self.is_weak = first, last, word, is_weak
        self.stem = stem(word)


def read_idioms(question: Question, vocabulary: Vocabulary) -> None:
    """Take what people say in one way and programs write in others: failed logins."""
    services = _named_services(question)
    index = vocabulary.templates
    for asked, written in IDIOMS:
        found = _idiom_at(question, asked)
        if found is None:
            continue
        first, last, positions = found
        phrases = [
            phrase
            for phrase in written
            if any(
                not services
                or not index.patterns[number].services
                or services & set(index.patterns[number].services)
                for number in index.holding([phrase])
            )
        ]
        if not phrases:
            continue
        kept = [one for one in phrases if not any(o != one and o in one for o in phrases)]
        term = any_of([text_term(phrase) for phrase in kept[:_MOST_PHRASES]])
        said = question.words(first, last)
        meaning = f"messages with {' or '.join(f'“{phrase}”' for phrase in kept[:_MOST_PHRASES])}"
        is_literal = len(kept) == 1 and kept[0] in said.lower()
        part = Part(
            *(first, last, "q", (term,), meaning),
            sure="certain" if is_literal else "likely",
            alternatives=() if is_literal else (f"the words “{said}” in messages",),
            is_soft=True,
        )
        question.parts.append(part)
        question.take(positions)


def _idiom_at(question: Question, asked: Sequence[str]) -> tuple[int, int, list[int]] | None:
    words = [word for word in _content(question, FILLER - _WEAK_CONTENT) if word.stem]
    for phrase in sorted(asked, key=lambda one: -len(one.split())):
        wanted = phrase.split()
        for start, word in enumerate(words):
            if _same(word.stem, wanted[0]):
                chosen = [word]
                for other in words[start + 1 : start + len(wanted) + 1]:
                    if len(chosen) == len(wanted):
                        break
                    near = other.first - chosen[-1].last <= _LONGEST_IDIOM_GAP + 1
                    if near and _same(other.stem, wanted[len(chosen)]):
                        chosen.append(other)
                if len(chosen) == len(wanted):
                    positions = [at for one in chosen for at in range(one.first, one.last + 1)]
                    return chosen[0].first, chosen[-1].last, positions
    return None


def _same(found: str, wanted: str) -> bool:
    return found == wanted or stem(wanted) == found


def read_text(question: Question, vocabulary: Vocabulary) -> None:
    """Take the remaining content words as the phrases of patterns, or as words of messages."""
    for group in _groups(question):
        _read_group(question, vocabulary, group)


def _groups(question: Question) -> list[list[_Word]]:
    """Content words in groups that "or", negations and ends of sentences part."""
    words = _content(question, FILLER - _WEAK_CONTENT)
    groups: list[list[_Word]] = [[]]
    position = 0
    for word in words:
        between = {question.any_word(at) for at in range(position, word.first)}
        if between & (NEGATIONS | {"or", ".", ";", "but", "except"}) and groups[-1]:
            groups.append([])
        groups[-1].append(word)
        position = word.last + 1
    return [group for group in groups if any(not word.is_weak for word in group)]


def _content(question: Question, filler: frozenset[str]) -> list[_Word]:
    words: list[_Word] = []
    skip = -1
    for index, token in enumerate(question.tokens):
        if index <= skip or not question.is_free(index) or token.is_mark or token.is_quoted:
            continue
        pair = PAIRS.get((token.lower, question.word(index + 1)))
        if pair and question.is_free(index + 1):
            words.append(_Word(index, index + 1, pair, False))
            skip = index + 1
        elif token.lower not in filler and any(letter.isalnum() for letter in token.text):
            words.append(_Word(index, index, token.lower, token.lower in FILLER))
    return words


def _read_group(question: Question, vocabulary: Vocabulary, group: list[_Word]) -> None:
    index = vocabulary.templates
    left = group
    matches = _matches(question, index, group)
    if matches and _is_enough(index, group, matches[0]):
        used = _add_patterns(question, index, group, matches)
        left = [word for number, word in enumerate(group) if number not in used]
    elif len(group) > 1 and (pieces := _halves(question, group)):
        for piece in pieces:
            _read_group(question, vocabulary, piece)
        return
    has_text = any(part.field == "q" for part in question.parts)
    for word in left:
        _add_word(question, index, word, has_text=has_text)


def _matches(question: Question, index: TemplateIndex, group: list[_Word]) -> list[Match]:
    asked = [_asked(index, word) for word in group]
    return index.best(asked, _named_services(question))


def _asked(index: TemplateIndex, word: _Word) -> dict[str, float]:
    """Stems that the word may stand for; of a compound such as `vif-plugged` also its pieces."""
    found = meanings(word.stem)
    pieces = pieces_of(word.word)
    if len(pieces) > 1 and not index.knows(word.stem):
        for piece in pieces:
            found[stem(piece)] = 0.9
    if word.is_weak:
        return {one: fit * 0.4 for one, fit in found.items()}
    return found


def _is_enough(index: TemplateIndex, group: list[_Word], best: Match) -> bool:
    strong = [number for number, word in enumerate(group) if not word.is_weak]
    matched = [number for number in strong if number in best.used]
    return bool(matched) and best.coverage >= _ENOUGH and len(matched) * 2 >= len(strong)


def _halves(question: Question, group: list[_Word]) -> list[list[_Word]]:
    """The group parted where "and" or a comma stands."""
    pieces: list[list[_Word]] = [[group[0]]]
    for before, word in pairwise(group):
        between = {question.any_word(at) for at in range(before.last + 1, word.first)}
        if between & {"and", ",", "&"}:
            pieces.append([])
        pieces[-1].append(word)
    return pieces if len(pieces) > 1 else []


def _add_patterns(
    question: Question, index: TemplateIndex, group: list[_Word], matches: list[Match]
) -> set[int]:
    """Add what finds the patterns that matched; the positions in the group that it accounts for."""
    best = matches[0]
    chosen = [match for match in matches if match.used == best.used][:_MOST_PHRASES]
    wanted = {match.pattern for match in chosen}
    terms: dict[str, tuple[str, ...]] = {}
    covered: set[int] = set()
    for match in chosen:
        if match.pattern in covered:
            continue
        anchors = match.anchors
        if len(index.holding(anchors) - wanted) > len(wanted):
            anchors = index.whole_segments(match)
        covered |= index.holding(anchors)
        term = " ".join(text_term(anchor) for anchor in anchors if anchor.strip())
        if term:
            terms[term] = anchors
    if not terms:
        return set()
    first, last = group[min(best.used)].first, group[max(best.used)].last
    phrases = [" … ".join(anchors) for anchors in terms.values()]
    said = question.words(first, last)
    is_literal = all(phrase.lower() in said.lower() for phrase in phrases)
    shown = index.patterns[best.pattern].template
    question.parts.append(
        Part(
            *(first, last, "q", (any_of(list(terms)),)),
            f"messages with {' or '.join(f'“{phrase}”' for phrase in phrases)}",
            sure="certain" if is_literal else "likely",
            alternatives=() if is_literal else (f"the words “{said}” in messages",),
            is_soft=True,
        )
    )
    if not is_literal:
        question.notes.append(f"“{said}” is put as the log has it: {shown[:160]}")
    for number in best.used:
        question.take(range(group[number].first, group[number].last + 1))
    return set(best.used)


def _add_word(question: Question, index: TemplateIndex, word: _Word, *, has_text: bool) -> None:
    """One word of messages; one that no pattern knows only when nothing else is searched for."""
    if word.is_weak or (word.word in SOFT and not index.knows(word.stem)) or word.word in SOFT:
        return
    token = question.tokens[word.first]
    is_seen = index.has_seen(word.stem) or any(index.has_seen(one) for one in meanings(word.stem))
    text = question.words(word.first, word.last)
    if not is_seen and has_text and index.patterns:
        question.notes.append(f"“{text}” stands in no pattern of the log; it is left out")
        question.lose(word.first, word.last)
        return
    spoken = _spoken(index, word, token.text if word.first == word.last else text)
    sure = "certain" if index.has_seen(word.stem) else "guess"
    if sure == "guess" and index.patterns:
        question.notes.append(f"“{text}” stands in no pattern of the log; it is searched as text")
    question.add(
        Part(
            *(word.first, word.last, "q", (spoken,), f"messages with “{spoken.strip(chr(34))}”"),
            sure=sure,  # type: ignore[arg-type]
            alternatives=() if sure == "certain" else ("leave the word out",),
            is_soft=True,
        )
    )


def _spoken(index: TemplateIndex, word: _Word, text: str) -> str:
    """The term for a word: its stem where that finds the forms that the log uses."""
    if index.holding([word.word]) or not index.knows(word.stem):
        return text_term(text)
    forms = {
        template[found.start : found.end].lower()
        for number, words in enumerate(index.words)
        for found in words
        if found.stem == word.stem
        for template in [index.segments[number][found.segment]]
    }
    shared = _shared_start([*forms, word.word])
    return (
        text_term(shared) if len(shared) > 3 else any_of([text_term(one) for one in sorted(forms)])
    )


def _shared_start(words: Sequence[str]) -> str:
    first, last = min(words), max(words)
    size = next(
        (at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other),
        min(len(first), len(last)),
    )
    return first[:size]


def _named_services(question: Question) -> set[str]:
    return {
        name
        for part in question.parts
        if part.field == "service" and not part.is_excluded
        for name in part.values
    }

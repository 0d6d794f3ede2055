"""What is left of a question: words of messages, mapped to how the log itself puts them."""

from collections.abc import Sequence
from itertools import pairwise

from logstream.explain.ask.filler import FILLER, NEGATIONS, WEAK
from logstream.explain.ask.q_terms import any_of, text_term
from logstream.explain.ask.question import Part, Question
from logstream.explain.ask.severities import SOFT
from logstream.explain.ask.synonyms import IDIOMS, PAIRS, meanings
from logstream.explain.ask.templates import Match, TemplateIndex
from logstream.explain.ask.vocabulary import Vocabulary
from logstream.explain.ask.words import pieces_of, stem

_ENOUGH = 0.5
_MOST_PHRASES = 6
_LONGEST_IDIOM_GAP = 3
_MOST_FORMS = 3


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
    words = _every_word(question)
    for phrase in sorted(asked, key=lambda one: -len(one.split())):
        wanted = [stem(word) for word in phrase.split()]
        for start, word in enumerate(words):
            if word.stem == wanted[0]:
                chosen = [word]
                for other in words[start + 1 :]:
                    is_far = other.first - chosen[-1].last > _LONGEST_IDIOM_GAP + 1
                    if len(chosen) == len(wanted) or is_far:
                        break
                    if other.stem == wanted[len(chosen)]:
                        chosen.append(other)
                if len(chosen) == len(wanted):
                    positions = [at for one in chosen for at in range(one.first, one.last + 1)]
                    return chosen[0].first, chosen[-1].last, positions
    return None


def read_text(question: Question, vocabulary: Vocabulary) -> None:
    """Take the remaining content words as the phrases of patterns, or as words of messages."""
    _take_names_again(question)
    for group in _groups(question, vocabulary.templates):
        _read_group(question, vocabulary, group)


def _take_names_again(question: Question) -> None:
    """Take words that only say again what service is meant: `SSH` beside `openssh-eu`."""
    names = " ".join(sorted(_named_services(question))).lower()
    for index in range(len(question.tokens)):
        word = question.word(index)
        if len(word) > 2 and word.isalpha() and word not in FILLER and word in names:
            question.take([index])


def _groups(question: Question, templates: TemplateIndex) -> list[list[_Word]]:
    """Content words in groups that "or", negations and ends of sentences part."""
    words = _content(question, templates)
    groups: list[list[_Word]] = [[]]
    position = 0
    for word in words:
        between = {question.any_word(at) for at in range(position, word.first)}
        if between & (NEGATIONS | {"or", ".", ";", "but", "except"}) and groups[-1]:
            groups.append([])
        groups[-1].append(word)
        position = word.last + 1
    return [group for group in groups if any(_says_something(word) for word in group)]


def _says_something(word: _Word) -> bool:
    """False for words that mean little, or rather a severity, when they stand alone."""
    return not word.is_weak and word.word not in SOFT


def _content(question: Question, templates: TemplateIndex) -> list[_Word]:
    words: list[_Word] = []
    skip = -1
    for index, token in enumerate(question.tokens):
        if index <= skip or not question.is_free(index) or token.is_mark or token.is_quoted:
            continue
        pair = PAIRS.get((token.lower, question.word(index + 1)))
        if pair and question.is_free(index + 1):
            words.append(_Word(index, index + 1, pair, False))
            skip = index + 1
        elif token.lower in NEGATIONS and _is_literal(question, templates, index):
            words.append(_Word(index, index, token.lower, False))
        elif token.lower not in FILLER - WEAK and any(letter.isalnum() for letter in token.text):
            words.append(_Word(index, index, token.lower, token.lower in WEAK))
    return words


def _every_word(question: Question) -> list[_Word]:
    """All free words, those that say nothing included; two that are written as one joined."""
    words: list[_Word] = []
    skip = -1
    for index, token in enumerate(question.tokens):
        if index <= skip or not question.word(index) or token.is_mark:
            continue
        pair = PAIRS.get((token.lower, question.word(index + 1)))
        words.append(_Word(index, index + bool(pair), pair or token.lower, False))
        skip = index + bool(pair)
    return words


def _is_literal(question: Question, templates: TemplateIndex, index: int) -> bool:
    """True for `not` of "not found" where a pattern has both: no negation then."""
    following = index + 1
    while question.word(following) in ("the", "a", "any"):
        following += 1
    word = question.word(following)
    return bool(word) and templates.are_neighbours(stem(question.word(index)), stem(word))


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
    _add_words(question, index, left)


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
    return bool(matched) and best.coverage >= _ENOUGH and len(matched) * 2 > len(strong)


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
    terms = _shortest(terms)
    if len(terms) > _MOST_FORMS:
        spoken = [_spoken(index, group[at], group[at].word) for at in sorted(best.used)]
        terms = {" ".join(dict.fromkeys(spoken)): tuple(spoken)}
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
            patterns=frozenset(covered | wanted),
        )
    )
    if not is_literal:
        question.notes.append(f"“{said}” is put as the log has it: {shown[:160]}")
    for number in best.used:
        question.take(range(group[number].first, group[number].last + 1))
    return set(best.used)


def _shortest(terms: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Terms without those that hold another: what finds "timeout" finds "Timeouts"."""
    bare = {term: term.lower().replace('"', "") for term in terms}
    return {
        term: anchors
        for number, (term, anchors) in enumerate(terms.items())
        if not any(
            other in bare[term] and (other != bare[term] or position < number)
            for position, (one, other) in enumerate(bare.items())
            if one != term
        )
    }


def _add_words(question: Question, index: TemplateIndex, words: list[_Word]) -> None:
    """Words of messages, all of them; those that no pattern knows when nothing else is asked."""
    has_text = any(part.field == "q" for part in question.parts)
    words = [word for word in words if _says_something(word)]
    has_known = has_text or any(_is_known(index, word) for word in words)
    kept: list[_Word] = []
    for word in words:
        if has_known and index.patterns and not _is_known(index, word):
            said = question.words(word.first, word.last)
            question.notes.append(f"“{said}” stands in no pattern of the log; it is left out")
            question.lose(word.first, word.last)
        else:
            kept.append(word)
    if not kept:
        return
    terms = [_spoken(index, word, question.words(word.first, word.last)) for word in kept]
    is_known = all(index.has_seen(word.stem) for word in kept)
    said = question.words(kept[0].first, kept[-1].last)
    if not is_known and index.patterns:
        question.notes.append(f"“{said}” stands in no pattern of the log; it is searched as text")
    question.parts.append(
        Part(
            *(kept[0].first, kept[-1].last, "q", tuple(dict.fromkeys(terms))),
            f"messages with {' and '.join(term.strip(chr(34)) for term in terms)}",
            sure="certain" if is_known else "guess",
            alternatives=() if is_known else ("leave these words out",),
            is_soft=True,
        )
    )
    for word in kept:
        question.take(range(word.first, word.last + 1))


def _is_known(index: TemplateIndex, word: _Word) -> bool:
    return index.has_seen(word.stem) or any(index.knows(one) for one in meanings(word.stem))


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
    if len(forms) == 1:
        return text_term(next(iter(forms)))
    if len(shared) > 3 and len(shared) * 2 > len(word.word):
        return text_term(shared)
    return any_of([text_term(one) for one in sorted(forms)[:_MOST_PHRASES]])


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

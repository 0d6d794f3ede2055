"""What is left of a question: words of messages, mapped to how the log itself puts them."""

from collections.abc import Sequence
from itertools import pairwise

from logstream.explain.ask.content import Group, Word, groups_of, named_services, positions
from logstream.explain.ask.filler import FILLER
from logstream.explain.ask.q_terms import any_of, text_term
from logstream.explain.ask.question import Part, Question
from logstream.explain.ask.synonyms import meanings
from logstream.explain.ask.templates import Match, TemplateIndex
from logstream.explain.ask.vocabulary import Vocabulary

_ENOUGH = 0.5
_MOST_PHRASES = 6
_MOST_FORMS = 3


def read_text(question: Question, vocabulary: Vocabulary) -> None:
    """Take the remaining content words as the phrases of patterns, or as words of messages."""
    _take_names_again(question)
    for group in groups_of(question, vocabulary.templates):
        _read_group(question, vocabulary.templates, group)


def _take_names_again(question: Question) -> None:
    """Take words that only say again what service is meant: `SSH` beside `openssh-eu`."""
    names = " ".join(sorted(named_services(question))).lower()
    for index in range(len(question.tokens)):
        word = question.word(index)
        if len(word) > 2 and word.isalpha() and word not in FILLER and word in names:
            question.take([index])


def _read_group(question: Question, index: TemplateIndex, group: Group) -> None:
    words = group.words
    matches = index.best(
        [_asked(word) for word in words],
        named_services(question),
        forms=[word.text for word in words],
    )
    if matches and _is_enough(words, matches[0]):
        used, patterns = _add_patterns(question, index, words, matches)
        left = [word for number, word in enumerate(words) if number not in used]
        _keep_values(question, index, left, patterns)
    elif pieces := _halves(question, group):
        for piece in pieces:
            _read_group(question, index, piece)
    else:
        _add_words(question, index, group)


def _asked(word: Word) -> dict[str, float]:
    """Stems that the word may stand for, with how well."""
    found = meanings(word.stem)
    return {one: fit * 0.4 for one, fit in found.items()} if word.is_weak else found


def _is_enough(words: Sequence[Word], best: Match) -> bool:
    strong = [number for number, word in enumerate(words) if not word.is_weak]
    matched = [number for number in strong if number in best.used]
    return bool(matched) and best.coverage >= _ENOUGH and len(matched) * 2 > len(strong)


def _halves(question: Question, group: Group) -> list[Group]:
    """The group parted where "and" or a comma stands; none when there is nothing to part."""
    pieces: list[list[Word]] = [[group.words[0]]]
    for before, word in pairwise(group.words):
        between = {question.any_word(at) for at in range(before.last + 1, word.first)}
        if between & {"and", ",", "&"}:
            pieces.append([])
        pieces[-1].append(word)
    last = len(pieces) - 1
    return [
        Group(tuple(piece), group.or_before and at == 0, group.or_after and at == last)
        for at, piece in enumerate(pieces)
        if last and any(word.says_something for word in piece)
    ]


def _add_patterns(
    question: Question, index: TemplateIndex, words: Sequence[Word], matches: list[Match]
) -> tuple[frozenset[int], set[int]]:
    """Add what finds the patterns that matched.

    Gives the positions of the words that it accounts for, and the patterns.
    """
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
        anchors = tuple(one for anchor in anchors for one in index.as_written(match, anchor))
        covered |= index.holding(anchors)
        if term := " ".join(text_term(anchor) for anchor in anchors):
            terms[term] = anchors
    terms = _shortest(terms)
    used = [words[at] for at in sorted(best.used)]
    if len(terms) > _MOST_FORMS or not terms:
        spoken = tuple(dict.fromkeys(_spoken(index, word, word.text) for word in used))
        terms = {" ".join(spoken): spoken}
    phrases = [" … ".join(anchors) for anchors in terms.values()]
    said = question.words(used[0].first, used[-1].last)
    is_literal = all(phrase.lower() in said.lower() for phrase in phrases)
    question.parts.append(
        Part(
            *(used[0].first, used[-1].last, "q", (any_of(list(terms)),)),
            f"messages with {' or '.join(f'“{phrase}”' for phrase in phrases)}",
            sure="certain" if is_literal else "likely",
            alternatives=() if is_literal else (f"the words “{said}” in messages",),
            is_soft=True,
            patterns=frozenset(covered | wanted),
        )
    )
    if not is_literal:
        shown = index.patterns[best.pattern].template
        question.notes.append(f"“{said}” is put as the log has it: {shown[:160]}")
    question.take(positions(used))
    return best.used, covered | wanted


def _keep_values(
    question: Question, index: TemplateIndex, words: Sequence[Word], patterns: set[int]
) -> None:
    """Of the words that no template accounts for those that such lines have, as a value."""
    for word in words:
        said = question.words(word.first, word.last)
        if word.first in question.taken or not word.says_something:
            continue
        if index.shows(word.stem, patterns):
            question.add(
                Part(word.first, word.last, "q", (text_term(said),), f"messages with “{said}”")
            )
        else:
            question.notes.append(f"“{said}” does not stand in these messages; it is left out")
            question.lose(word.first, word.last)


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


def _add_words(question: Question, index: TemplateIndex, group: Group) -> None:
    """Words of messages, all of them; those that no pattern knows when nothing else is asked."""
    words = [word for word in group.words if word.says_something]
    has_known = any(part.field == "q" for part in question.parts)
    has_known = has_known or any(_is_known(index, word) for word in words)
    kept: list[Word] = []
    for word in words:
        if has_known and index.patterns and not _is_known(index, word):
            said = question.words(word.first, word.last)
            question.notes.append(f"“{said}” stands in no pattern of the log; it is left out")
            question.lose(word.first, word.last)
        else:
            kept.append(word)
    # "Windows or Linux paths": the "or" is between two words, not between all of them.
    pieces = [kept]
    if group.or_before and len(kept) > 1:
        pieces = [kept[:1], kept[1:]]
    if group.or_after and len(pieces[-1]) > 1:
        pieces[-1:] = [pieces[-1][:-1], pieces[-1][-1:]]
    for piece in pieces:
        if piece:
            _add_piece(question, index, piece)


def _add_piece(question: Question, index: TemplateIndex, words: Sequence[Word]) -> None:
    terms = [_spoken(index, word, question.words(word.first, word.last)) for word in words]
    is_known = all(index.has_seen(word.stem) for word in words)
    said = question.words(words[0].first, words[-1].last)
    if not is_known and index.patterns:
        question.notes.append(f"“{said}” stands in no pattern of the log; it is searched as text")
    question.parts.append(
        Part(
            *(words[0].first, words[-1].last, "q", tuple(dict.fromkeys(terms))),
            f"messages with {' and '.join(term.strip(chr(34)) for term in terms)}",
            sure="certain" if is_known else "guess",
            alternatives=() if is_known else ("leave these words out",),
            is_soft=True,
        )
    )
    question.take(positions(words))


def _is_known(index: TemplateIndex, word: Word) -> bool:
    return index.has_seen(word.stem) or any(index.knows(one) for one in meanings(word.stem))


def _spoken(index: TemplateIndex, word: Word, text: str) -> str:
    """The term for a word: its stem where that finds the forms that the log uses."""
    if index.holding([word.text]) or not index.knows(word.stem):
        return text_term(text)
    forms = {
        template[found.start : found.end].lower()
        for number, words in enumerate(index.words)
        for found in words
        if found.stem == word.stem
        for template in [index.segments[number][found.segment]]
    }
    shared = _shared_start([*forms, word.text])
    if len(forms) == 1:
        return text_term(next(iter(forms)))
    if len(shared) > 3 and len(shared) * 2 > len(word.text):
        return text_term(shared)
    return any_of([text_term(one) for one in sorted(forms)[:_MOST_PHRASES]])


def _shared_start(words: Sequence[str]) -> str:
    first, last = min(words), max(words)
    size = next(
        (at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other),
        min(len(first), len(last)),
    )
    return first[:size]

"""Services in a question: by name, part, alias, slip of spelling, meaning."""

import fnmatch
from collections.abc import Sequence

from logstream.explain.ask.filler import ARTICLES, FILLER, PREPOSITIONS
from logstream.explain.ask.question import Part, Question
from logstream.explain.ask.reading import Sure
from logstream.explain.ask.severities import HARD, SOFT
from logstream.explain.ask.synonyms import PAIRS, SERVICE_WORDS
from logstream.explain.ask.vocabulary import Vocabulary
from logstream.explain.ask.words import parts_of, pieces_of, stem, without_lookalikes, word_set

_NOUNS = word_set(
    """service services application applications app apps microservice microservices component
    components svc"""
)
# Too common in names and in questions to name a service by themselves.
_WEAK_PIECES = word_set(
    """service app application server svc worker api job web user users order orders batch system
    core main common new data log logs test http event events queue time request requests response
    session message client internal public process task node cluster"""
)
_ID_NOUNS = frozenset({"order", "user", "payment", "cart", "session", "request", "product"})
_MOST_FITTING = 5
_LONGEST_NAME = 5


def read_named_services(question: Question, vocabulary: Vocabulary) -> None:
    """Take whole names and aliases of services, the longest first."""
    for length in range(min(_LONGEST_NAME, len(question.tokens)), 0, -1):
        for first in range(len(question.tokens) - length + 1):
            last = first + length - 1
            indexes = range(first, last + 1)
            if all(question.is_free(index) for index in indexes):
                _named(question, vocabulary, first, last)


def _named(question: Question, vocabulary: Vocabulary, first: int, last: int) -> None:
    said = " ".join(question.tokens[index].lower for index in range(first, last + 1))
    noun = _noun_beside(question, first, last)
    is_quoted = question.tokens[first].is_quoted
    is_place = question.word(first - 1) in _BEFORE_NAMES and said not in _NEVER_NAMES
    if said in _GRAMMAR and noun is None and not (is_place and said in vocabulary.by_name):
        if said in vocabulary.by_name and is_quoted:
            _add(question, first, last, vocabulary.by_name[said][:1], "certain", ())
        elif said in vocabulary.by_name and said not in FILLER:
            question.notes.append(
                f"“{said}” is also a service; write “service {said}” when it is meant"
            )
        return
    if _is_an_id_noun(question, first, last):
        return
    if is_quoted and noun is None and not _is_alone(question, first, last, vocabulary, said):
        return
    names = vocabulary.by_name.get(said)
    if names:
        exact = tuple(name for name in names if name.lower() == said) or names
        chosen = (
            exact
            if len(exact) == 1
            else tuple(name for name in exact if name == question.words(first, last)) or exact
        )
        _add(question, first, last, chosen, "certain", (), noun)
        return
    if alias := vocabulary.alias_of.get(said):
        _alias(question, vocabulary, first, last, alias)
        return
    plain = without_lookalikes(said)
    if plain != said and plain in vocabulary.by_name:
        name = vocabulary.by_name[plain][0]
        question.notes.append(
            f"“{question.words(first, last)}” only looks like {name}: it has letters of another "
            "script"
        )
        _add(question, first, last, (name,), "guess", (f"the text “{said}” in messages",), noun)


def _is_an_id_noun(question: Question, first: int, last: int) -> bool:
    """True for `orders` of "orders 1234"."""
    following = question.word(last + 1).lstrip("#")
    said = question.word(first)
    return first == last and following.isdigit() and stem(said) in _ID_NOUNS


def _is_alone(question: Question, first: int, last: int, vocabulary: Vocabulary, said: str) -> bool:
    """A quoted name stands for the service unless words around it speak of text."""
    before = {question.any_word(first - 1), question.any_word(first - 2)}
    speaks_of_text = before & {
        *("contain", "contains", "containing", "message", "messages", "text", "has", "have"),
        *("with", "mentioning", "mentions", "saying", "phrase", "word", "like", "include"),
    }
    return said in vocabulary.by_name and not speaks_of_text


def read_service_parts(question: Question, vocabulary: Vocabulary) -> None:
    """Take names that are said in part, spelt amiss, or unknown behind the word "service"."""
    for index in range(len(question.tokens)):
        word = question.named(index, _NOUNS)
        noun = _noun_beside(question, index, index) if word else None
        if not word or (word in _GRAMMAR and noun is None) or _is_marked_text(question, index):
            continue
        if "*" in word and word.strip("*"):
            _wildcard(question, vocabulary, index, word)
            continue
        if word in FILLER or (noun is None and not _may_be_a_name(question, index)):
            continue
        names = _by_pieces(vocabulary, word, is_named=noun is not None)
        if names:
            whole = tuple(
                name for name in names if vocabulary.core_of(name) == vocabulary.core_of(word)
            )
            chosen, last = whole or names[:_MOST_FITTING], index
            following = question.word(index + 1)
            if following and following not in FILLER:  # "food map" is ts-food-map-service
                both = set(_by_pieces(vocabulary, following, is_named=True)).intersection(names)
                chosen = tuple(name for name in names if name in both) or chosen
                last += bool(both)
            others = tuple(name for name in names if name not in chosen)
            sure: Sure = "certain" if len(names) == 1 or last > index else "likely"
            _add(question, index, last, chosen, sure, others[:5], noun)
            continue
        if vocabulary.templates.has_seen(stem(word)) and noun is None:
            continue
        slip = vocabulary.misspelt(without_lookalikes(word))
        if slip is not None and slip[1]:
            meant, names = slip
            question.notes.append(f"“{question.words(index, index)}” is read as “{meant}”")
            _add(question, index, index, names[:1], "guess", names[1:6], noun)
        elif noun is not None and noun < index and vocabulary.counts:
            question.notes.append(f"no service is called “{question.words(index, index)}”")
            if _looks_like_a_name(question, index):
                text = question.tokens[index].text
                _add(question, index, index, (text,), "guess", (), noun)
            else:
                question.lose(index, index)
        elif noun is not None and noun < index and _looks_like_a_name(question, index):
            _add(question, index, index, (question.tokens[index].text,), "likely", (), noun)


def read_service_meanings(question: Question, vocabulary: Vocabulary) -> None:
    """Take words such as `login` or `database` that mean a service when none is named."""
    if any(part.field == "service" for part in question.parts):
        return
    for index in range(len(question.tokens)):
        word = question.word(index)
        width = 0
        if pair := PAIRS.get((word, question.word(index + 1))):
            word, width = pair, 1
        if (
            not word
            or (word in FILLER and not width)
            or _is_of_a_message(question, index, vocabulary)
        ):
            continue
        found: dict[str, None] = {}
        for piece in SERVICE_WORDS.get(word, ()):
            for name in (
                *vocabulary.by_name.get(piece, ()),
                *vocabulary.by_piece.get(stem(piece), ()),
            ):
                found[name] = None
        names = sorted(found, key=lambda name: -vocabulary.counts[name])
        if names:
            best = _closest(names, word)
            others = tuple(name for name in names if name != best)
            _add(question, index, index + width, (best,), "guess", others[:5])
            return


def _is_of_a_message(question: Question, index: int, vocabulary: Vocabulary) -> bool:
    """True for `stock` of "low stock" where a pattern of the log has the two words together."""
    own = stem(question.word(index))
    return any(
        word and word not in FILLER | SOFT.keys() and vocabulary.templates.are_neighbours(*pair)
        for word, pair in (
            (question.word(index - 1), (stem(question.word(index - 1)), own)),
            (question.word(index + 1), (own, stem(question.word(index + 1)))),
        )
    )


def _closest(names: Sequence[str], word: str) -> str:
    """The name written for the first of the word's meanings; of several the busiest."""
    for piece in SERVICE_WORDS.get(word, ()):
        for name in names:
            if piece in pieces_of(name):
                return name
    return names[0]


def may_name_a_service(vocabulary: Vocabulary, word: str) -> bool:
    """True for a compound that is part of a service's name, or a slip away from one."""
    if word in vocabulary.by_piece:
        return True
    if "-" not in word or not word.replace("-", "").isalnum():
        return False
    return bool(_by_pieces(vocabulary, word, is_named=False)) or (
        vocabulary.misspelt(without_lookalikes(word)) is not None
    )


def _by_pieces(vocabulary: Vocabulary, word: str, *, is_named: bool) -> tuple[str, ...]:
    """Services whose name holds the word, or all words of it; weak words only when named so."""
    stems = [stem(part) for part in parts_of(word)]
    if not stems:
        return ()
    if not is_named and len(stems) == 1 and stems[0] in {stem(weak) for weak in _WEAK_PIECES}:
        # "order" is the service "orders", but not "order-history".
        return tuple(
            name
            for name in vocabulary.by_piece.get(stems[0], ())
            if vocabulary.core_of(name) == tuple(stems)
        )[:1]
    found = vocabulary.by_piece.get(stems[0], ())
    for one in stems[1:]:
        others = set(vocabulary.by_piece.get(one, ()))
        found = tuple(name for name in found if name in others)
    if len(found) > 1:
        # Of `tenant-1` and `tenant-10` only the first holds "tenant-1" whole.
        held = tuple(name for name in found if _holds(name.lower(), word))
        first = tuple(name for name in held if name.lower().startswith(word))
        found = first or held or found
    return found


def _holds(name: str, word: str) -> bool:
    at = name.find(word)
    if at < 0:
        return False
    before, after = name[at - 1 : at], name[at + len(word) : at + len(word) + 1]
    return not before.isalnum() and not (after.isalnum() and after.isdigit() == word[-1].isdigit())


def _may_be_a_name(question: Question, index: int) -> bool:
    """False for a common word such as `user`, unless it stands where names do: "user errors"."""
    word = question.word(index)
    if word not in _WEAK_PIECES:
        return True
    following = question.any_word(index + 1)
    before = question.any_word(index - 1)
    return following in HARD or following in SOFT or before in ("in", "from", "of", "for")


def _wildcard(question: Question, vocabulary: Vocabulary, index: int, word: str) -> None:
    if not any(letter.isalpha() for letter in word) or "/" in word:
        return
    pattern = word.replace("[", "[[]")
    names = tuple(name for name in vocabulary.counts if fnmatch.fnmatchcase(name.lower(), pattern))
    if names:
        chosen = sorted(names, key=lambda name: -vocabulary.counts[name])[:50]
        _add(question, index, index, tuple(chosen), "certain", ())


def _alias(question: Question, vocabulary: Vocabulary, first: int, last: int, meant: str) -> None:
    name = meant.removeprefix("service:").strip('"')
    if name in vocabulary.counts or meant.startswith("service:"):
        _add(question, first, last, (name,), "certain", ())
        return
    words = question.words(first, last)
    question.add(Part(first, last, "q", (meant,), f"{meant} (alias “{words}”)"))


def _add(
    question: Question,
    first: int,
    last: int,
    names: Sequence[str],
    sure: Sure,
    others: Sequence[str],
    noun: int | None = None,
) -> None:
    if sure == "guess" and not others:
        others = (f"the word “{question.words(first, last)}” in messages",)
    part = Part(
        first,
        last,
        "service",
        tuple(names),
        f"service {' or '.join(names)}",
        sure,
        tuple(others),
    )
    question.add(part)
    if noun is not None:
        question.take([noun])


def _noun_beside(question: Question, first: int, last: int) -> int | None:
    """The token "service" (or "app" …) right before, or right behind."""
    if question.word(first - 1) in _NOUNS:
        return first - 1
    if question.word(first - 1) in ("named", "called", "is", "=", ":") and (
        question.word(first - 2) in _NOUNS
    ):
        return first - 2
    behind = question.word(last + 1)
    return last + 1 if behind in ("service", "app", "application", "microservice", "svc") else None


def _is_marked_text(question: Question, index: int) -> bool:
    """True where the word before says that text of a message follows."""
    return question.any_word(index - 1) in ("containing", "contains", "mentioning", "saying")


def _looks_like_a_name(question: Question, index: int) -> bool:
    token = question.tokens[index]
    return token.is_quoted or any(not letter.isalpha() for letter in token.text)


_BEFORE_NAMES = word_set("in from of by for but except excluding without not")
# Behind "in" and "of" too these are rather words than services of that name.
_NEVER_NAMES = ARTICLES | PREPOSITIONS | HARD.keys() | word_set("last past first next new one time")
_GRAMMAR = FILLER | HARD.keys() | SOFT.keys()

"""Which words vary: shapes that differ in them are one pattern.

A word varies when enough others stand in its place while all around it stays the same; few
others are different events (`opened`, `closed`). Deterministic, and the order of the shapes
does not matter.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from logstream.explain.patterns.words import VARIABLE, is_word, words_in

Shape = tuple[str, ...]
# Of each word those that stand for it elsewhere.
Names = Mapping[str, set[str]]
# So many words at one place are a variable.
LEAST_WORDS = 6
# Fewer are enough after a word that names what follows, when more is said around it.
_NAMING = frozenset({"user", "host", "from", "by", "named", "name", "for", "="})
_LEAST_NAMED = 3
_CONSTANTS_NAMED = 4
# Where another message has a number or an id, a word is a value too.
_CONSTANTS_BESIDE_PLACE = 3
_CONSTANTS = 2
_MOST_ROUNDS = 20
# Of the ways in which shapes of one length vary, those with the fewest places.
_MOST_WAYS = 50
# Of words that vary together with one that does.
_LEAST_BESIDE = 4
_MEMBERS_PER_RARE = 3
# Words stand for each other when so many do, at so many places; deeds never do.
_LEAST_NAMES = 3
_LEAST_PLACES = 2
_MOST_NAMES = 50
_DEEDS = ("ed", "ing")
_NONE: frozenset[str] = frozenset()
# A word is rare when it stands at its place in no more shapes than this.
_RARE = (1, 2, 4, 8)


def merged(shapes: Iterable[Shape]) -> dict[Shape, Shape]:
    """Each shape with its variable words replaced by VARIABLE; its length stays."""
    by_length: dict[int, set[Shape]] = defaultdict(set)
    for shape in shapes:
        by_length[len(shape)].add(shape)
    names = _names(by_length)
    found: dict[Shape, Shape] = {}
    for length in sorted(by_length):
        found |= _merged_of_length(by_length[length], length, names)
    return found


def _names(by_length: Mapping[int, set[Shape]]) -> Names:
    """Words that stand for each other at more than one place: values, not events.

    A currency or a warehouse is named in many messages; what was done, in one.
    """
    together: Counter[tuple[str, str]] = Counter()
    for length, shapes in by_length.items():
        for place in range(length):
            for members in _alike(place, shapes):
                words = sorted({member[place] for member in members})[:_MOST_NAMES]
                if len(words) >= _LEAST_NAMES and _may_be_names(place, members, words):
                    together.update(combinations(words, 2))
    names: dict[str, set[str]] = defaultdict(set)
    for (one, other), times in together.items():
        if times >= _LEAST_PLACES:
            names[one].add(other)
            names[other].add(one)
    return names


def _may_be_names(place: int, members: Sequence[Shape], words: Sequence[str]) -> bool:
    return (
        all(is_word(word) and (" " in word or not word.endswith(_DEEDS)) for word in words)
        and words_in(_around(place, members[0])) >= _CONSTANTS
    )


def _merged_of_length(shapes: set[Shape], length: int, names: Names) -> dict[Shape, Shape]:
    into: dict[Shape, Shape] = {}
    current = set(shapes)
    for _ in range(_MOST_ROUNDS):
        candidates = [
            (place, sorted(members))
            for place in range(length)
            for members in _alike(place, current)
            if _varies(place, members, names)
        ]
        # Most members first, then by what they say.
        candidates.sort(key=lambda candidate: (-len(candidate[1]), candidate))
        has_merged = False
        for place, members in candidates:
            # Those of which one has just been merged may look different now: next round.
            if all(member in current for member in members):
                one = members[0]
                _replace(current, into, members, (*one[:place], VARIABLE, *one[place + 1 :]))
                has_merged = True
        if not has_merged:
            break
    for most in _RARE:
        _merge_rare(current, into, most, length)
    _absorb(current, into)
    return {shape: _last(into, shape) for shape in shapes}


def _alike(place: int, shapes: Iterable[Shape]) -> list[list[Shape]]:
    """Shapes of one length that are the same but for what stands at this place."""
    alike: dict[int, list[Shape]] = defaultdict(list)
    for shape in shapes:
        alike[hash(_around(place, shape))].append(shape)
    return [members for members in alike.values() if len(members) > 1]


def _varies(place: int, members: Sequence[Shape], names: Names) -> bool:
    words = [member[place] for member in members]
    # A dash stands for a value that is missing.
    if any(len(word) == 1 and word != "-" and not word.isalnum() for word in words):
        return False
    around = _around(place, members[0])
    constants = words_in(around)
    if VARIABLE in words:
        return constants >= _CONSTANTS_BESIDE_PLACE
    if len(words) >= LEAST_WORDS:
        return constants >= _CONSTANTS
    if constants >= _CONSTANTS and _are_names(words, names):
        return True
    is_named = place > 0 and around[place - 1].lower() in _NAMING
    return is_named and len(words) >= _LEAST_NAMED and constants >= _CONSTANTS_NAMED


def _around(place: int, shape: Shape) -> Shape:
    return shape[:place] + shape[place + 1 :]


def _are_names(words: Sequence[str], names: Names) -> bool:
    """Each stands for another of them elsewhere too."""
    return all(not names.get(word, _NONE).isdisjoint(words) for word in words)


def _merge_rare(current: set[Shape], into: dict[Shape, Shape], most: int, length: int) -> None:
    """Shapes that are the same but for words each of which is rare: several may vary at once."""
    if len(current) < LEAST_WORDS:
        return
    seen = Counter((place, word) for shape in current for place, word in enumerate(shape))
    alike: dict[Shape, list[Shape]] = defaultdict(list)
    for shape in current:
        common = tuple(
            VARIABLE if seen[place, word] <= most and is_word(word) else word
            for place, word in enumerate(shape)
        )
        if common != shape and words_in(common) >= _CONSTANTS:
            alike[common].append(shape)
    for common, members in sorted(alike.items()):
        if len(members) < max(LEAST_WORDS, _MEMBERS_PER_RARE * most):
            continue
        columns = [
            {member[place] for member in members}
            for place in range(length)
            if common[place] == VARIABLE
        ]
        numbers = [len(words) for words in columns if len(words) > 1]
        if numbers and max(numbers) >= LEAST_WORDS and min(numbers) >= _LEAST_BESIDE:
            _replace(current, into, sorted(members), common)


def _absorb(current: set[Shape], into: dict[Shape, Shape]) -> None:
    """What is left alone joins the shape it is a case of, the most particular one."""
    by_places: dict[tuple[int, ...], set[Shape]] = defaultdict(set)
    for common in set(into.values()) & current:
        by_places[tuple(n for n, word in enumerate(common) if word == VARIABLE)].add(common)
    ways = sorted(by_places, key=lambda places: (len(places), places))[:_MOST_WAYS]
    for shape in sorted(current):
        for places in ways:
            if all(shape[place] == VARIABLE for place in places):
                continue
            case = list(shape)
            for place in places:
                case[place] = VARIABLE
            common = tuple(case)
            if common in by_places[places] and all(map(is_word, _differing(shape, common))):
                _replace(current, into, [shape], common)
                break


def _differing(shape: Shape, common: Shape) -> list[str]:
    return [word for word, other in zip(shape, common, strict=True) if word != other]


def _replace(
    current: set[Shape], into: dict[Shape, Shape], members: Sequence[Shape], common: Shape
) -> None:
    for member in members:
        current.discard(member)
        if member != common:
            into[member] = common
    current.add(common)


def _last(into: dict[Shape, Shape], shape: Shape) -> Shape:
    while shape in into:
        shape = into[shape]
    return shape

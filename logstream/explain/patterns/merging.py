"""Which words vary: shapes that differ in them are one pattern.

A word varies when enough others stand in its place while all around it stays the same; few
others are different events (`opened`, `closed`). Deterministic, and the order of the shapes
does not matter.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from logstream.explain.patterns.words import VARIABLE, is_word

Shape = tuple[str, ...]
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
# A word is rare when it stands at its place in no more shapes than this.
_RARE = (1, 2, 4, 8)


def merged(shapes: Iterable[Shape]) -> dict[Shape, Shape]:
    """Each shape with its variable words replaced by VARIABLE; its length stays."""
    by_length: dict[int, set[Shape]] = defaultdict(set)
    for shape in shapes:
        by_length[len(shape)].add(shape)
    found: dict[Shape, Shape] = {}
    for length in sorted(by_length):
        found |= _merged_of_length(by_length[length], length)
    return found


def _merged_of_length(shapes: set[Shape], length: int) -> dict[Shape, Shape]:
    into: dict[Shape, Shape] = {}
    current = set(shapes)
    for _ in range(_MOST_ROUNDS):
        candidates = [
            candidate for place in range(length) for candidate in _differing_at(place, current)
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
    return {shape: _last(into, shape) for shape in shapes}


def _differing_at(place: int, shapes: set[Shape]) -> list[tuple[int, list[Shape]]]:
    """Shapes that are the same but for a word at this place, which varies."""
    alike: dict[int, list[Shape]] = defaultdict(list)
    for shape in shapes:
        alike[hash((shape[:place], shape[place + 1 :]))].append(shape)
    return [
        (place, sorted(members))
        for members in alike.values()
        if len(members) > 1 and _varies(place, members)
    ]


def _varies(place: int, members: Sequence[Shape]) -> bool:
    words = [member[place] for member in members]
    if any(len(word) == 1 and not word.isalnum() for word in words):
        return False
    around = members[0][:place] + members[0][place + 1 :]
    constants = sum(is_word(word) for word in around)
    if VARIABLE in words:
        return constants >= _CONSTANTS_BESIDE_PLACE
    if len(words) >= LEAST_WORDS:
        return constants >= _CONSTANTS
    is_named = place > 0 and around[place - 1].lower() in _NAMING
    return is_named and len(words) >= _LEAST_NAMED and constants >= _CONSTANTS_NAMED


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
        if common != shape and sum(map(is_word, common)) >= _CONSTANTS:
            alike[common].append(shape)
    for common, members in sorted(alike.items()):
        if len(members) < LEAST_WORDS * most:
            continue
        columns = [
            {member[place] for member in members}
            for place in range(length)
            if common[place] == VARIABLE
        ]
        if all(len(words) == 1 or len(words) >= LEAST_WORDS for words in columns):
            _replace(current, into, sorted(members), common)


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

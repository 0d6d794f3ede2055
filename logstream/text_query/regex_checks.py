"""Refusing expressions that could take for ever on a text of unlucky shape.

Three rules. Within what is repeated, nothing of variable length may be repeated, unless a
character that stands nowhere else in it marks where each round begins or ends, as in
`(/\\w+)+`. Alternatives that are repeated must differ in their first character. And at most
MAX_LOOSE repetitions may be followed by what they could have taken themselves, as `.*` is;
one that another such repetition follows at once counts twice.
"""

from collections.abc import Iterator

from logstream.text_query.char_sets import WORD, CharSet
from logstream.text_query.regex_parser import (
    Assertion,
    Chars,
    Choice,
    Item,
    RegexProblem,
    Repeat,
    Sequence,
)

MAX_LOOSE = 2
# Rounds of a bounded repetition with something of variable length in it.
MAX_ROUNDS = 32
MAX_SIZE = 1_000
# So many of one set cost little, whatever follows.
MAX_SHORT = 4
_NESTED = "write what separates the rounds into the group, as in (/\\w+)+, or use two terms"


def check_cost(tree: Item) -> None:
    """Raises RegexProblem for what might not end."""
    if _size(tree) > MAX_SIZE:
        raise RegexProblem(0, f"it is longer than {MAX_SIZE} characters when written out")
    _check_loops(tree)
    loose = list(_loose(tree, (), None))
    if len(loose) > MAX_LOOSE:
        raise RegexProblem(
            loose[MAX_LOOSE].position,
            "too many repetitions overlap with what follows them, as .* does",
            "use several terms: all of them must be found",
        )


def _size(item: Item) -> int:
    match item:
        case Repeat():
            return max(1, item.most or item.least) * _size(item.item)
        case Sequence():
            return sum(map(_size, item.items))
        case Choice():
            return sum(map(_size, item.arms))
    return 1


def _check_loops(item: Item) -> None:
    match item:
        case Sequence():
            for inner in item.items:
                _check_loops(inner)
        case Choice():
            for arm in item.arms:
                _check_loops(arm)
        case Repeat():
            if item.most is None or item.most > 1:
                _check_loop(item)
            _check_loops(item.item)


def _check_loop(loop: Repeat) -> None:
    if isinstance(loop.item, Chars):
        return
    if loop.most is None and _least(loop.item) == 0:
        raise RegexProblem(loop.position, "this group may be empty and is repeated", _NESTED)
    for choice in _choices(loop.item):
        firsts = [_first(arm) for arm in choice.arms]
        for at, one in enumerate(firsts):
            if any(one.meets(other) for other in firsts[at + 1 :]):
                raise RegexProblem(
                    loop.position,
                    "alternatives of a repeated group begin alike",
                    "let them begin with different characters, or use two terms with OR",
                )
    variable = [one for one in _repeats(loop.item) if one.least != one.most]
    if not variable or _is_delimited(loop.item):
        return
    rounds = max((loop.most or MAX_ROUNDS + 1) * (one.most or MAX_ROUNDS + 1) for one in variable)
    if rounds > MAX_ROUNDS:
        raise RegexProblem(loop.position, "a repetition in a repetition may never end", _NESTED)


def _is_delimited(item: Item) -> bool:
    """A character that stands nowhere else in it begins or ends the item."""
    if not isinstance(item, Sequence) or len(item.items) < 2:
        return False
    for at in (0, -1):
        edge, rest = item.items[at], item.items[1:] if at == 0 else item.items[:-1]
        if isinstance(edge, Chars) and not any(
            edge.chars.meets(chars) for one in rest for chars in _chars(one)
        ):
            return True
    return False


def _loose(item: Item, rest: tuple[Item, ...], following: CharSet | None) -> Iterator[Repeat]:
    """Long repetitions whose end is open, because what follows may begin with the same.

    Twice where a repetition follows at once: then nothing limits where the one may end.
    """
    match item:
        case Sequence():
            for at, inner in enumerate(item.items):
                after = item.items[at + 1 :]
                yield from _loose(inner, after, _first_of(after, following))
        case Choice():
            for arm in item.arms:
                yield from _loose(arm, rest, following)
        case Repeat():
            if _is_long(item):
                yield from [item] * _looseness(_first(item.item), rest, following)
            if not isinstance(item.item, Chars):
                both = _first(item.item).ranges + (following.ranges if following else ())
                yield from _loose(item.item, rest, CharSet.of(both))


def _looseness(chars: CharSet, rest: tuple[Item, ...], following: CharSet | None) -> int:
    following_at_once = rest[0] if rest else None
    if isinstance(following_at_once, Assertion):
        if following_at_once.sign != "\\b":
            return 1
        # Among word characters only, or among others only, there is no other edge.
        is_sure = not (chars.meets(WORD) and chars.meets(WORD.without_these()))
        return 0 if is_sure else 2
    if following is None or not chars.meets(following):
        return 0
    return 2 if isinstance(following_at_once, Repeat) else 1


def _is_long(loop: Repeat) -> bool:
    return loop.most is None or (loop.least != loop.most and loop.most > MAX_SHORT)


def _first_of(items: tuple[Item, ...], following: CharSet | None) -> CharSet | None:
    """What may come first of items and what follows them; None: nothing has to come."""
    ranges: list[tuple[int, int]] = []
    for item in items:
        ranges += _first(item).ranges
        if _least(item):
            return CharSet.of(ranges)
    if following is not None:
        return CharSet.of([*ranges, *following.ranges])
    if any(isinstance(item, Assertion) for item in items):
        return CharSet.of(ranges)
    # Everything up to the end may be left out: the first match there is will do.
    return None


def _first(item: Item) -> CharSet:
    match item:
        case Chars():
            return item.chars
        case Repeat():
            return _first(item.item)
        case Choice():
            return CharSet.of(pair for arm in item.arms for pair in _first(arm).ranges)
        case Sequence():
            ranges: list[tuple[int, int]] = []
            for inner in item.items:
                ranges += _first(inner).ranges
                if _least(inner):
                    break
            return CharSet.of(ranges)
    return CharSet(())


def _least(item: Item) -> int:
    match item:
        case Chars():
            return 1
        case Repeat():
            return item.least * _least(item.item)
        case Sequence():
            return sum(map(_least, item.items))
        case Choice():
            return min(map(_least, item.arms))
    return 0


def _choices(item: Item) -> Iterator[Choice]:
    if isinstance(item, Choice):
        yield item
    for inner in _inner(item):
        yield from _choices(inner)


def _repeats(item: Item) -> Iterator[Repeat]:
    if isinstance(item, Repeat):
        yield item
    for inner in _inner(item):
        yield from _repeats(inner)


def _chars(item: Item) -> Iterator[CharSet]:
    if isinstance(item, Chars):
        yield item.chars
    for inner in _inner(item):
        yield from _chars(inner)


def _inner(item: Item) -> tuple[Item, ...]:
    match item:
        case Sequence():
            return item.items
        case Choice():
            return item.arms
        case Repeat():
            return (item.item,)
        case Chars() | Assertion():
            return ()

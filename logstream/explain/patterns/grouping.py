"""Patterns of one service: groups of skeletons, each with a template and a lasting id."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from logstream.explain.patterns.merging import Shape, merged
from logstream.explain.patterns.wording import template_of
from logstream.explain.patterns.words import Message, Piece, collapsed, read

# Looked at for the wording of one group.
MAX_MESSAGES = 25


@dataclass(frozen=True)
class Skeleton:
    """What is known of one: examples, the first sight first, and the group it is in."""

    id: int
    examples: Sequence[str]
    pattern_id: int | None = None


@dataclass(frozen=True)
class Group:
    """A pattern: its id is that of one of its skeletons, which are in the order of their ids."""

    id: int
    skeleton_ids: tuple[int, ...]
    template: str


def grouped(skeletons: Sequence[Skeleton]) -> list[Group]:
    """All skeletons in groups; the same whatever their order.

    Groups keep the ids they had: see `_ids`.
    """
    known = {one.id: one for one in skeletons}
    messages = {one.id: [read(example) for example in one.examples] for one in skeletons}
    shape_of = _representatives(messages)
    common = merged(set(shape_of.values()))
    members: dict[Shape, list[int]] = defaultdict(list)
    for skeleton_id in sorted(known):
        shape = shape_of[skeleton_id]
        members[shape if common[shape] == shape else _final(common[shape])].append(skeleton_id)
    groups = list(members.values())
    ids = _ids(groups, {one.id: one.pattern_id for one in skeletons})
    found = [
        Group(ids[n], tuple(group), _template(group, messages, shape_of, common))
        for n, group in enumerate(groups)
    ]
    return sorted(found, key=lambda group: group.id)


def _representatives(messages: Mapping[int, Sequence[Message]]) -> dict[int, Shape]:
    """One shape for each skeleton; those of one skeleton's examples count as the same."""
    into: dict[Shape, Shape] = {}

    def root(shape: Shape) -> Shape:
        while into.get(shape, shape) != shape:
            shape = into[shape]
        return shape

    for found in messages.values():
        shapes = sorted({message.shape for message in found})
        for shape in shapes[1:]:
            low, high = sorted((root(shapes[0]), root(shape)))
            into[high] = low
    return {
        skeleton_id: root(min(message.shape for message in found))
        for skeleton_id, found in messages.items()
    }


def _final(shape: Shape) -> Shape:
    return tuple(piece.word for piece in collapsed([Piece(word, 0, 0) for word in shape]))


def _template(
    group: Sequence[int],
    messages: Mapping[int, Sequence[Message]],
    shape_of: Mapping[int, Shape],
    common: Mapping[Shape, Shape],
) -> str:
    """Worded from the examples that have the group's form; first of each skeleton before others."""
    ranked = sorted(
        (place, skeleton_id) for skeleton_id in group for place in range(len(messages[skeleton_id]))
    )
    aligned: dict[Shape, list[Message]] = defaultdict(list)
    for place, skeleton_id in ranked:
        message = messages[skeleton_id][place]
        if message.shape in common:
            aligned[common[message.shape]].append(message)
    form, fitting = max(aligned.items(), key=lambda item: (len(item[1]), item[0]))
    return template_of(fitting[:MAX_MESSAGES], form)


def _ids(groups: Sequence[Sequence[int]], former: Mapping[int, int | None]) -> list[int]:
    """An id for each group, of one of its skeletons.

    A former id stays with the group its skeleton is in. Where several come together, that of
    the largest former group stays, then the smallest one; a new group takes its smallest.
    """
    sizes = Counter(former.values())
    found = []
    for group in groups:
        kept = [skeleton for skeleton in group if former.get(skeleton) == skeleton]
        found.append(min(kept or group, key=lambda one: (-sizes[one] if kept else 0, one)))
    return found

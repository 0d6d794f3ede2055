"""Every attribute of the lines meant: how widespread it is, and its values."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from heapq import nsmallest
from typing import Any

import sqlalchemy as sa

from logstream.filter import LogFilter
from logstream.ports import FieldFacts, Fields
from logstream.query.attributes import (
    MOST_NAMES_OF_LINE,
    each_object,
    leaves,
    newest_attributes,
    value_text,
)
from logstream.query.catalogue import Segment
from logstream.query.counted import count_of
from logstream.query.scope import resolve

MOST_NAMES = 500
# Of all attributes together; memory is full of them for a moment.
MOST_VALUES = 1_000_000
# Shown of a value; a longer one is cut and says how long it is.
MOST_CHARACTERS = 256
_KINDS: dict[type, str] = {str: "text", int: "number", float: "number", bool: "flag"}


def fields_of(
    connection: sa.Connection,
    segments: list[Segment],
    log_filter: LogFilter,
    *,
    values: int,
    now_unix_nano: int,
    most_lines: int,
) -> Fields:
    """See LogReader.fields."""
    lines, is_all = newest_attributes(
        connection, segments, log_filter, now_unix_nano=now_unix_nano, most_lines=most_lines
    )
    tally = Tally(lines)
    total = len(lines)
    if not is_all:
        scope = resolve(connection, log_filter, now_unix_nano)
        # More lines may land, and old ones be removed, between the two.
        total = max(total, count_of(connection, scope, segments))
    facts = sorted(
        (tally.facts(name, values) for name in tally.names),
        key=lambda fact: (-fact.lines, fact.name),
    )
    return Fields(facts[:MOST_NAMES], tally.looked, total)


class Tally:
    """The values of every attribute of some lines, given as JSON.

    `looked` of them, all unless they carry MOST_VALUES.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self.looked = 0
        self._values: dict[str, list[Any]] = defaultdict(list)
        # How often a line carries a name for the second time: as a member and at a path.
        self._twice: Counter[str] = Counter()
        values, left = self._values, MOST_VALUES
        for attributes in each_object(lines):
            pairs: Collection[tuple[str, Any]] = attributes.items()
            # Nearly all are small and flat.
            if len(pairs) > MOST_NAMES_OF_LINE or dict in map(type, attributes.values()):
                pairs = self._without_repeats(leaves(attributes))
            for name, value in pairs:
                values[name].append(value)
            self.looked += 1
            left -= len(pairs)
            if left <= 0:
                break

    @property
    def names(self) -> Iterable[str]:
        """Of all attributes."""
        return self._values.keys()

    def lines(self, name: str) -> int:
        """How many lines carry it."""
        return len(self._values[name]) - self._twice[name]

    def counts(self, name: str) -> Counter[str]:
        """How many lines carry each of its values, as text; what `q` cannot name is left out."""
        values = self._values[name]
        kinds = set(map(type, values))
        if kinds == {str}:
            return Counter(values)
        if kinds == {int}:
            return Counter({str(value): count for value, count in Counter(values).items()})
        # Not by the values themselves: 1, 1.0 and true are one key.
        return Counter(text for text in map(value_text, values) if text is not None)

    def facts(self, name: str, values: int) -> FieldFacts:
        """All about it, with its most frequent values."""
        counts = self.counts(name)
        return FieldFacts(
            name,
            self.lines(name),
            len(counts),
            [(shown(value), count) for value, count in most_frequent(counts, values)],
            self._kind(name),
        )

    def _kind(self, name: str) -> str:
        kinds = {
            _KINDS.get(kind, "structured")
            for kind in set(map(type, self._values[name])) - {type(None)}
        }
        return kinds.pop() if len(kinds) == 1 else "mixed" if kinds else "text"

    def _without_repeats(self, pairs: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
        by_name: dict[str, dict[Any, Any]] = defaultdict(dict)
        for name, value in pairs:
            by_name[name].setdefault(value_text(value), value)
        for name, values in by_name.items():
            self._twice[name] += len(values) - 1
        return [(name, value) for name, values in by_name.items() for value in values.values()]


def most_frequent(counts: Counter[str], limit: int) -> list[tuple[str, int]]:
    """The most frequent values, those that are equally so in the order of their characters."""
    if limit <= 0:
        return []
    least = sorted(counts.values(), reverse=True)[:limit][-1:]
    above = [item for item in counts.items() if [item[1]] > least]
    above.sort(key=lambda item: (-item[1], item[0]))
    as_frequent = (value for value, count in counts.items() if [count] == least)
    return above + [(value, least[0]) for value in nsmallest(limit - len(above), as_frequent)]


def shown(value: str) -> str:
    """The value, or its beginning and its length when it is long."""
    if len(value) <= MOST_CHARACTERS:
        return value
    return f"{value[:MOST_CHARACTERS]}… ({len(value):,} characters)"

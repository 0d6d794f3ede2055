"""Vocabulary: the names and words that a question can mean, read from what is stored."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property

from logstream.errors import QueryTimeout
from logstream.explain.ask.templates import KnownPattern, TemplateIndex
from logstream.explain.ask.words import distance, parts_of, pieces_of, stem
from logstream.filter import Choice, LogFilter
from logstream.model import to_unix_nano
from logstream.ports import LogReader
from logstream.template import RARE_MESSAGES, UNNAMED

MOST_SERVICES = 5_000
MOST_ENVIRONMENTS = 20
MOST_PATTERNS = 1_000
VALUES_PER_ATTRIBUTE = 50
_LOOKED_LINES = 5_000
# Of an attribute's name, what says that its values are machines.
_HOST_PIECES = frozenset({"host", "hostname", "node", "nodename", "pod", "machine", "server"})
_SHORTEST_SLIP = 5
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True)
class KnownAttribute:
    """An attribute with its most frequent values, on `lines` of the lines looked at."""

    name: str
    lines: int = 0
    kind: str = "text"
    values: tuple[tuple[str, int], ...] = ()

    @cached_property
    def pieces(self) -> frozenset[str]:
        """Stems of the words in its name."""
        return frozenset(stem(piece) for piece in pieces_of(self.name))

    @cached_property
    def folded(self) -> dict[str, str]:
        """Values by their lower case."""
        return {value.lower(): value for value, _ in reversed(self.values)}

    @property
    def is_host(self) -> bool:
        """True when its values name machines."""
        words = set(pieces_of(self.name))
        return bool(words & _HOST_PIECES) and not words & {"id", "port", "address", "version", "ip"}


@dataclass(frozen=True)
class Vocabulary:
    """What there is to ask about. Made once and used for many questions: it indexes its words.

    `services` are counts by environment. `aliases` lead from a word to a service, or to a term
    of `q`.
    """

    services: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    patterns: Sequence[KnownPattern] = ()
    attributes: Sequence[KnownAttribute] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)

    @property
    def environments(self) -> tuple[str, ...]:
        """Alphabetical."""
        return tuple(sorted(name for name in self.services if name))

    @cached_property
    def counts(self) -> dict[str, int]:
        """Lines of each service, in all environments."""
        counts: dict[str, int] = {}
        for services in self.services.values():
            for name, count in services.items():
                counts[name] = counts.get(name, 0) + count
        return counts

    @cached_property
    def by_name(self) -> dict[str, tuple[str, ...]]:
        """Services by their whole name in lower case, also with blanks for its marks."""
        return self._index(lambda name: {name.lower(), " ".join(pieces_of(name))})

    @cached_property
    def by_piece(self) -> dict[str, tuple[str, ...]]:
        """Services by the stem of a word in their name, those with most lines first."""
        return self._index(lambda name: {stem(part) for part in parts_of(name)})

    def core_of(self, name: str) -> tuple[str, ...]:
        """Stems of a service's name without those that say nothing: `ts-order-service` is order."""
        stems = tuple(stem(part) for part in parts_of(name))
        return tuple(one for one in stems if one not in self._empty_stems) or stems

    @cached_property
    def _empty_stems(self) -> frozenset[str]:
        """Stems that most services have in their names, and words for a service."""
        often = (
            one
            for one, names in self.by_piece.items()
            if len(self.counts) > 3 and len(names) * 2 > len(self.counts)
        )
        return frozenset(map(stem, ("service", "svc", "app", "application", *often)))

    @cached_property
    def alias_of(self) -> dict[str, str]:
        """Aliases in lower case."""
        return {word.lower().strip(): meant for word, meant in self.aliases.items() if word.strip()}

    @cached_property
    def hosts(self) -> dict[str, tuple[str, str]]:
        """(attribute, value) by a host's name in lower case."""
        found: dict[str, tuple[str, str]] = {}
        for attribute in self.attributes:
            if attribute.is_host:
                for value, _ in attribute.values:
                    found.setdefault(value.lower(), (attribute.name, value))
        return found

    @cached_property
    def host_attribute(self) -> str:
        """The attribute that names machines: the most widespread, or else OpenTelemetry's."""
        names = [attribute for attribute in self.attributes if attribute.is_host]
        preferred = [one for one in names if {"host", "hostname"} & set(pieces_of(one.name))]
        return max(preferred or names, key=lambda one: one.lines).name if names else "host.name"

    @cached_property
    def templates(self) -> TemplateIndex:
        """The words of the patterns."""
        return TemplateIndex(self.patterns)

    def shows(self, text: str) -> bool:
        """True when a pattern, or its example, holds the text, in any case."""
        lowered = text.lower()
        return bool(self.templates.holding([text])) or any(
            lowered in pattern.example.lower() for pattern in self.patterns
        )

    def attributes_of(self, words: Sequence[str]) -> list[KnownAttribute]:
        """Attributes whose name holds all of these words (in lower case), best first."""
        wanted = {stem(word) for word in words}
        found = [one for one in self.attributes if wanted <= one.pieces]
        return sorted(found, key=lambda one: (len(one.pieces - wanted), -one.lines, one.name))

    def attribute(self, name: str) -> KnownAttribute | None:
        """The attribute of that name, in any case."""
        return self._attributes_by_name.get(name.lower())

    @cached_property
    def _attributes_by_name(self) -> dict[str, KnownAttribute]:
        return {attribute.name.lower(): attribute for attribute in reversed(self.attributes)}

    def misspelt(self, word: str) -> tuple[str, tuple[str, ...]] | None:
        """(the word that was meant, its services) when a name is a slip away; None if none is.

        A number is never a slip: cart-1 is not cart-2.
        """
        digits = _DIGITS.findall(word)
        if len(word) - len("".join(digits)) < _SHORTEST_SLIP:
            return None
        most = 1 if len(word) < 8 else 2
        near: dict[str, int] = {}
        for size in range(len(word) - most, len(word) + most + 1):
            for letter in set(word[:2]):
                for name in self._spellings.get((size, letter), ()):
                    is_other = name in near or _DIGITS.findall(name) != digits
                    if not is_other and distance(word, name, most) <= most:
                        near[name] = distance(word, name, most)
        if not near:
            return None
        best = min(near, key=lambda name: (near[name], -self._lines_of(name), name))
        return best, self._services_spelt(best)

    @cached_property
    def _spellings(self) -> dict[tuple[int, str], list[str]]:
        """Names and words of names, by length and by each of the first two letters."""
        words: dict[str, None] = {}
        for name in self.counts:
            for word in (name.lower(), *pieces_of(name)):
                if len(word) >= _SHORTEST_SLIP - 1:
                    words[word] = None
        found: dict[tuple[int, str], list[str]] = {}
        for word in words:
            for letter in set(word[:2]):
                found.setdefault((len(word), letter), []).append(word)
        return found

    def _services_spelt(self, word: str) -> tuple[str, ...]:
        return self.by_name.get(word) or self.by_piece.get(stem(word), ())

    def _lines_of(self, word: str) -> int:
        return sum(self.counts[name] for name in self._services_spelt(word))

    def _index(self, keys_of: Callable[[str], set[str]]) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for name in sorted(self.counts, key=lambda name: (-self.counts[name], name)):
            for key in keys_of(name):
                if key:
                    found.setdefault(key, []).append(name)
        return {key: tuple(names) for key, names in found.items()}


def read_vocabulary(
    reader: LogReader,
    scope: LogFilter,
    now: datetime,
    aliases: Mapping[str, str] | None = None,
) -> Vocabulary:
    """The vocabulary of a scope: of its environments, and of all times.

    A question may speak of another time, service or severity than the page shows; so only the
    environments of `scope` count. Where counting everything takes too long, the last day has
    to do. Keep the answer for half a minute: this asks several questions of the store.
    """
    now_unix_nano = to_unix_nano(now)
    chosen = scope.environment
    names = [name for name in reader.environments() if chosen.allows(name)][:MOST_ENVIRONMENTS]
    everything = LogFilter(environment=chosen, at=scope.at)
    try:
        return _read(reader, everything, names, now_unix_nano, aliases or {})
    except QueryTimeout:
        moment = scope.at or now
        last_day = LogFilter(environment=chosen, start=moment - timedelta(days=1), at=scope.at)
        return _read(reader, last_day, names, now_unix_nano, aliases or {})


def _read(
    reader: LogReader,
    scope: LogFilter,
    environments: Sequence[str],
    now_unix_nano: int,
    aliases: Mapping[str, str],
) -> Vocabulary:
    services = {
        name: dict(
            reader.facets(
                replace(scope, environment=Choice((name,))),
                limit=MOST_SERVICES,
                now_unix_nano=now_unix_nano,
                fields=("service",),
            )["service"]
        )
        for name in environments
    }
    patterns = reader.patterns(
        scope, limit=MOST_PATTERNS, buckets=1, now_unix_nano=now_unix_nano
    ).patterns
    fields = reader.fields(
        scope, values=VALUES_PER_ATTRIBUTE, now_unix_nano=now_unix_nano, most_lines=_LOOKED_LINES
    ).fields
    return Vocabulary(
        services=services,
        patterns=[
            KnownPattern(
                id=found.id,
                template=found.template,
                example=found.example,
                count=found.count,
                services=tuple(found.services),
                severities=tuple(word for word, count in found.severities.items() if count),
            )
            for found in patterns
            if found.template not in (RARE_MESSAGES, UNNAMED)
        ],
        attributes=[
            KnownAttribute(found.name, found.lines, found.kind, tuple(found.values))
            for found in fields
        ],
        aliases=aliases,
    )

"""Question: the tokens of a question, and which of them have been understood."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from logstream.explain.ask.filler import FILLER
from logstream.explain.ask.reading import Sure, Understood
from logstream.explain.ask.words import Token, tidy, tokens_of

MOST_CHARACTERS = 2_000
MOST_TOKENS = 250


@dataclass
class Part:
    """A condition read from tokens `first` to `last` (inclusive).

    `field` is `service`, `env`, `severity`, `trace` or `q`; of `q` each of `values` is a term,
    and all must match. `is_soft`: mapped from meaning, so that two of them joined by "and" may
    mean either, as of two values of one `id_kind`. `patterns` are the positions of those
    among the log's that it finds.
    """

    first: int
    last: int
    field: str
    values: tuple[str, ...]
    meaning: str
    sure: Sure = "certain"
    alternatives: tuple[str, ...] = ()
    is_excluded: bool = False
    is_soft: bool = False
    id_kind: str = ""
    patterns: frozenset[int] = frozenset()


@dataclass
class Question:
    """What stands in a question; each pass takes the tokens that it understands."""

    text: str
    tokens: list[Token]
    parts: list[Part] = field(default_factory=list)
    extra: list[Understood] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    lost: list[tuple[int, str]] = field(default_factory=list)
    taken: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, text: str) -> "Question":
        """The question of any text; of a very long one the beginning."""
        tidied = tidy(text, MOST_CHARACTERS)
        tokens = tokens_of(tidied)
        question = cls(tidied, tokens[:MOST_TOKENS])
        if len(tokens) > MOST_TOKENS or len(text) > MOST_CHARACTERS:
            question.notes.append("only the beginning of this long text was read")
        return question

    def is_free(self, index: int) -> bool:
        """True when there is such a token, and nobody has taken it."""
        return 0 <= index < len(self.tokens) and index not in self.taken

    def word(self, index: int) -> str:
        """A free token's word in lower case; "" when it is taken, quoted, or not there."""
        if not self.is_free(index) or self.tokens[index].is_quoted:
            return ""
        return self.tokens[index].lower

    def named(self, index: int, nouns: Collection[str]) -> str:
        """Like `word`, and a quoted text too where one of the nouns beside it says what it is."""
        if not self.is_free(index) or self.tokens[index].is_mark:
            return ""
        token = self.tokens[index]
        is_said = {self.word(index - 1), self.word(index + 1)} & set(nouns)
        return token.lower if is_said or not token.is_quoted else ""

    def any_word(self, index: int) -> str:
        """A token's word in lower case, taken or not; "" beyond the ends."""
        return self.tokens[index].lower if 0 <= index < len(self.tokens) else ""

    def words(self, first: int, last: int) -> str:
        """The question's own text of some tokens."""
        return self.text[self.tokens[first].start : self.tokens[last].end]

    def starts(self, phrase: Sequence[str], index: int) -> bool:
        """True when these words stand from a token on, all free."""
        return all(self.word(index + offset) == word for offset, word in enumerate(phrase))

    def find(self, phrase: Sequence[str]) -> int | None:
        """The first token from which these words stand."""
        return next((at for at in range(len(self.tokens)) if self.starts(phrase, at)), None)

    def take(self, indexes: Iterable[int]) -> None:
        """Mark tokens as understood."""
        self.taken.update(indexes)

    def add(self, part: Part) -> Part:
        """A condition, whose tokens are taken."""
        self.parts.append(part)
        self.take(range(part.first, part.last + 1))
        return part

    def tell(self, understood: Understood, indexes: Sequence[int]) -> None:
        """Something understood that is no condition, such as what to show."""
        self.extra.append(understood)
        self.take(indexes)

    def lose(self, first: int, last: int, words: str = "") -> None:
        """Tokens that are read but mean nothing that can be asked."""
        self.lost.append((first, words or self.words(first, last)))
        self.take(range(first, last + 1))

    def free_runs(self) -> list[list[int]]:
        """Free tokens in runs that marks and taken tokens part."""
        runs: list[list[int]] = [[]]
        for index, token in enumerate(self.tokens):
            if index in self.taken or token.is_mark:
                runs.append([])
            else:
                runs[-1].append(index)
        return [run for run in runs if run]

    def is_filler(self, index: int) -> bool:
        """True for a word that means nothing in any question, and for marks."""
        token = self.tokens[index]
        return not token.is_quoted and (token.is_mark or token.lower in FILLER)

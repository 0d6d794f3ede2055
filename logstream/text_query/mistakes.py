"""Errors of a search, with the place and what may have been meant."""

from logstream.errors import FilterError

MAX_CHARACTERS = 2_000
# As much of a long text is shown on either side of the place.
_SIDE = 30


class QueryError(FilterError):
    """`q` cannot be understood: `position` (from 0) and `length` say where."""

    def __init__(self, text: str, position: int, length: int, problem: str, hint: str = "") -> None:
        self.text, self.position, self.length, self.problem = text, position, length, problem
        super().__init__("q", f"{self._sentence()}\n{self.caret_lines()}", hint)

    def one_line(self) -> str:
        """Without the lines that show the place."""
        return f"{self._sentence()}; {self.hint}" if self.hint else self._sentence()

    def caret_lines(self) -> str:
        """The text around the place, and below it a caret under each character meant."""
        start = max(0, self.position - _SIDE)
        end = min(len(self.text), self.position + max(self.length, 1) + _SIDE)
        before = "…" if start else ""
        shown = self.text[start:end].replace("\n", " ").replace("\t", " ")
        blanks = " " * (len(before) + self.position - start)
        carets = "^" * max(1, min(self.length, end - self.position))
        return f"  {before}{shown}{'…' if end < len(self.text) else ''}\n  {blanks}{carets}"

    def _sentence(self) -> str:
        return f"q: {self.problem} (character {self.position + 1})"


def did_you_mean(text: str) -> str:
    """`did you mean "…"?`, as a hint."""
    return f"did you mean {text} ?" if text.endswith('"') else f"did you mean {text}?"

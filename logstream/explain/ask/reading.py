"""Reading: what the built-in interpreter made of a question."""

from dataclasses import dataclass
from typing import Literal

from logstream.filter import LogFilter

Sure = Literal["certain", "likely", "guess"]
Show = Literal["lines", "patterns", "fields", "trend", "count"]


@dataclass(frozen=True)
class Understood:
    """Words of the question and what they became.

    `field` is a URL field (`service`, `severity`, `env`, `trace`, `q`, `range`, `from`), or
    `show`, `group_by`, `top`; `values` are its values, of `q` the term. `meaning` says it to
    people. A `guess` names other readings in `alternatives`, best first.
    """

    words: str
    field: str
    values: tuple[str, ...]
    meaning: str
    sure: Sure = "certain"
    alternatives: tuple[str, ...] = ()
    is_excluded: bool = False


@dataclass(frozen=True)
class Reading:
    """A question as a filter, and what of it to show.

    `group_by` is "", `service`, `severity`, `env`, `pattern` or `attribute:NAME`; `top` how many
    groups were asked for. `not_understood` are words that meant nothing; words that mean
    nothing in any question (the, please) are not among them. `is_follow_up`: the filter refines
    the one that was there.
    """

    log_filter: LogFilter
    show: Show = "lines"
    group_by: str = ""
    top: int | None = None
    understood: tuple[Understood, ...] = ()
    not_understood: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    is_follow_up: bool = False

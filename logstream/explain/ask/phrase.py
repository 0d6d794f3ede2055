"""One expression of time in a question, before it is resolved."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from logstream.explain.ask.moments import Moment

Kind = Literal["rolling", "period", "between", "since", "before", "near", "at", "unknown"]
_NO_MOMENT = Moment()


@dataclass(frozen=True)
class Phrase:
    """One expression: characters `start` to `end` of the question.

    `seconds` and `unit` are those of a rolling range (or of a distance to `first`);
    `wall_start` and `wall_end` are the viewer's clock (naive).
    """

    kind: Kind
    start: int
    end: int
    first: Moment = _NO_MOMENT
    last: Moment = _NO_MOMENT
    seconds: float = 0
    unit: str = ""
    number: float = 0
    side: str = ""
    wall_start: datetime | None = None
    wall_end: datetime | None = None
    is_day: bool = False
    event: str = ""

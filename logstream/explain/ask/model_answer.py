"""Whether what a model answered can be used: every value is checked against what there is."""

import difflib
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from logstream.errors import FilterError
from logstream.explain.ask.model_prompt import NAMES, SHOWN, Known
from logstream.explain.ask.reading import Show
from logstream.explain.ask.withheld import Withheld
from logstream.filter import LogFilter

LONGEST_Q = 500
MOST_TOP = 100
MOST_NOT_UNDERSTOOD = 10
LONGEST_WORDS = 120
MOST_PROBLEMS = 8
# Keys of `q` that are no attribute.
OWN_KEYS = frozenset(("service", "env", "severity", "trace", "latency", "pattern"))
GROUPS = ("service", "severity", "env", "pattern")
_OBJECT = re.compile(r"\{.*\}", re.DOTALL)
_QUOTED = re.compile(r'"[^"]*"?|(?<![\w:])/(?:\\.|[^/\\\s])+/')
_KEY = re.compile(r"(?<![^\s(,-])-?((?:[^\W\d]|@)[\w./@-]*)(?:>=|<=|!=|[:<>=])(?=[^/\\\s]|$)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Unusable(Exception):
    """The answer cannot be used; `problems` say why, for the model to mend it."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems[:MOST_PROBLEMS]


class _Answer(msgspec.Struct, rename="camel"):
    env: str = ""
    service: str = ""
    severity: str = ""
    trace: str = ""
    q: str = ""
    range: str = ""
    from_: str = msgspec.field(default="", name="from")
    to: str = ""
    show: str = "lines"
    group_by: str = ""
    top: int = 0
    not_understood: list[str] = []


class Proposal(msgspec.Struct, frozen=True):
    """A model's reading of a question, every name in it real."""

    log_filter: LogFilter
    show: Show
    group_by: str
    top: int | None
    not_understood: Sequence[str]


def read_answer(text: str, known: Known, withheld: Withheld, now: datetime) -> Proposal:
    """The filter in an answer, secrets put back; raises Unusable."""
    answer = _decoded(text)
    values = {
        name: withheld.shown(
            str(getattr(answer, "from_" if name == "from" else name)), as_phrase=name == "q"
        )
        for name in NAMES
    }
    # A model that fills in both means the moments it worked out.
    if values["range"] and (values["from"] or values["to"]):
        values["range"] = ""
    log_filter, refused = LogFilter.read_url({**values, "q": values["q"][:LONGEST_Q]})
    problems = [f"{error.parameter}: {error.one_line()}" for error in refused]
    problems += _unknown("service", log_filter.service.only, known.services)
    problems += _unknown("service", log_filter.service.excluded, known.services)
    problems += _unknown("env", log_filter.environment.only, known.environments)
    problems += _unknown("env", log_filter.environment.excluded, known.environments)
    problems += _problems_of_q(log_filter.q, known)
    if log_filter.start is not None and log_filter.start > now + timedelta(days=1):
        problems.append(f"from: {values['from']} is in the future, now is {now.isoformat()}")
    show = next((one for one in SHOWN if one == answer.show), None)
    if show is None:
        problems.append(f"show: '{answer.show[:40]}' is not known; use {', '.join(SHOWN)}")
    problems += _problems_of_group(answer.group_by, known)
    if problems or show is None:
        raise Unusable(problems)
    return Proposal(
        log_filter,
        show,
        answer.group_by,
        min(answer.top, MOST_TOP) if answer.top > 0 else None,
        [
            _CONTROL.sub(" ", withheld.shown(words))[:LONGEST_WORDS]
            for words in answer.not_understood[:MOST_NOT_UNDERSTOOD]
            if words.strip()
        ],
    )


def _decoded(text: str) -> _Answer:
    """The JSON object in the answer, also when words or a fence stand around it."""
    match = _OBJECT.search(text)
    if match is None:
        raise Unusable(["the answer holds no JSON object"])
    try:
        members: Any = msgspec.json.decode(match[0])
        # Models say null for what is not there.
        members = {name: value for name, value in members.items() if value is not None}
        return msgspec.convert(members, _Answer)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeError, RecursionError) as error:
        raise Unusable([f"the answer cannot be read: {error}"]) from None


def _unknown(name: str, given: Sequence[str], known: Sequence[str]) -> list[str]:
    there = set(known)
    problems = []
    for value in given:
        if value not in there:
            near = difflib.get_close_matches(value, known, n=3, cutoff=0.5)
            hint = f"perhaps {', '.join(near)}" if near else "leave it out"
            problems.append(f"{name}: '{value[:80]}' does not exist; {hint}")
    return problems


def _problems_of_q(q: str, known: Known) -> list[str]:
    try:
        LogFilter.from_url({"q": q})
    except FilterError as error:
        return [f"q: {error.one_line()}"]
    fields = set(known.fields)
    keys = dict.fromkeys(match[1] for match in _KEY.finditer(_QUOTED.sub('""', q)))
    return [
        problem
        for key in keys
        if key not in OWN_KEYS and key not in fields
        for problem in _unknown("q", [key], known.fields)
    ]


def _problems_of_group(group_by: str, known: Known) -> list[str]:
    if not group_by or group_by in GROUPS:
        return []
    kind, _, name = group_by.partition(":")
    if kind == "attribute":
        return _unknown("groupBy", [name], known.fields)
    return [f"groupBy: '{group_by[:80]}' is not known; use {', '.join(GROUPS)} or attribute:NAME"]

"""A question that was asked on this page: its answer, and what of it still holds.

The filter in the URL is the truth. What a question meant is remembered beside it, so that each
condition can be shown with the words it came from, taken out again, or read differently.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from logstream.filter import Choice, LogFilter
from logstream.text_query import with_term, without_term

_ASKED = "asked"
_FIELDS = {"service": "service", "env": "environment", "severity": "severity"}
_TIMES = ("range", "from", "to")
# How the interpreter words readings that are not names: what else a click can do.
_AS_TEXT = re.compile(r"the words? “(.+)” in messages")
_LEAVE_OUT = "leave these words out"


@dataclass(frozen=True)
class Condition:
    """One thing that was understood: the words, and what they became."""

    words: str
    field: str
    values: tuple[str, ...]
    meaning: str
    sure: str = "certain"
    alternatives: tuple[str, ...] = ()
    is_excluded: bool = False

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Condition":
        """As the service tells it."""
        return cls(
            str(told["words"]),
            str(told["field"]),
            tuple(map(str, told["values"])),
            str(told["meaning"]),
            str(told["sure"]),
            tuple(map(str, told["alternatives"])),
            bool(told["isExcluded"]),
        )

    @property
    def is_filter(self) -> bool:
        """False for what only says how to show the lines."""
        return self.field in _FIELDS or self.field in _TIMES or self.field in ("q", "trace")

    def holds_in(self, log_filter: LogFilter) -> bool:
        """Whether the filter still says it."""
        if self.field in _FIELDS:
            choice = _choice(log_filter, self.field)
            return set(self.values) <= set(choice.excluded if self.is_excluded else choice.only)
        if self.field in _TIMES:
            url = log_filter.to_url()
            return tuple(url[name] for name in _TIMES if name in url) == self.values
        if self.field == "trace":
            return log_filter.trace_id in self.values
        if self.field == "q":
            return self.taken_out_of(log_filter) != log_filter
        return False

    def taken_out_of(self, log_filter: LogFilter) -> LogFilter:
        """The filter without it."""
        if self.field in _FIELDS:
            choice = _choice(log_filter, self.field)
            if self.is_excluded:
                left = tuple(one for one in choice.excluded if one not in self.values)
                return _with_choice(log_filter, self.field, replace(choice, excluded=left))
            left = tuple(one for one in choice.only if one not in self.values)
            return _with_choice(log_filter, self.field, replace(choice, only=left))
        if self.field == "q":
            q = log_filter.q
            for value in self.values:
                # What the words rule out is told without its dash.
                q = without_term(q, f"-{value}" if self.is_excluded else value)
            return replace(log_filter, q=q)
        return log_filter.without(self.field)

    def changed_in(self, log_filter: LogFilter, alternative: str) -> LogFilter | None:
        """The filter with another reading of the words; None for one that no click can make."""
        without = self.taken_out_of(log_filter)
        if alternative == _LEAVE_OUT:
            return without
        if as_text := _AS_TEXT.fullmatch(alternative):
            return replace(without, q=with_term(without.q, _phrase(as_text[1])))
        if self.field in ("service", "env"):
            choice = _choice(without, self.field)
            name = "excluded" if self.is_excluded else "only"
            values = tuple(dict.fromkeys((*getattr(choice, name), alternative)))
            return _with_choice(without, self.field, replace(choice, **{name: values}))
        return None

    def read_as(self, alternative: str) -> "Condition":
        """The condition that `changed_in` makes."""
        if as_text := _AS_TEXT.fullmatch(alternative):
            return replace(
                self,
                field="q",
                values=(_phrase(as_text[1]),),
                meaning=f"text {as_text[1]}",
                sure="certain",
                alternatives=(),
                is_excluded=False,
            )
        others = tuple(one for one in (*self.values, *self.alternatives) if one != alternative)
        return replace(
            self,
            values=(alternative,),
            meaning=self.meaning.replace(" or ".join(self.values), alternative),
            alternatives=others,
        )


@dataclass(frozen=True)
class Asked:
    """A question, what the service answered, and the conditions as they are read now."""

    question: str
    reply: Mapping[str, Any]
    conditions: tuple[Condition, ...]
    # The rules of this process read it, because the service did not answer.
    is_without_service: bool = False

    @classmethod
    def of(cls, question: str, reply: Mapping[str, Any], **more: bool) -> "Asked":
        """What a reply says."""
        return cls(question, reply, tuple(map(Condition.of, reply["understood"])), **more)

    @property
    def log_filter(self) -> LogFilter:
        """The filter that the answer means."""
        names: Sequence[str] = ("env", "service", "severity", "trace", "q", *_TIMES, "at")
        return LogFilter.read_url({name: self.reply.get(name, "") for name in names})[0]

    @property
    def model(self) -> str:
        """The model that read it, "" when rules did."""
        return str(self.reply.get("model", ""))


def remembered() -> Asked | None:
    """The last question of this session that has not been put away."""
    asked: Asked | None = st.session_state.get(_ASKED)
    return asked


def remember(asked: Asked | None) -> None:
    """Show this one from now on, or none."""
    st.session_state[_ASKED] = asked


def _choice(log_filter: LogFilter, field: str) -> Choice:
    choice: Choice = getattr(log_filter, _FIELDS[field])
    return choice


def _with_choice(log_filter: LogFilter, field: str, choice: Choice) -> LogFilter:
    match field:
        case "env":
            return replace(log_filter, environment=choice)
        case "service":
            return replace(log_filter, service=choice)
    return replace(log_filter, severity=choice)


def _phrase(text: str) -> str:
    """The text as one term of `q`."""
    if text.isalnum():
        return text
    quoted = text.replace('"', '""')
    return f'"{quoted}"'

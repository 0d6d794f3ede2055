"""A filter narrowed to one value of a field, or without it: what clicking a value asks for."""

from dataclasses import replace
from typing import Any

from logstream.filter import Choice, LogFilter
from logstream.text_query import MAX_CHARACTERS, term_for, with_term

PATTERN, ATTRIBUTE = "pattern", "attribute:"
_LABELS = {"severity": "severity", "service": "service", "env": "environment"}


def narrowed(
    log_filter: LogFilter, field: str, value: str, *, is_excluded: bool = False
) -> LogFilter | None:
    """Only the lines with this value, or only those without it.

    `field` is as LogReader.facets has it. None when no filter can say it, as of a very long
    value.
    """
    if field in _LABELS:
        choice: Choice = getattr(log_filter, _LABELS[field])
        if is_excluded:
            others = tuple(one for one in choice.excluded if one != value)
            only = tuple(one for one in choice.only if one != value)
            new = Choice(only, (*others, value))
        else:
            new = Choice((value,))
        changed: dict[str, Any] = {_LABELS[field]: new}
        return replace(log_filter, **changed)
    term = term_for(field.removeprefix(ATTRIBUTE), value, is_excluded)
    q = with_term(log_filter.q, term)
    return replace(log_filter, q=q) if term and len(q) <= MAX_CHARACTERS else None

"""What clicking a value means for the filter, whichever field it is of.

Fields are named as in `Difference`: `severity`, `service`, `env`, `pattern`, `attribute:NAME`.
"""

from collections.abc import Iterable
from dataclasses import replace

from logstream.filter import Choice, LogFilter
from logstream.model import SEVERITY_WORDS
from logstream.show.explore.terms import chosen_values, with_values

LABELS = ("severity", "service", "env")
_ATTRIBUTE = "attribute:"


def chosen_of(log_filter: LogFilter, field: str, values: Iterable[str]) -> Choice:
    """Which values of a field the filter keeps and leaves out.

    Of a pattern or an attribute only such of `values` as each stand by themselves in `q`.
    """
    match field:
        case "severity":
            return log_filter.severity
        case "service":
            return log_filter.service
        case "env":
            return log_filter.environment
    return Choice(*chosen_values(log_filter.q, key_of(field), values))


def choose(
    log_filter: LogFilter, field: str, value: str, act: str, values: Iterable[str] = ()
) -> LogFilter:
    """The filter after `toggle`, `only` or `exclude` of one value; `values` are all that is known.

    What is done twice is undone.
    """
    known = dict.fromkeys((*values, value))
    before = chosen_of(log_filter, field, known)
    kept = tuple(other for other in before.only if other != value)
    out = tuple(other for other in before.excluded if other != value)
    match act:
        case "toggle":
            after = Choice(kept if value in before.only else (*kept, value), out)
        case "only":
            after = Choice() if before == Choice((value,)) else Choice((value,))
        case "exclude":
            after = Choice(kept, out if value in before.excluded else (*out, value))
        case _:
            return log_filter
    match field:
        case "severity" if value in SEVERITY_WORDS:
            return replace(log_filter, severity=after)
        case "service":
            return replace(log_filter, service=after)
        case "env":
            return replace(log_filter, environment=after)
    key = key_of(field)
    if not key:
        return log_filter
    return replace(log_filter, q=with_values(log_filter.q, key, known, after.only, after.excluded))


def key_of(field: str) -> str:
    """The key under which `q` knows a field that has no list of its own; "" when it has none."""
    return field if field == "pattern" else field[len(_ATTRIBUTE) :] * field.startswith(_ATTRIBUTE)


def title_of(field: str) -> str:
    """What people call the field."""
    titles = {"severity": "Severity", "service": "Service", "env": "Environment"}
    return titles.get(field) or ("Pattern" if field == "pattern" else key_of(field))

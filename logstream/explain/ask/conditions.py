"""The conditions of a filter one by one, for people: what each says, and the filter without it."""

from collections.abc import Iterator
from dataclasses import replace

from logstream.explain.ask.reading import Reading, Understood
from logstream.filter import Choice, LogFilter
from logstream.text_query import terms

_FIELDS = (("env", "environment"), ("service", "service"), ("severity", "severity"))


def conditions_of(log_filter: LogFilter) -> Iterator[Understood]:
    """Each condition as something understood, in the order of the URL; times are UTC.

    Raises FilterError when `q` cannot be read.
    """
    for field, attribute in _FIELDS:
        choice: Choice = getattr(log_filter, attribute)
        for values, is_excluded in ((choice.only, False), (choice.excluded, True)):
            if values:
                negation = "not " if is_excluded else ""
                meaning = f"{attribute} {negation}{' or '.join(values)}"
                yield Understood("", field, values, meaning, is_excluded=is_excluded)
    if log_filter.trace_id:
        yield Understood("", "trace", (log_filter.trace_id,), f"trace {log_filter.trace_id}")
    for term in terms(log_filter.q):
        yield Understood("", "q", (term.text,), term.words)
    url = log_filter.to_url()
    if "range" in url:
        yield Understood("", "range", (url["range"],), f"last {url['range']}")
    ends = {name: url[name] for name in ("from", "to") if name in url}
    if ends:
        meaning = " ".join(f"{name} {moment}" for name, moment in ends.items())
        yield Understood("", next(iter(ends)), tuple(ends.values()), meaning)


def understood_by_model(log_filter: LogFilter, rules: Reading) -> tuple[Understood, ...]:
    """What a model understood; in the words of the question where rules read the same in them."""
    by_rules = {(one.field, one.values, one.is_excluded): one for one in rules.understood}
    return tuple(
        replace(by_rules[key], sure="certain", alternatives=())
        if (key := (one.field, one.values, one.is_excluded)) in by_rules
        else one
        for one in conditions_of(log_filter)
    )


def place_of(current: LogFilter) -> LogFilter:
    """What stays in force when a new question begins: environment, time, moment of the past."""
    return LogFilter(
        environment=current.environment,
        range_text=current.range_text,
        start=current.start,
        end=current.end,
        at=current.at,
    )

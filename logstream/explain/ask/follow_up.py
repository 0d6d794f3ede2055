"""Questions that refine what is shown: only the slow ones, also checkout, same for yesterday."""

from dataclasses import replace
from itertools import pairwise

from logstream.errors import FilterError
from logstream.explain.ask.q_terms import any_of
from logstream.explain.ask.question import Question
from logstream.explain.ask.words import word_set
from logstream.filter import Choice, LogFilter
from logstream.text_query import terms, with_term

_STARTS = word_set(
    """only just also and but now without except exclude excluding hide remove ignore drop include
    add instead same plus not no narrow limit restrict omit again"""
)
_ANYWHERE = (
    *(("the", "same"), ("as", "well"), ("of", "these"), ("of", "those"), ("of", "them")),
    *(("what", "about"), ("how", "about"), ("filter", "out"), ("instead",), ("too",)),
)
_POINTERS = frozenset({"ones", "these", "those", "them", "same", "instead"})
_ADDING = frozenset({"also", "add", "include", "plus", "too", "as-well"})


def is_follow_up(question: Question) -> bool:
    """True when the question speaks of what is shown already."""
    words = [token.lower for token in question.tokens if not token.is_mark]
    if not words:
        return False
    if words[0] in _STARTS or (words[0] in ("show", "give") and "only" in words[1:3]):
        return True
    if "ones" in words or "same" in words or "instead" in words or words[-1] == "too":
        return True
    pairs = set(pairwise(words))
    return any(len(pair) == 2 and pair in pairs for pair in _ANYWHERE)


def is_adding(question: Question) -> bool:
    """True when conditions come beside those that are there: "also checkout"."""
    words = [token.lower for token in question.tokens]
    return bool(set(words) & _ADDING) or ("as", "well") in set(pairwise(words))


def refined(current: LogFilter, asked: LogFilter, *, is_adding: bool) -> LogFilter:
    """The current filter with what was asked: of each field in place of, or beside, the old."""
    has_time = bool(asked.range_text or asked.start or asked.end)
    timed = asked if has_time else current
    return replace(
        current,
        environment=_refined(current.environment, asked.environment, is_adding),
        service=_refined(current.service, asked.service, is_adding),
        severity=_refined(current.severity, asked.severity, is_adding),
        trace_id=asked.trace_id or current.trace_id,
        q=_joined(current.q, asked.q, is_adding),
        range_text=timed.range_text,
        start=timed.start,
        end=timed.end,
    )


def _refined(current: Choice, asked: Choice, is_adding: bool) -> Choice:
    if not asked:
        return current
    if asked.only:
        only = (*current.only, *asked.only) if is_adding and current.only else asked.only
        return Choice(tuple(dict.fromkeys(only)), ())
    left = tuple(value for value in current.only if value not in asked.excluded)
    if left:
        return Choice(left, ())
    return Choice((), tuple(dict.fromkeys((*current.excluded, *asked.excluded))))


def _joined(current: str, asked: str, is_adding: bool) -> str:
    if not current or not asked:
        return current or asked
    if is_adding and not asked.startswith("-"):
        return any_of([current, asked])
    try:
        for term in terms(asked):
            current = with_term(current, term.text)
    except FilterError:  # a search that the page was opened with may be broken
        return asked
    return current

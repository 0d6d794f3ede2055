"""Conditions on attributes and patterns as terms of `q`: which are chosen, and choosing them.

Several values of one field are any of them: `(region:eu OR region:us)`.
"""

import re
from collections.abc import Iterable

from logstream.errors import FilterError
from logstream.text_query import MAX_CHARACTERS, term_for, with_term, without_term

_GROUP = re.compile(r'\((?:[^()"]|"[^"]*")*\)')


def chosen_values(
    q: str, key: str, values: Iterable[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(kept, left out) of these values of a key, as the terms of q have it."""
    known = {term_for(key, value): value for value in values if value in q}
    known.pop("", None)
    kept = {known[term] for group in _groups(q, known) for term in group}
    kept |= {value for term, value in known.items() if without_term(q, term) != q}
    out = [v for v in known.values() if without_term(q, term_for(key, v, True)) != q]
    return tuple(value for value in known.values() if value in kept), tuple(out)


def with_values(
    q: str, key: str, known: Iterable[str], kept: Iterable[str], excluded: Iterable[str]
) -> str:
    """q with these values of a key kept and left out, in place of any of the `known` ones.

    q itself when it would become too long or too deep, or cannot say it.
    """
    try:
        return _with_values(q, key, list(known), kept, excluded)
    except FilterError:
        return q


def _with_values(
    q: str, key: str, values: list[str], kept: Iterable[str], excluded: Iterable[str]
) -> str:
    changed = q
    terms = {term_for(key, value) for value in values}
    for group in _groups(q, terms):
        changed = without_term(changed, _any_of(group))
    for value in values:
        if value in changed:
            changed = without_term(changed, term_for(key, value))
            changed = without_term(changed, term_for(key, value, True))
    wanted = [term_for(key, value) for value in kept]
    left_out = [term_for(key, value, True) for value in excluded]
    if "" in (*wanted, *left_out):
        return q
    for term in ([_any_of(wanted)] if wanted else []) + left_out:
        changed = with_term(changed, term)
    return changed if len(changed) <= MAX_CHARACTERS else q


def _groups(q: str, terms: Iterable[str]) -> list[list[str]]:
    """The parts of each `(… OR …)` of q that is made of these terms alone."""
    known = set(terms)
    inside = [match[0][1:-1].split(" OR ") for match in _GROUP.finditer(q)]
    return [parts for parts in inside if len(parts) > 1 and known.issuperset(parts)]


def _any_of(terms: list[str]) -> str:
    return terms[0] if len(terms) == 1 else f"({' OR '.join(terms)})"

"""Changing the text of `q` by single conditions, as a click on a value does."""

import re

from logstream.text_query.query import AttributeTest, TextQuery, terms_of


def term_for(key: str, value: str, excluded: bool = False) -> str:
    """One term of `q` that asks for (or rules out) a value, quoted where it must be.

    `key` is an attribute's name, `pattern`, `service` or another label; "" when no search can
    say it.
    """
    wanted = TextQuery(attributes=(AttributeTest(key, (value,)),))
    terms = (f"{key}:{value}", f'{key}:"{value}"')
    term = next((term for term in terms if TextQuery.parse(term) == wanted), "")
    return f"-{term}" if term and excluded else term


def with_term(q: str, term: str) -> str:
    """`q` narrowed by one more term; its opposite goes, and what is there is not said twice."""
    term = term.strip()
    if not term:
        return q
    meant, opposite = TextQuery.parse(term), TextQuery.parse(_opposite(term))
    kept = [one for one in terms_of(q) if TextQuery.parse(one) != opposite]
    if not any(TextQuery.parse(one) == meant for one in kept):
        kept.append(term)
    return " ".join(kept)


def without_term(q: str, term: str) -> str:
    """`q` without a term, however it is written; unchanged when it is not there."""
    meant = TextQuery.parse(term)
    terms = terms_of(q)
    kept = [one for one in terms if TextQuery.parse(one) != meant]
    return q if len(kept) == len(terms) else " ".join(kept)


def without_key(q: str, key: str) -> str:
    """`q` without its terms that are about values of this key alone, `(key:a OR key:b)` too."""
    terms = terms_of(q)
    kept = [one for one in terms if not _is_about(one, key)]
    return q if len(kept) == len(terms) else " ".join(kept)


def _is_about(term: str, key: str) -> bool:
    inside = terms_of(term[1:-1]) if re.fullmatch(r"\(.+\)", term, re.DOTALL) else [term]
    if inside == [term]:
        return re.match(rf"-?{re.escape(key)}(?::|[<>]=?|!?=)", term) is not None
    return all(one == "OR" or _is_about(one, key) for one in inside)


def _opposite(term: str) -> str:
    return term.removeprefix("-") if term.startswith("-") else f"-{term}"

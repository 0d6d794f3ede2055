"""Terms of the query language that stand in a question: `latency>500`, `error.type:timeout`."""

import re

from logstream.explain.ask.question import Part, Question
from logstream.explain.ask.vocabulary import Vocabulary
from logstream.text_query import term_for

_QUERY_TERM = re.compile(
    r"(?P<minus>-?)(?P<key>(?:[^\W\d]|@)[\w./@-]*)(?P<sign>:|>=|<=|>|<|==|=|!=)(?P<value>[^\s:=<>].*)"
)


def read_query_terms(question: Question, vocabulary: Vocabulary) -> None:
    """Take terms of the query language itself: `http.status_code:503`, `latency>500`."""
    for index, token in enumerate(question.tokens):
        if not question.is_free(index) or token.is_quoted:
            continue
        match = _QUERY_TERM.fullmatch(token.text)
        if match is None or match["value"].startswith(("/", "\\")):
            continue
        attribute = vocabulary.attribute(match["key"])
        key = (
            match["key"]
            if match["key"] in ("latency", "duration_ms")
            else attribute and attribute.name
        )
        if key:
            _add_term(question, index, key, match)


def _add_term(question: Question, index: int, key: str, match: re.Match[str]) -> None:
    sign, value = match["sign"], match["value"].strip("\"'")
    is_excluded = bool(match["minus"]) or sign == "!="
    if sign in (":", "=", "==", "!="):
        term = term_for(key, value)
    elif re.fullmatch(r"-?\d+(?:\.\d+)?", value):
        term = f"{key}{sign}{value}"
    else:
        return
    if term:
        question.add(
            Part(index, index, "q", (term,), f"{key} {sign} {value}", is_excluded=is_excluded)
        )

"""Terms of the query language that stand in a question: `latency>500`, `error.type:timeout`."""

import re

from logstream.explain.ask.question import Part, Question
from logstream.explain.ask.vocabulary import Vocabulary
from logstream.model import SEVERITY_WORDS, Severity, normal_trace_id
from logstream.text_query import term_for

_QUERY_TERM = re.compile(
    r"(?P<minus>-?)(?P<key>(?:[^\W\d]|@)[\w./@-]*)(?P<sign>:|>=|<=|>|<|==|=|!=)(?P<value>[^\s:=<>].*)"
)
_LABELS = {
    **dict.fromkeys(("service", "app", "application", "source"), "service"),
    **dict.fromkeys(("env", "environment"), "env"),
    **dict.fromkeys(("severity", "level"), "severity"),
    **dict.fromkeys(("trace", "trace_id", "traceid"), "trace"),
}


def read_query_terms(question: Question, vocabulary: Vocabulary) -> None:
    """Take terms of the query language itself: `http.status_code:503`, `latency>500`."""
    for index, token in enumerate(question.tokens):
        if not question.is_free(index) or token.is_quoted:
            continue
        match = _QUERY_TERM.fullmatch(token.text)
        if match is None or match["value"].startswith(("/", "\\")):
            continue
        if _add_label(question, index, match):
            continue
        attribute = vocabulary.attribute(match["key"])
        key = (
            match["key"]
            if match["key"] in ("latency", "duration_ms")
            else attribute and attribute.name
        )
        if key:
            _add_term(question, index, key, match)


def _add_label(question: Question, index: int, match: re.Match[str]) -> bool:
    """Take `service:cart`, `env=prod`, `severity>=warn`: what has a field of its own."""
    name = _LABELS.get(match["key"].lower())
    sign = match["sign"]
    values = tuple(value for value in match["value"].strip("\"'").split(",") if value)
    if name is None or not values:
        return False
    if name == "severity":
        groups = [group.word for value in values if (group := Severity.named(value))]
        if not groups:
            return False
        at = SEVERITY_WORDS.index(groups[0])
        values = {
            ">=": SEVERITY_WORDS[at:],
            ">": SEVERITY_WORDS[at + 1 :],
            "<=": SEVERITY_WORDS[: at + 1],
            "<": SEVERITY_WORDS[:at],
        }.get(sign, tuple(groups))
    elif sign in (">", ">=", "<", "<="):
        return False
    elif name == "trace":
        values = tuple(map(normal_trace_id, values))
    is_excluded = bool(match["minus"]) or sign == "!="
    meaning = f"{name} {' or '.join(values)}"
    if values:
        question.add(Part(index, index, name, values, meaning, is_excluded=is_excluded))
    return bool(values)


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

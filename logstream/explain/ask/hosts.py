"""Names of machines in a question: on host web-3, compute node cp-1."""

from logstream.explain.ask.filler import FILLER
from logstream.explain.ask.q_terms import any_of, text_term
from logstream.explain.ask.question import Part, Question
from logstream.explain.ask.vocabulary import Vocabulary
from logstream.text_query import term_for

_HOST_NOUNS = frozenset(
    {"host", "hosts", "hostname", "hostnames", "node", "nodes", "pod", "pods", "machine", "server"}
)


def read_hosts(question: Question, vocabulary: Vocabulary) -> None:
    """Take names of machines: known ones, and what follows the word "host" and looks like one."""
    for index, token in enumerate(question.tokens):
        if not question.is_free(index) or token.is_mark:
            continue
        known = vocabulary.hosts.get(token.lower)
        noun = index - 1
        if question.word(noun) in ("name", "named", "called", "is", "=", ":"):
            noun -= 1
        is_named = question.word(noun) in _HOST_NOUNS
        if token.lower in FILLER and not (known and (is_named or token.is_quoted)):
            continue
        if known is None and not (is_named and _looks_like_a_host(token.text, token.is_quoted)):
            continue
        if known and not is_named and token.lower in vocabulary.by_name:
            continue
        name, value = known or (vocabulary.host_attribute, token.text)
        has_attribute = any(one.is_host for one in vocabulary.attributes)
        if known is None and vocabulary.shows(value):
            term, meaning = text_term(value), f"messages with “{value}”"
        elif known is None and has_attribute:
            term = any_of([term_for(name, value), text_term(value)])
            meaning = f"{name} is {value}, or messages with it"
        else:
            term, meaning = term_for(name, value), f"{name} is {value}"
        if term:
            first = noun if is_named else index
            sure = "certain" if known else "likely"
            others = () if known else (f"the text “{value}” in messages",)
            question.add(Part(first, index, "q", (term,), meaning, sure, others))  # type: ignore[arg-type]
            if question.word(first - 1) in ("compute", "worker", "virtual", "physical"):
                question.take([first - 1])


def _looks_like_a_host(text: str, is_quoted: bool) -> bool:
    if is_quoted:
        return " " not in text
    has_mark = any(letter in text for letter in "-._") or any(letter.isdigit() for letter in text)
    return has_mark and text[:1].isalnum()

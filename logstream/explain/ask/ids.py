"""Ids, addresses, paths, quoted texts: words that are searched just as they stand."""

import re

from logstream.explain.ask.filler import FILLER
from logstream.explain.ask.q_terms import any_of, text_term
from logstream.explain.ask.question import Part, Question
from logstream.explain.ask.services import may_name_a_service
from logstream.explain.ask.severities import HARD, SOFT
from logstream.explain.ask.vocabulary import KnownAttribute, Vocabulary
from logstream.explain.ask.words import stem
from logstream.model import normal_trace_id
from logstream.text_query import term_for

_TRACE_ID = re.compile(
    r"[0-9a-fA-F]{32}|[0-9a-fA-F]{16}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
)
_ADDRESS = re.compile(
    r"\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5}|/\d{1,2})?|[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}"
)
_IPV4_PART = re.compile(r"(\d{1,3}(?:\.\d{1,3}){0,2}\.)(?:[x*]\.?)+[x*]?", re.IGNORECASE)
_UNREAL_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[:/]\d{1,2}(?:[:/]\d{2,4})?")
_PATH = re.compile(r"(?:https?://|/|\\|[A-Za-z]:\\|\.{1,2}/)\S*[^\s/]\S*|[\w.-]+(?:/[\w.{}*-]+)+")
_PLACE = re.compile(r"\{[^{}]*\}|<[^<>]*>|\*+|:[a-z_]\w*(?=/|$)")
_METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"})
# What ids and values are called, and the attribute names that hold them, best first.
_NOUNS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("user", "users", "username", "usernames", "userid"),
        ("user.id", "enduser.id", "user.name", "user", "username", "userId", "user_id"),
    ),
    **dict.fromkeys(("account", "customer", "tenant", "alias", "member"), ()),
    **dict.fromkeys(("session", "cart", "request", "transaction", "correlation", "invoice"), ()),
    **dict.fromkeys(("order", "orders", "payment", "shipment", "sku", "product", "ticket"), ()),
    **dict.fromkeys(("instance", "container", "block", "blk", "job", "task", "thread"), ()),
    **dict.fromkeys(("device", "deviceid", "region", "zone", "version", "port", "pid"), ()),
    **dict.fromkeys(("process", "file", "path", "url", "endpoint", "route", "uri", "span"), ()),
    **dict.fromkeys(("email", "ip", "address", "id", "hash", "key", "alert", "reportid"), ()),
    **dict.fromkeys(("partition", "topic", "queue", "bucket", "table", "index", "image"), ()),
}
_LINKS = frozenset(
    {
        "id",
        "ids",
        "number",
        "no",
        "nr",
        "is",
        "=",
        "#",
        "named",
        "called",
        "with",
        "name",
        "address",
    }
)
# Behind these a list of quoted texts is one of values, any of which will do.
_LISTING = frozenset(
    {"name", "names", "named", "file", "files", "user", "users", "device", "devices", "account"}
    | {"accounts", "either", "of", "host", "hosts", "processes", "excluding", "vulnerabilities"}
)
_SAME_NOUN = {"orders": "order", "users": "user", "usernames": "user", "username": "user"}
_NAMES_PEOPLE = frozenset({"user", "username", "account", "customer", "alias", "usernames"})


def read_traces(question: Question) -> None:
    """Take trace ids: behind the word "trace", or alone where 32 hexadecimal digits stand."""
    for index, token in enumerate(question.tokens):
        if not question.is_free(index) or not _TRACE_ID.fullmatch(token.text):
            continue
        at = index - 1
        while question.word(at) in _LINKS | {"the", "of"}:
            at -= 1
        is_named = question.word(at) in ("trace", "traceid", "trace_id", "trace-id", "traces")
        is_whole = len(token.text) == 32 and not token.text.isdigit()
        if is_named or is_whole:
            trace = normal_trace_id(token.text)
            first = at if is_named else index
            others = () if is_named else (f"the text “{token.text}” in messages",)
            question.add(
                Part(
                    *(first, index, "trace", (trace,), f"trace {trace}"),
                    sure="certain" if is_named else "likely",
                    alternatives=others,
                )
            )


def read_ids(question: Question, vocabulary: Vocabulary) -> None:
    """Take ids with the noun before them, then everything that looks like one."""
    for index, token in enumerate(question.tokens):
        if question.is_free(index) and not token.is_mark:
            _named_id(question, vocabulary, index)
    for index, token in enumerate(question.tokens):
        if question.is_free(index) and not token.is_mark:
            if token.is_quoted:
                _quoted(question, vocabulary, index)
            else:
                _shaped(question, vocabulary, index)


def _named_id(question: Question, vocabulary: Vocabulary, index: int) -> None:
    """`user fztu`, `order #17`, `request id abc-1`, `root user`."""
    token = question.tokens[index]
    at = index - 1
    while at > 0 and question.word(at) in _LINKS and question.word(at) not in _NOUNS:
        at -= 1
    noun = question.word(at)
    if noun not in _NOUNS and noun not in ("ids",):
        behind = question.word(index + 1)
        if behind in ("user", "account") and _is_a_persons_name(question, vocabulary, index):
            _add_id(question, vocabulary, index, index + 1, behind, token.text)
        return
    value = token.text.removeprefix("#")
    is_value = (
        token.is_quoted
        or any(letter.isdigit() for letter in value)
        or (noun in _NAMES_PEOPLE and _is_a_persons_name(question, vocabulary, index))
        or any(value.lower() in one.folded for one in _attributes_of(vocabulary, noun))
    )
    if is_value and not (token.is_quoted and noun in ("file", "process", "image")):
        first = at - 1 if noun == "id" and question.word(at - 1) in _NOUNS else at
        if noun == "address" and question.word(at - 1) in ("ip", "mac", "email"):
            first = at - 1
        _add_id(question, vocabulary, first, index, question.word(first) or noun, value)


def _is_a_persons_name(question: Question, vocabulary: Vocabulary, index: int) -> bool:
    word = question.word(index)
    if not word or word in FILLER or word in HARD or word in SOFT:
        return False
    if any(word in one.folded for one in _attributes_of(vocabulary, "user")):
        return True
    return not vocabulary.templates.knows(stem(word)) and len(word) > 1 and not word.endswith("ing")


def _attributes_of(vocabulary: Vocabulary, noun: str) -> list[KnownAttribute]:
    found = [
        one for name in _NOUNS.get(noun, ()) if (one := vocabulary.attribute(name)) is not None
    ]
    return found or vocabulary.attributes_of([noun])[:3]


def _add_id(
    question: Question, vocabulary: Vocabulary, first: int, last: int, noun: str, value: str
) -> None:
    attributes = _attributes_of(vocabulary, noun)
    known = next((one for one in attributes if value.lower() in one.folded), None)
    as_phrase = text_term(f"{noun} {value}")
    is_number = value.isdigit() and len(value) < 6
    has_phrase = bool(vocabulary.templates.holding([f"{noun} "]))
    text = as_phrase if is_number and has_phrase else text_term(value)
    if known is not None:
        stored = known.folded[value.lower()]
        part = Part(first, last, "q", (term_for(known.name, stored),), f"{known.name} is {stored}")
    elif attributes and not vocabulary.templates.has_seen(stem(value.lower())):
        name = attributes[0].name
        terms = [term_for(name, value), text]
        part = Part(
            *(first, last, "q", (any_of(terms),), f"{name} is {value}, or messages with it"),
            sure="likely",
        )
    else:
        part = Part(first, last, "q", (text,), f"messages with “{text.strip(chr(34))}”")
    part.id_kind = _SAME_NOUN.get(noun, noun)
    if part.values[0]:
        question.add(part)


def _quoted(question: Question, vocabulary: Vocabulary, index: int) -> None:
    text = question.tokens[index].text
    if question.text[question.tokens[index].start] == "/":
        question.add(Part(index, index, "q", (text,), f"messages like {text}"))
        return
    if question.any_word(index - 1) in ("regex", "regexp", "pattern") and "/" not in text:
        try:
            re.compile(text)
        except re.error:
            pass
        else:
            question.take([index - 1])
            question.add(Part(index, index, "q", (f"/{text}/",), f"messages like /{text}/"))
            return
    attribute = _attribute_of_value(vocabulary, text)
    term = attribute or text_term(text)
    if term:
        meaning = attribute.replace(":", " is ", 1) if attribute else f"messages with “{text}”"
        part = question.add(Part(index, index, "q", (term,), meaning))
        part.id_kind = "listed" if _is_of_a_list(question, index) else ""


def _is_of_a_list(question: Question, index: int) -> bool:
    """True where what is quoted is one of several values: names "a", "b" and "c"."""
    at = index
    while at > 0 and (question.tokens[at].is_quoted or question.any_word(at) in ("and", ",", "or")):
        at -= 1
    before = {question.any_word(at), question.any_word(at - 1)}
    return bool(before & _LISTING) and not before & {"contains", "contain", "containing", "has"}


def _attribute_of_value(vocabulary: Vocabulary, text: str) -> str:
    """The term for an attribute that has this value, when no pattern of the log shows the text."""
    if vocabulary.shows(text):
        return ""
    for attribute in vocabulary.attributes:
        if (value := attribute.folded.get(text.lower())) is not None and not text.isdigit():
            return term_for(attribute.name, value)
    return ""


def _shaped(question: Question, vocabulary: Vocabulary, index: int) -> None:
    text = question.tokens[index].text
    if text in _METHODS:
        method = vocabulary.attribute("http.request.method") or vocabulary.attribute("http.method")
        term = term_for(method.name, text) if method else text_term(text)
        question.add(Part(index, index, "q", (term,), f"method {text}"))
        return
    if _UNREAL_DATE.fullmatch(text):
        question.notes.append(f"“{text}” is no date or time")
        question.lose(index, index)
        return
    if part := _IPV4_PART.fullmatch(text):
        term = text_term(part[1])
        question.add(Part(index, index, "q", (term,), f"messages with “{part[1]}”", "likely"))
        return
    if _PATH.fullmatch(text) and _PLACE.search(text):
        pieces = [piece for piece in _PLACE.split(text) if piece.strip("/")]
        terms = [text_term(piece) for piece in pieces]
        if terms:
            meaning = f"messages with {' and '.join(pieces)}"
            question.add(Part(index, index, "q", (" ".join(terms),), meaning))
        return
    if not _is_an_id(text) or may_name_a_service(vocabulary, text.lower()):
        return
    term = _attribute_of_value(vocabulary, text)
    meaning = term.replace(":", " is ", 1) if term else f"messages with “{text}”"
    if term := term or text_term(text):
        first = index
        while question.word(first - 1) in _NOUNS or question.word(first - 1) in ("address", "addr"):
            first -= 1
        question.add(Part(first, index, "q", (term,), meaning, id_kind="shape"))


def _is_an_id(text: str) -> bool:
    """True for addresses, paths, and whatever else nobody says for its meaning."""
    if _ADDRESS.fullmatch(text) or _PATH.fullmatch(text) or "@" in text[1:-1]:
        return True
    has_digit = any(letter.isdigit() for letter in text)
    has_letter = any(letter.isalpha() for letter in text)
    if has_digit and has_letter:
        return len(text) > 3 and not re.fullmatch(
            r"\d+(?:\.\d+)?(?:ms|s|m|h|d|w|k|x|xx|st|nd|rd|th)", text.lower()
        )
    if has_digit:
        return len(text) >= 6 and text.isdigit()
    return (
        "_" in text[1:-1] or "\\" in text or ("." in text[1:-1] and has_letter and ".." not in text)
    )

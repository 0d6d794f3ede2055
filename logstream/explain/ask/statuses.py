"""HTTP status codes in a question: status 503, 5xx, returned 404."""

import re

from logstream.explain.ask.filler import FILLER
from logstream.explain.ask.q_terms import any_of, text_term
from logstream.explain.ask.question import Part, Question
from logstream.explain.ask.vocabulary import Vocabulary
from logstream.explain.ask.words import word_set
from logstream.text_query import term_for

_STATUS_WORDS = frozenset({"status", "statuses", "code", "codes", "statuscode", "http"})
_STATUS_NAMES = (
    "http.response.status_code",
    "http.status_code",
    "status_code",
    "statusCode",
    "status",
)
_AFTER_STATUS = word_set(
    """error errors response responses status statuses code codes result results reply replies
    failure failures http"""
)


def read_statuses(question: Question, vocabulary: Vocabulary) -> None:
    """Take status codes, as an attribute holds them or as messages write them."""
    for index, token in enumerate(question.tokens):
        match = re.fullmatch(r"(?P<code>[1-5](?:\d\d|xx))s?", question.word(index))
        if match is None or token.is_quoted:
            continue
        first, last = index, index
        while question.word(first - 1) in _STATUS_WORDS | {"is", "of", "=", "a", "an", "with"}:
            first -= 1
        while question.word(last + 1) in _AFTER_STATUS - {"requests"} and last < index + 2:
            last += 1
        before = {question.word(at) for at in range(first, index)}
        after = {question.word(at) for at in range(index + 1, last + 1)}
        is_class = match["code"].endswith("xx")
        returned = question.any_word(first - 1) in (
            "returned",
            "returning",
            "returns",
            "got",
            "gave",
        )
        is_status = bool((before | after) & _STATUS_WORDS) or is_class or returned
        is_status = is_status or token.text.endswith("s")
        is_status = is_status or (match["code"][0] in "45" and bool(after))
        following = question.any_word(index + 1)
        is_status = is_status or (
            match["code"][0] in "45"
            and question.any_word(index - 1) == "with"
            and (not following or following in FILLER - {"items", "times"})
        )
        if not is_status:
            continue
        while first < index and question.word(first) not in _STATUS_WORDS:
            first += 1
        _add_status(question, vocabulary, first, last, match["code"])


def _add_status(
    question: Question, vocabulary: Vocabulary, first: int, last: int, code: str
) -> None:
    names = [one for name in _STATUS_NAMES if (one := vocabulary.attribute(name)) is not None]
    others = [one for one in vocabulary.attributes_of(["status"]) if one not in names]
    attribute = next(iter([*names, *others]), None)
    terms: tuple[str, ...]
    if attribute is not None:
        if code.endswith("xx"):
            low = int(code[0]) * 100
            terms = (f"{attribute.name}>={low}", f"{attribute.name}<{low + 100}")
            meaning = f"{attribute.name} from {low} to {low + 99}"
        else:
            terms = (term_for(attribute.name, code),)
            meaning = f"{attribute.name} is {code}"
        question.add(Part(first, last, "q", terms, meaning))
        return
    forms = _written_forms(vocabulary)
    if code.endswith("xx"):
        texts = [f"{form}{code[0]}*" for form in forms] or [f"status={code[0]}*"]
        terms = (any_of([f'"{text}"' if " " in text else text for text in texts]),)
        if not forms:
            question.notes.append("no attribute holds a status code; it is looked for in messages")
    elif forms:
        terms = (any_of([text_term(f"{form}{code}") for form in forms]),)
    else:
        terms = (text_term(code),)
    if code.endswith("xx") and " " in terms[0] and "*" in terms[0]:
        # A phrase has no wildcard: the codes themselves, as far as they are in use.
        codes = [f"{code[0]}{rest}" for rest in ("00", "01", "02", "03", "04", "22", "29")]
        terms = (any_of([text_term(f"{form}{one}") for form in forms for one in codes]),)
    question.add(Part(first, last, "q", terms, f"status {code} in messages", "likely"))


def _written_forms(vocabulary: Vocabulary) -> list[str]:
    """How the log's patterns write a status: `status: `, `status=`; of either once."""
    forms: dict[str, None] = {}
    for segments in vocabulary.templates.segments:
        for segment in segments[:-1]:
            if found := re.search(
                r"(?:status|code|HTTP)(?: code)?[=: ]+\"?$", segment, re.IGNORECASE
            ):
                forms[found[0].lower().replace('"', "")] = None
    return list(forms)[:3]

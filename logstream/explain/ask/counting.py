"""What to show: lines, a count, a trend, patterns, or groups, and by what."""

import re
from dataclasses import dataclass

from logstream.explain.ask.filler import FILLER
from logstream.explain.ask.moments import NUMBERS
from logstream.explain.ask.question import Question
from logstream.explain.ask.reading import Show, Understood
from logstream.explain.ask.vocabulary import Vocabulary
from logstream.explain.ask.words import pieces_of, stem, word_set

_OWN = {
    **dict.fromkeys(
        ("service", "services", "application", "applications", "app", "apps"), "service"
    ),
    **dict.fromkeys(("component", "components", "microservice", "microservices"), "service"),
    **dict.fromkeys(("severity", "severities", "level", "levels"), "severity"),
    **dict.fromkeys(("environment", "environments", "env", "envs"), "env"),
    **dict.fromkeys(("pattern", "patterns", "template", "templates"), "pattern"),
}
_TIME_UNITS = word_set(
    """second seconds minute minutes hour hours day days week weeks month months daily hourly
    weekly time"""
)
_TREND = word_set(
    """trend trends trending timeline histogram timeseries series chart graph plot evolution
    hourly daily frequency-over-time"""
)
_COUNT = (
    *(("how", "many"), ("number", "of"), ("count", "of"), ("count", "the"), ("how", "often")),
    *(("total", "number"), ("what", "number"), ("counts", "of"), ("count", "number")),
    *(("what", "percentage"), ("what", "percent"), ("what", "share"), ("how", "much")),
)
_UNITS = frozenset({"status", "response", "responses", "ms", "s", "seconds"})
_BY = frozenset({"by", "per"})
_GROUPED = (
    *(("grouped", "by"), ("group", "by"), ("broken", "down", "by"), ("breakdown", "by")),
    *(("split", "by"), ("for", "each"), ("from", "each"), ("in", "each"), ("of", "each")),
    *(("across", "all"), ("breakdown", "of"), ("distribution", "of"), ("on", "each")),
    *(("for", "every"), ("sorted", "by"), ("ranked", "by"), ("summarized", "by"), ("listed", "by")),
)
_WHICH = frozenset({"which", "what", "whose"})
_UNIQUE = frozenset({"unique", "distinct", "different"})
_MOST = (
    *(("most", "common"), ("most", "frequent"), ("most", "frequently"), ("most", "often")),
    *(("top",), ("commonest",), ("frequent",), ("biggest",), ("noisiest",), ("most",)),
    *(("rare",), ("rarest",), ("least", "common")),
)
_WHAT_PATTERNS = word_set(
    """error errors exception exceptions warning warnings message messages failure failures log logs
    problem problems issue issues line lines event events"""
)
_NOUN_ATTRIBUTES = {
    **dict.fromkeys(("user", "users", "username", "usernames", "customer", "customers", "people"),
                    ("user.id", "enduser.id", "user.name", "user", "username", "userId")),
    **dict.fromkeys(("host", "hosts", "hostname", "hostnames", "machine", "machines", "node",
                     "nodes", "server", "servers", "pod", "pods"),
                    ("host.name", "hostname", "host")),
    **dict.fromkeys(("ip", "ips", "address", "addresses", "client", "clients"),
                    ("client.address", "source.address", "source.ip", "client.ip", "ip", "peer")),
    **dict.fromkeys(("endpoint", "endpoints", "route", "routes", "path", "paths", "url", "urls"),
                    ("http.route", "url.path", "http.target", "path", "url.full", "url")),
    **dict.fromkeys(("version", "versions", "release", "releases"), ("service.version", "version")),
    **dict.fromkeys(("region", "regions"), ("cloud.region", "region")),
    **dict.fromkeys(("status", "statuses", "code", "codes"),
                    ("http.response.status_code", "http.status_code", "status")),
}  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """What a question asks to see."""

    show: Show = "lines"
    group_by: str = ""
    top: int | None = None


def read_shown(question: Question, vocabulary: Vocabulary) -> Shown:
    """Take the words that say what to show, and by what to group."""
    top = _top(question)
    group, group_words = _group(question, vocabulary)
    is_count = _has_pair(question, _COUNT) or question.word(0) in ("count", "counts")
    trend = _trend(question)
    patterns = _patterns(question, vocabulary)
    most = top is not None or any(_at(question, phrase) is not None for phrase in _MOST)
    if trend:
        shown = Shown("trend", group)
    elif patterns and not group:
        shown = Shown("patterns", "pattern", top)
    elif group:
        shown = Shown("fields" if group.startswith("attribute:") else "count", group, top)
    elif is_count:
        shown = Shown("count", "", top)
    else:
        shown = Shown("lines", "", top)
    _take_count_words(question)
    _tell(question, shown, group_words, most)
    return shown


def _tell(question: Question, shown: Shown, words: str, most: bool) -> None:
    if shown.show != "lines":
        meanings = {
            "count": "the number of lines",
            "trend": "lines over time",
            "patterns": "patterns, the most frequent first",
            "fields": "values of an attribute",
        }
        question.extra.append(
            Understood(words or shown.show, "show", (shown.show,), f"show {meanings[shown.show]}")
        )
    if shown.group_by and shown.group_by != "pattern":
        name = shown.group_by.removeprefix("attribute:")
        question.extra.append(
            Understood(words, "group_by", (shown.group_by,), f"one row for each {name}")
        )
    if shown.top is not None:
        question.extra.append(
            Understood(f"{shown.top}", "top", (str(shown.top),), f"the first {shown.top}")
        )


def _top(question: Question) -> int | None:
    for index in range(len(question.tokens)):
        word = question.word(index)
        if word in (
            "top",
            "first",
            "last",
            "latest",
            "newest",
            "bottom",
            "up",
            "limit",
            "oldest",
            "show",
        ):
            at = index + (2 if question.word(index + 1) == "to" and word == "up" else 1)
            if question.word(at) in ("most", "recent"):
                at += 1
            number = question.word(at)
            value = _whole(number)
            if value is not None and value > 0 and not _is_status_like(question, at):
                question.take(range(index, at + 1))
                return value
    return None


def _whole(word: str) -> int | None:
    if match := re.fullmatch(r"(\d{1,6})(k?)", word):
        return int(match[1]) * (1000 if match[2] else 1)
    value = NUMBERS.get(word)
    return int(value) if value and value >= 1 and word not in ("a", "an") else None


def _is_status_like(question: Question, at: int) -> bool:
    """True for 500 of "the last 500 errors": a status, or an amount with a unit."""
    following = question.word(at + 1)
    is_status = re.fullmatch(r"[45]\d\d", question.word(at)) is not None
    return following in _UNITS or (is_status and following.startswith("error"))


def _group(question: Question, vocabulary: Vocabulary) -> tuple[str, str]:
    """(what to group by, the words that say so); both "" when nothing is."""
    return _asked_for(question, vocabulary) or _grouped_by(question, vocabulary) or ("", "")


def _asked_for(question: Question, vocabulary: Vocabulary) -> tuple[str, str] | None:
    """`which users`, `unique hosts`, `top 5 services`."""
    for index in range(len(question.tokens)):
        word = question.word(index)
        is_most = any(_starts(question, phrase, index) for phrase in _MOST)
        if word not in _WHICH | _UNIQUE and not is_most and not _was_top(question, index):
            continue
        at = index if _was_top(question, index) else index + 1
        nouns = _OWN.keys() | _NOUN_ATTRIBUTES.keys()
        while question.word(at) in FILLER - nouns and at < index + 4:
            at += 1
        if group := _noun(question, vocabulary, at, is_by=False):
            return _taken(question, index, group)
        if question.word(at) in _NOUN_ATTRIBUTES and word != "what":
            last = at + (question.word(at + 1) in ("address", "addresses", "names", "ids"))
            question.notes.append(
                f"no attribute holds “{question.words(at, last)}”; the lines themselves are shown"
            )
            question.take(range(at, last + 1))
            return None
    return None


def _grouped_by(question: Question, vocabulary: Vocabulary) -> tuple[str, str] | None:
    """`errors per service`, `grouped by host`, `distribution of status codes`."""
    counts = any(_at(question, phrase) is not None for phrase in (*_COUNT, ("count",)))
    for index in range(len(question.tokens)):
        phrase: tuple[str, ...] | None = next(
            (one for one in _GROUPED if _starts(question, one, index)), None
        )
        if phrase is None and question.word(index) in _BY:
            phrase = (question.word(index),)
        if phrase is None:
            continue
        is_spread = phrase in (("across", "all"), ("distribution", "of"), ("breakdown", "of"))
        is_by = not is_spread and (phrase != ("by",) or counts)
        if group := _noun(question, vocabulary, index + len(phrase), is_by=is_by):
            return _taken(question, index, group)
    return None


def _taken(question: Question, first: int, group: tuple[str, int]) -> tuple[str, str]:
    name, last = group
    words = question.words(first, last)
    question.take(range(first, last + 1))
    return name, words


def _was_top(question: Question, index: int) -> bool:
    """True right behind a taken "top 5"."""
    before = {question.any_word(index - 1), question.any_word(index - 2)}
    return bool(before & {"top", "bottom"}) and index - 1 in question.taken


def _noun(
    question: Question, vocabulary: Vocabulary, at: int, *, is_by: bool
) -> tuple[str, int] | None:
    """(what to group by, its last token) of the noun at a token; None when it names nothing."""
    while question.word(at) in (
        "the",
        "each",
        "every",
        "all",
        "unique",
        "different",
        "distinct",
        "of",
    ):
        at += 1
    word = question.word(at)
    if not word or word in _TIME_UNITS:
        return None
    if word in _WHAT_PATTERNS:  # "errors" is no group, but "error types" may be
        found = _attribute_for(vocabulary, [word, question.word(at + 1)])
        return (f"attribute:{found}", at + 1) if found and question.word(at + 1) else None
    if word in _OWN:
        return _OWN[word], at
    if word == "deployment" and question.word(at + 1) == "environment":
        return "env", at + 1
    if attribute := vocabulary.attribute(word):
        return f"attribute:{attribute.name}", at
    for width in (3, 2, 1):
        words = [question.word(at + offset) for offset in range(width)]
        if not all(words):
            continue
        found = _attribute_for(vocabulary, words)
        if found:
            return f"attribute:{found}", at + width - 1
    if is_by and word not in FILLER and not _is_in_messages(vocabulary, question.tokens[at].text):
        last = at
        while question.word(last + 1) in ("address", "addresses", "ip", "name", "names", "id"):
            last += 1
        question.notes.append(f"no attribute is called “{question.words(at, last)}”: not grouped")
        question.lose(at, last)
    return None


def _is_in_messages(vocabulary: Vocabulary, text: str) -> bool:
    return any(vocabulary.templates.knows(stem(piece)) for piece in pieces_of(text))


def _attribute_for(vocabulary: Vocabulary, words: list[str]) -> str:
    if len(words) == 1 or words[0] in ("source", "client", "remote"):
        for name in _NOUN_ATTRIBUTES.get(words[-1] if len(words) > 1 else words[0], ()):
            if attribute := vocabulary.attribute(name):
                return attribute.name
    if (
        len(words) == 1
        and (words[0] in FILLER or len(words[0]) < 3)
        and words[0] not in _NOUN_ATTRIBUTES
    ):
        return ""
    found = vocabulary.attributes_of([stem(word) for word in words])
    return found[0].name if found else ""


def _trend(question: Question) -> bool:
    found = False
    for index in range(len(question.tokens)):
        word = question.word(index)
        pair = (word, question.word(index + 1))
        if pair in (("over", "time"), ("error", "rate"), ("rate", "of"), ("rates", "of")):
            question.take([index + 1] if word == "error" else [index, index + 1])
            found = True
        elif word in _TREND:
            question.take([index])
            found = True
        elif word in ("per", "by", "every", "each") and question.word(index + 1) in _TIME_UNITS:
            question.take([index, index + 1])
            found = True
    return found


def _patterns(question: Question, vocabulary: Vocabulary) -> bool:
    """`most common errors`, `new patterns`, `kinds of errors`; the nouns stay for others."""
    for index in range(len(question.tokens)):
        word = question.word(index)
        if word in ("pattern", "patterns", "templates"):
            question.take([index])
            if question.word(index - 1) in ("new", "unseen", "novel"):
                question.notes.append("patterns first seen in this range carry the mark “new”")
                question.take([index - 1])
            return True
        is_kinds = word in ("kinds", "types", "sorts") and question.word(index + 1) == "of"
        if is_kinds and question.word(index + 2) in _WHAT_PATTERNS:
            question.take([index, index + 1])
            return True
        for phrase in _MOST:
            if _starts(question, phrase, index) or (
                phrase == ("top",) and _was_top(question, index)
            ):
                at = index + (len(phrase) if _starts(question, phrase, index) else 0)
                while _whole(question.word(at)) or (
                    question.word(at) in FILLER - _WHAT_PATTERNS - _OWN.keys()
                ):
                    at += 1
                if question.word(at) in _WHAT_PATTERNS and not _is_grouping_after(question, at):
                    if _starts(question, phrase, index):
                        question.take(range(index, index + len(phrase)))
                    return True
        is_unique = word in _UNIQUE | {"new"}
        if is_unique and question.word(index + 1) in _WHAT_PATTERNS - {
            "logs",
            "log",
            "lines",
            "line",
        }:
            question.take([index])
            return True
    return False


def _is_grouping_after(question: Question, at: int) -> bool:
    return question.word(at + 1) in _BY or question.word(at + 1) in _OWN


def _take_count_words(question: Question) -> None:
    for phrase in _COUNT:
        at = _at(question, phrase)
        if at is not None:
            question.take(range(at, at + len(phrase)))
    for index in range(len(question.tokens)):
        if question.word(index) in (
            "average",
            "avg",
            "mean",
            "maximum",
            "minimum",
            "median",
            "percentage",
        ):
            question.notes.append(
                f"“{question.word(index)}” is not calculated; the lines it is made from are shown"
            )
            question.take([index])
        elif question.word(index) in (
            "count",
            "counts",
            "counted",
            "distribution",
            "breakdown",
            "grouped",
        ):
            question.take([index])


def _has_pair(question: Question, phrases: tuple[tuple[str, ...], ...]) -> bool:
    return any(_at(question, phrase) is not None for phrase in phrases)


def _at(question: Question, phrase: tuple[str, ...]) -> int | None:
    return next(
        (index for index in range(len(question.tokens)) if _starts(question, phrase, index)), None
    )


def _starts(question: Question, phrase: tuple[str, ...], index: int) -> bool:
    return all(question.word(index + offset) == word for offset, word in enumerate(phrase))

"""By what a question groups: which users, per service, top 5 hosts."""

from logstream.explain.ask.filler import FILLER
from logstream.explain.ask.question import Question
from logstream.explain.ask.vocabulary import Vocabulary
from logstream.explain.ask.words import pieces_of, stem, word_set

OWN = {
    **dict.fromkeys(
        ("service", "services", "application", "applications", "app", "apps"), "service"
    ),
    **dict.fromkeys(("component", "components", "microservice", "microservices"), "service"),
    **dict.fromkeys(("severity", "severities", "level", "levels"), "severity"),
    **dict.fromkeys(("environment", "environments", "env", "envs"), "env"),
    **dict.fromkeys(("pattern", "patterns", "template", "templates"), "pattern"),
}
TIME_UNITS = word_set(
    """second seconds minute minutes hour hours day days week weeks month months daily hourly
    weekly time"""
)
COUNT = (
    *(("how", "many"), ("number", "of"), ("count", "of"), ("count", "the"), ("how", "often")),
    *(("total", "number"), ("what", "number"), ("counts", "of"), ("count", "number")),
    *(("what", "percentage"), ("what", "percent"), ("what", "share"), ("how", "much")),
)
BY = frozenset({"by", "per"})
_GROUPED = (
    *(("grouped", "by"), ("group", "by"), ("broken", "down", "by"), ("breakdown", "by")),
    *(("split", "by"), ("for", "each"), ("from", "each"), ("in", "each"), ("of", "each")),
    *(("breakdown", "of"), ("distribution", "of"), ("on", "each")),
    *(("for", "every"), ("sorted", "by"), ("ranked", "by"), ("summarized", "by"), ("listed", "by")),
)
_ARTICLES = word_set("the each every all unique different distinct of")
_WHICH = frozenset({"which", "what", "whose"})
UNIQUE = frozenset({"unique", "distinct", "different"})
MOST = (
    *(("most", "common"), ("most", "frequent"), ("most", "frequently"), ("most", "often")),
    *(("top",), ("commonest",), ("frequent",), ("biggest",), ("noisiest",), ("most",)),
    *(("rare",), ("rarest",), ("least", "common")),
)
MESSAGE_NOUNS = word_set(
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


def read_group(question: Question, vocabulary: Vocabulary) -> tuple[str, str]:
    """(what to group by, the words that say so); both "" when nothing is."""
    return _asked_for(question, vocabulary) or _grouped_by(question, vocabulary) or ("", "")


def _asked_for(question: Question, vocabulary: Vocabulary) -> tuple[str, str] | None:
    """`which users`, `unique hosts`, `top 5 services`."""
    for index in range(len(question.tokens)):
        word = question.word(index)
        is_most = any(question.starts(phrase, index) for phrase in MOST)
        if word not in _WHICH | UNIQUE and not is_most and not is_behind_top(question, index):
            continue
        at = index if is_behind_top(question, index) else index + 1
        nouns = OWN.keys() | _NOUN_ATTRIBUTES.keys()
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
    counts = any(question.find(phrase) is not None for phrase in (*COUNT, ("count",)))
    for index in range(len(question.tokens)):
        phrase: tuple[str, ...] | None = next(
            (one for one in _GROUPED if question.starts(one, index)), None
        )
        if phrase is None and question.word(index) in BY:
            phrase = (question.word(index),)
        if phrase is None:
            continue
        is_spread = phrase in (("distribution", "of"), ("breakdown", "of"))
        is_by = not is_spread and (phrase != ("by",) or counts)
        if group := _noun(question, vocabulary, index + len(phrase), is_by=is_by):
            return _taken(question, index, group)
    return None


def _taken(question: Question, first: int, group: tuple[str, int]) -> tuple[str, str]:
    name, last = group
    words = question.words(first, last)
    question.take(range(first, last + 1))
    return name, words


def is_behind_top(question: Question, index: int) -> bool:
    """True right behind a taken "top 5"."""
    before = {question.any_word(index - 1), question.any_word(index - 2)}
    return bool(before & {"top", "bottom"}) and index - 1 in question.taken


def _noun(
    question: Question, vocabulary: Vocabulary, at: int, *, is_by: bool
) -> tuple[str, int] | None:
    """(what to group by, its last token) of the noun at a token; None when it names nothing."""
    while question.word(at) in _ARTICLES:
        at += 1
    word = question.word(at)
    if not word or word in TIME_UNITS:
        return None
    if word in MESSAGE_NOUNS:  # "errors" is no group, but "error types" may be
        found = _attribute_for(vocabulary, [word, question.word(at + 1)])
        return (f"attribute:{found}", at + 1) if found and question.word(at + 1) else None
    if word in OWN:
        return OWN[word], at
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

"""Severities in words: errors, warnings and worse, at least warning, no debug."""

from logstream.explain.ask.question import Part, Question
from logstream.explain.ask.reading import Sure
from logstream.explain.ask.vocabulary import Vocabulary
from logstream.model import SEVERITY_WORDS

_ERRORS = ("error", "fatal")
# Words that mean a severity wherever they stand.
HARD = {
    **dict.fromkeys(
        ("error", "errors", "errored", "err", "errs", "erroring", "erroneous"), _ERRORS
    ),
    **dict.fromkeys(("warning", "warnings", "warn", "warns"), ("warn",)),
    **dict.fromkeys(("fatal", "fatals", "critical", "criticals", "emergency"), ("fatal",)),
    **dict.fromkeys(("emergencies", "panic-level"), ("fatal",)),
    **dict.fromkeys(("info", "infos", "informational", "notice", "notices"), ("info",)),
    **dict.fromkeys(("debug", "debugs", "debugging"), ("debug",)),
}
# Words that mean one unless the log's own patterns have them: "login failures".
SOFT = {
    **dict.fromkeys(("failure", "failures", "fail", "fails", "failed", "failing"), _ERRORS),
    **dict.fromkeys(("problem", "problems", "issue", "issues", "trouble", "troubles"), _ERRORS),
    **dict.fromkeys(("exception", "exceptions", "crash", "crashed", "crashes"), _ERRORS),
    **dict.fromkeys(
        ("crashing", "broken", "breaking", "wrong", "faults", "fault", "down"), _ERRORS
    ),
    **dict.fromkeys(("traceback", "tracebacks", "stacktrace", "stacktraces", "bugs"), _ERRORS),
    **dict.fromkeys(("severe", "serious", "alarming", "bad"), _ERRORS),
    **dict.fromkeys(("verbose",), ("debug", "trace")),
    **dict.fromkeys(("panics", "panicked"), ("fatal",)),
}
_UP = frozenset(
    {"worse", "above", "higher", "up", "graver", "upwards", "greater", "upward", "more"}
)
_DOWN = frozenset({"below", "lower", "under", "less", "milder"})
_AT_LEAST = (("at", "least"), ("minimum",), ("min",), ("starting", "at"), ("from",), (">=",))
_ABOVE = (("above",), ("worse", "than"), ("higher", "than"), ("more", "than"), (">",))
_BELOW = (("below",), ("less", "than"), ("under",), ("lower", "than"), ("milder", "than"), ("<",))
_LEVEL_WORDS = frozenset({"level", "severity", "priority", "sev", "loglevel"})


def read_severities(question: Question) -> None:
    """Take words that mean a severity wherever they stand."""
    for index in range(len(question.tokens)):
        word = question.word(index).rstrip("+")
        if word in HARD and not _names_a_quote(question, index):
            _add(question, index, HARD[word], "certain", word != question.word(index))
        elif word in ("trace", "traces") and _is_level(question, index):
            _add(question, index, ("trace",), "certain", False)
        elif word in ("high", "medium", "low") and _is_level(question, index):
            values = {"high": _ERRORS, "medium": ("warn",), "low": ("info",)}[word]
            _add(question, index, values, "guess", False)
        elif (word, question.word(index + 1)) in (("stack", "trace"), ("stack", "traces")):
            question.take([index + 1])
            part = _add(question, index, _ERRORS, "likely", False)
            part.last = max(part.last, index + 1)


def read_soft_severities(question: Question) -> None:
    """Take words of SOFT that no pattern of the log has claimed before."""
    for index in range(len(question.tokens)):
        values = SOFT.get(question.word(index))
        if values is None:
            continue
        if any(part.field == "severity" and not part.is_excluded for part in question.parts):
            question.take([index])
        else:
            _add(question, index, values, "likely", False)


def drop_needless_severities(question: Question, vocabulary: Vocabulary) -> None:
    """Leave out a severity that no line of the messages asked for ever has, and say so.

    "Error messages about disconnections" means those messages also where the log files them
    under info.
    """
    found: set[str] = set()
    for part in question.parts:
        for number in part.patterns:
            found.update(vocabulary.patterns[number].severities)
    for part in list(question.parts):
        is_needless = part.field == "severity" and not part.is_excluded
        if is_needless and found and found.isdisjoint(part.values):
            question.parts.remove(part)
            words = question.words(part.first, part.last)
            question.notes.append(
                f"“{words}” is left out: these messages only come as {', '.join(sorted(found))}"
            )


def _add(
    question: Question, index: int, values: tuple[str, ...], sure: Sure, is_plus: bool
) -> Part:
    first, last = index, index
    lowest = values[0]
    if after := _after(question, index):
        last, direction = after
    else:
        first, direction = _before(question, index)
    if is_plus:
        direction = "from"
    values = {
        "from": SEVERITY_WORDS[SEVERITY_WORDS.index(lowest) :],
        "above": SEVERITY_WORDS[SEVERITY_WORDS.index(lowest) + 1 :] or (lowest,),
        "to": SEVERITY_WORDS[: SEVERITY_WORDS.index(lowest) + 1],
        "below": SEVERITY_WORDS[: SEVERITY_WORDS.index(lowest)] or (lowest,),
    }.get(direction, values)
    for beside in (first - 1, last + 1):
        if question.word(beside) in _LEVEL_WORDS:
            question.take([beside])
    meaning = f"severity {' or '.join(values)}"
    alternatives: tuple[str, ...] = ()
    if sure != "certain":
        alternatives = (f"the word “{question.words(index, index)}” in messages",)
    part = Part(
        first,
        last,
        "severity",
        values,
        meaning,
        sure,
        alternatives,
    )
    return question.add(part)


def _after(question: Question, index: int) -> tuple[int, str] | None:
    """`warnings and worse`, `warn or above`, `info and below`."""
    at = index + 1
    if question.word(at) in _LEVEL_WORDS:
        at += 1
    if question.word(at) in ("and", "or", "&"):
        word = question.word(at + 1)
        if word in _UP:
            return at + 1, "from"
        if word in _DOWN:
            return at + 1, "to"
    return None


def _before(question: Question, index: int) -> tuple[int, str]:
    """`at least warning`, `above info`, `severity >= warn`."""
    for phrases, direction in ((_AT_LEAST, "from"), (_ABOVE, "above"), (_BELOW, "below")):
        for phrase in phrases:
            start = index - len(phrase)
            said = tuple(question.word(start + offset) for offset in range(len(phrase)))
            if start >= 0 and said == phrase:
                if phrase == ("from",) and question.word(index + 1) not in ("up", "upwards"):
                    continue
                return start, direction
    return index, ""


def _is_level(question: Question, index: int) -> bool:
    words = {
        question.any_word(index - 1),
        question.any_word(index + 1),
        question.any_word(index - 2),
    }
    return bool(words & _LEVEL_WORDS)


def _names_a_quote(question: Question, index: int) -> bool:
    """`errors` of "'connection reset' errors" says what is quoted, not a severity."""
    before = question.tokens[index - 1] if index else None
    if before is None or not before.is_quoted or len(before.text.split()) < 2:
        return False
    question.take([index])
    word = question.tokens[index].text
    question.notes.append(f"“{word}” is read as naming the quoted message, not as a severity")
    return True

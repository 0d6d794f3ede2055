"""What to show: lines, a count, a trend, patterns, or groups, and by what."""

import re
from dataclasses import dataclass

from logstream.explain.ask.filler import FILLER
from logstream.explain.ask.grouping import (
    BY,
    COUNT,
    MESSAGE_NOUNS,
    MOST,
    OWN,
    TIME_UNITS,
    UNIQUE,
    is_behind_top,
    read_group,
)
from logstream.explain.ask.moments import NUMBERS
from logstream.explain.ask.question import Question
from logstream.explain.ask.reading import Show, Understood
from logstream.explain.ask.vocabulary import Vocabulary
from logstream.explain.ask.words import word_set

_TREND = word_set(
    """trend trends trending timeline histogram timeseries series chart graph plot evolution
    hourly daily frequency-over-time"""
)
_UNITS = word_set("status response responses ms s seconds")
_FIRST = word_set("top first last latest newest bottom up limit oldest show")
_CALCULATIONS = word_set("average avg mean maximum minimum median percentage")
_COUNT_WORDS = word_set("count counts counted distribution breakdown grouped")
_LINES = word_set("log logs line lines")


@dataclass(frozen=True)
class Shown:
    """What a question asks to see."""

    show: Show = "lines"
    group_by: str = ""
    top: int | None = None


def read_shown(question: Question, vocabulary: Vocabulary) -> Shown:
    """Take the words that say what to show, and by what to group."""
    top = _top(question)
    group, group_words = read_group(question, vocabulary)
    is_count = _has_pair(question, COUNT) or question.word(0) in ("count", "counts")
    trend = _trend(question)
    patterns = _patterns(question)
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
    _tell(question, shown, group_words)
    return shown


def _tell(question: Question, shown: Shown, words: str) -> None:
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
    """5 of "top 5 services", "the last 5 errors", "up to 5 lines"."""
    for index in range(len(question.tokens)):
        word = question.word(index)
        if word in _FIRST:
            at = index + (2 if question.starts(("up", "to"), index) else 1)
            at += question.word(at) in ("most", "recent")
            value = _whole(question.word(at))
            if value and not _is_status_like(question, at):
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
        elif word in ("per", "by", "every", "each") and question.word(index + 1) in TIME_UNITS:
            question.take([index, index + 1])
            found = True
    return found


def _patterns(question: Question) -> bool:
    """`most common errors`, `new patterns`, `kinds of errors`; the nouns stay for others."""
    for index in range(len(question.tokens)):
        word, following = question.word(index), question.word(index + 1)
        if word in ("pattern", "patterns", "templates"):
            question.take([index])
            if question.word(index - 1) in ("new", "unseen", "novel"):
                question.notes.append("patterns first seen in this range carry the mark “new”")
                question.take([index - 1])
            return True
        is_kinds = word in ("kinds", "types", "sorts") and following == "of"
        if is_kinds and question.word(index + 2) in MESSAGE_NOUNS:
            question.take([index, index + 1])
            return True
        if word in UNIQUE | {"new"} and following in MESSAGE_NOUNS - _LINES:
            question.take([index])
            return True
        if _asks_for_most(question, index):
            return True
    return False


def _asks_for_most(question: Question, index: int) -> bool:
    """`most frequent errors`, `rare warnings`, `top 10 errors`."""
    phrase = next((one for one in MOST if question.starts(one, index)), ())
    if not phrase and not is_behind_top(question, index):
        return False
    at = index + len(phrase)
    while _whole(question.word(at)) or question.word(at) in FILLER - MESSAGE_NOUNS - OWN.keys():
        at += 1
    if question.word(at) not in MESSAGE_NOUNS or _is_grouping_after(question, at):
        return False
    question.take(range(index, index + len(phrase)))
    return True


def _is_grouping_after(question: Question, at: int) -> bool:
    return question.word(at + 1) in BY or question.word(at + 1) in OWN


def _take_count_words(question: Question) -> None:
    for phrase in COUNT:
        at = question.find(phrase)
        if at is not None:
            question.take(range(at, at + len(phrase)))
    for index in range(len(question.tokens)):
        word = question.word(index)
        if word in _CALCULATIONS or re.fullmatch(r"p\d\d", word):
            question.notes.append(
                f"“{word}” is not calculated; the lines it is made from are shown"
            )
            question.take([index])
        elif word in _COUNT_WORDS:
            question.take([index])


def _has_pair(question: Question, phrases: tuple[tuple[str, ...], ...]) -> bool:
    return any(question.find(phrase) is not None for phrase in phrases)

"""Questions in plain words to a filter: no model, no network, rules one can read.

Each pass takes the words that it understands, surest first: times, terms of the query language,
names, ids, numbers, what to show, severities; what is left is mapped to the patterns of the log.
A question is data: whatever it says, it becomes a filter or nothing.
"""

from dataclasses import replace
from datetime import datetime, tzinfo

from logstream.errors import FilterError
from logstream.explain.ask.counting import read_shown
from logstream.explain.ask.environments import read_environments
from logstream.explain.ask.filler import FILLER, WEAK
from logstream.explain.ask.follow_up import is_adding, is_follow_up, refined
from logstream.explain.ask.hosts import read_hosts
from logstream.explain.ask.idioms import read_idioms, read_literals
from logstream.explain.ask.ids import read_ids, read_traces
from logstream.explain.ask.joints import built, mark_excluded
from logstream.explain.ask.numbers import read_numbers
from logstream.explain.ask.q_terms import MOST_Q
from logstream.explain.ask.question import Part, Question
from logstream.explain.ask.reading import Reading, Understood
from logstream.explain.ask.services import (
    read_named_services,
    read_service_meanings,
    read_service_parts,
)
from logstream.explain.ask.severities import (
    drop_needless_severities,
    read_severities,
    read_soft_severities,
)
from logstream.explain.ask.statuses import read_statuses
from logstream.explain.ask.text import read_text
from logstream.explain.ask.times import TimeReading, read_times
from logstream.explain.ask.typed_terms import read_query_terms
from logstream.explain.ask.vocabulary import Vocabulary
from logstream.filter import LogFilter
from logstream.text_query import TextQuery


def interpret(
    question: str,
    vocabulary: Vocabulary,
    *,
    now: datetime,
    zone: tzinfo,
    current: LogFilter | None = None,
) -> Reading:
    """What a question asks for; never fails, and says what it did not understand.

    Times without a zone are those of `zone`. A question that refines ("only the slow ones")
    changes `current`; any other keeps of it the environment and the time, unless it names its
    own.
    """
    asked = Question.of(question)
    times = _read_times(asked, now, zone)
    read_query_terms(asked, vocabulary)
    read_environments(asked, vocabulary)
    read_traces(asked)
    read_hosts(asked, vocabulary)
    read_named_services(asked, vocabulary)
    read_statuses(asked, vocabulary)
    read_numbers(asked, vocabulary)
    shown = read_shown(asked, vocabulary)
    read_severities(asked)
    read_ids(asked, vocabulary)
    read_service_parts(asked, vocabulary)
    read_literals(asked, vocabulary)
    read_idioms(asked, vocabulary)
    read_service_meanings(asked, vocabulary)
    read_text(asked, vocabulary)
    read_soft_severities(asked)
    mark_excluded(asked)
    drop_needless_severities(asked, vocabulary)
    _drop_unsearchable(asked)
    conditions = replace(
        built(asked), range_text=times.range_text, start=times.start, end=times.end
    )
    follows = current is not None and is_follow_up(asked)
    if current is not None:
        base = current if follows else _place_of(current)
        log_filter = refined(base, conditions, is_adding=follows and is_adding(asked))
    else:
        log_filter = conditions
    return Reading(
        log_filter=_kept_short(log_filter, asked),
        show=shown.show,
        group_by=shown.group_by,
        top=shown.top,
        understood=_understood(asked, times),
        not_understood=_not_understood(asked),
        notes=tuple(dict.fromkeys((*asked.notes, *times.notes))),
        is_follow_up=follows,
    )


def _place_of(current: LogFilter) -> LogFilter:
    """What a new question keeps of the page: its environment, its time, the moment of replay."""
    return LogFilter(
        environment=current.environment,
        range_text=current.range_text,
        start=current.start,
        end=current.end,
        at=current.at,
    )


def _read_times(question: Question, now: datetime, zone: tzinfo) -> TimeReading:
    text = question.text.lower()
    if len(text) != len(question.text):  # a letter whose lower case is longer
        text = "".join(
            letter.lower() if len(letter.lower()) == 1 else letter for letter in question.text
        )
    for token in question.tokens:
        if token.is_quoted:
            blank = "\x00" * (token.end - token.start)
            text = text[: token.start] + blank + text[token.end :]
    times = read_times(text, now, zone)
    for spans, is_read in ((times.spans, True), (times.unread, False)):
        for start, end in spans:
            inside = [
                index
                for index, token in enumerate(question.tokens)
                if token.start < end and token.end > start
            ]
            question.take(inside)
            if inside and not is_read:
                question.lose(inside[0], inside[-1])
    return times


def _understood(question: Question, times: TimeReading) -> tuple[Understood, ...]:
    found = [(part.first, _of_part(question, part)) for part in question.parts]
    if times:
        starts = [question.text[start:end] for start, end in times.spans]
        values = tuple(
            LogFilter(range_text=times.range_text, start=times.start, end=times.end)
            .to_url()
            .values()
        )
        field = "range" if times.range_text else "from" if times.start else "to"
        found.append(
            (
                -1,
                Understood(
                    words=" ".join(starts),
                    field=field,
                    values=values,
                    meaning=LogFilter(range_text=times.range_text, start=times.start, end=times.end)
                    .words()
                    .removeprefix("all lines, "),
                    sure="likely" if times.is_likely else "certain",
                    alternatives=times.alternatives,
                ),
            )
        )
    found.sort(key=lambda pair: pair[0])
    return (*(one for _, one in found), *question.extra)


def _of_part(question: Question, part: Part) -> Understood:
    return Understood(
        words=question.words(part.first, part.last),
        field=part.field,
        values=part.values,
        meaning=f"not {part.meaning}" if part.is_excluded else part.meaning,
        sure=part.sure,
        alternatives=part.alternatives,
        is_excluded=part.is_excluded,
    )


def _not_understood(question: Question) -> tuple[str, ...]:
    lost = list(question.lost)
    for index, token in enumerate(question.tokens):
        if index in question.taken or token.is_mark:
            continue
        is_filler = not token.is_quoted and token.lower in FILLER | WEAK
        if not is_filler and any(letter.isalnum() for letter in token.text):
            lost.append((index, token.text))
    return tuple(dict.fromkeys(words for _, words in sorted(lost)))


def _drop_unsearchable(question: Question) -> None:
    """Leave out terms that `q` refuses, such as a regular expression with a mistake."""
    for part in [part for part in question.parts if part.field == "q"]:
        try:
            for term in part.values:
                TextQuery.parse(term)
        except FilterError as error:
            question.parts.remove(part)
            question.lose(part.first, part.last)
            question.notes.append(f"“{question.words(part.first, part.last)}”: {error}")


def _kept_short(log_filter: LogFilter, question: Question) -> LogFilter:
    """The filter with a `q` that can be asked: not too long, and without a mistake."""
    terms = log_filter.q
    if len(terms) > MOST_Q:
        kept: list[str] = []
        for part in question.parts:
            if part.field == "q" and not part.is_excluded:
                candidate = [*kept, *part.values]
                if len(" ".join(candidate)) <= MOST_Q:
                    kept = candidate
        question.notes.append("not every condition fits into one search; the first ones are used")
        log_filter = replace(log_filter, q=" ".join(kept))
    try:
        log_filter.text  # noqa: B018 - parsing is the question
    except FilterError as error:
        question.notes.append(f"“{log_filter.q}” cannot be searched: {error}")
        return replace(log_filter, q="")
    return log_filter

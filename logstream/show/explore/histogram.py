"""The histogram by severity above the results."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import streamlit as st

from logstream.errors import LogStreamError
from logstream.model import SEVERITY_WORDS
from logstream.ports import SeverityBucket
from logstream.show import session, url_state
from logstream.show.asked import Asked
from logstream.show.cards import failure
from logstream.show.explore import questions, spike_state
from logstream.show.explore.components.histogram import histogram
from logstream.show.explore.period import before_words, change_words
from logstream.show.explore.results import search_again
from logstream.show.filter_bar import toggle_severity
from logstream.show.time_range import bucket_seconds, bucket_words, range_words
from logstream.show.time_trail import step_back, with_time, with_time_before
from logstream.show.url_state import View


def draw_histogram(view: View) -> None:
    """Lines over time by severity, beside the period before."""
    with st.container(key="trend", gap=None):
        try:
            _draw(view)
        except LogStreamError as error:
            session.note_missing_answer()
            failure("The histogram cannot be drawn.", error)


def _draw(view: View) -> None:
    log_filter = view.log_filter
    now = log_filter.at or datetime.now(UTC)
    width = bucket_seconds(log_filter, now)
    counted = questions.trend(log_filter, width, view.timezone)
    buckets = counted.answer
    words = before_words(log_filter, now)
    total, previous = (sum(counts) for counts in totals(buckets))
    back = ""
    if view.chosen.start is not None or view.chosen.end is not None:
        earlier = replace(view, chosen=with_time_before(view.chosen))
        back = range_words(earlier.log_filter, view.zone, now)
    spike = spike_state.current(view.chosen)
    part = None if spike is None else spike.part
    histogram(
        {word: [bucket.counts[word] for bucket in buckets] for word in SEVERITY_WORDS},
        starts=[bucket.start_unix_seconds for bucket in buckets],
        ends=[bucket.end_unix_seconds for bucket in buckets],
        as_of=counted.unix_ms / 1000,
        log_filter=log_filter,
        timezone=view.timezone,
        before=totals(buckets)[1],
        before_words=words,
        comparison=change_words(total, previous, words),
        words=range_words(log_filter, view.zone, now),
        per=bucket_words(width),
        back=back,
        chosen=view.chosen.severity.only,
        selection=None if part is None else (part[0].timestamp(), part[1].timestamp()),
        is_explained=spike is not None,
        follow=_follow,
    )


def totals(buckets: Sequence[SeverityBucket]) -> tuple[list[int], list[int]]:
    """(now, the time before): lines of any severity, bucket by bucket."""
    return [bucket.total for bucket in buckets], [bucket.previous or 0 for bucket in buckets]


def _follow(asked: Asked) -> None:
    """Do what was asked for with the mouse or keys."""
    chosen = url_state.shown().chosen
    now = url_state.shown().log_filter.at or datetime.now(UTC)
    match asked.get("kind"):
        case "severity" if asked.get("value") in SEVERITY_WORDS:
            toggle_severity(str(asked["value"]))
        case "range" if (chosen_time := read_range(asked)) is not None:
            url_state.change(with_time(chosen, *chosen_time, now))
        case "refresh":
            search_again()
        case "restore":
            url_state.change(step_back(chosen))
        case "explain":
            part = read_range(asked)
            if part is None and spike_state.current(chosen) is not None:
                spike_state.close()
            else:
                spike_state.explain(chosen, part)


def read_range(asked: Asked) -> tuple[datetime, datetime] | None:
    """The time that the browser sent; None for anything malformed."""
    try:
        start, end = (datetime.fromtimestamp(int(asked[name]), UTC) for name in ("from", "to"))
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
    return (start, end) if start < end else None

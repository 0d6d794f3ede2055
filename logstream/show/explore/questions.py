"""What the panels of Explore ask, at most some seconds old and shared by all viewers."""

import time

import streamlit as st

from logstream.filter import LogFilter
from logstream.ports import Differences, Fields, Patterns, PatternValues, SeverityBucket
from logstream.show.session import NANOS_PER_MS, AsOf, Question, _ask, _question

MOST_VALUES = 5_000
# How many pieces a trend of a pattern has at most.
SPARK_PIECES = 30


def trend(
    log_filter: LogFilter, bucket_seconds: int, zone: str, *, with_previous: bool = True
) -> AsOf[list[SeverityBucket]]:
    """Counts by severity a bucket, beside the time before, at most 1.5 s old."""
    return _trend(_question(log_filter), bucket_seconds, zone, with_previous)


def facets(log_filter: LogFilter, fields: tuple[str, ...]) -> dict[str, list[tuple[str, int]]]:
    """(value, count) of each field, most frequent first, at most 3 s old."""
    return _facets(_question(log_filter), fields)


def fields(log_filter: LogFilter, values: int) -> Fields:
    """Every attribute with so many of its values, at most 5 s old."""
    return _fields(_question(log_filter), values)


def patterns(log_filter: LogFilter, limit: int, *, pieces: int = SPARK_PIECES) -> Patterns:
    """The most frequent patterns with trends of so many pieces, at most 3 s old."""
    return _patterns(_question(log_filter), limit, pieces)


def pattern_values(log_filter: LogFilter, pattern_id: int, values: int) -> PatternValues | None:
    """What stands at the places of a pattern, at most 5 s old."""
    return _pattern_values(_question(log_filter), pattern_id, values)


def differences(log_filter: LogFilter, baseline: LogFilter, limit: int) -> Differences:
    """What distinguishes the lines of the first filter, at most 5 s old."""
    return _differences(_question(log_filter), _question(baseline), limit)


@st.cache_data(ttl=1.5, max_entries=300, show_spinner=False)
def _trend(
    question: Question, bucket_seconds: int, zone: str, with_previous: bool
) -> AsOf[list[SeverityBucket]]:
    log_filter, now = LogFilter.from_url(dict(question)), time.time_ns()
    buckets = _ask(
        lambda ask: ask.trend_by_severity(
            log_filter,
            bucket_seconds=bucket_seconds,
            now_unix_nano=now,
            zone=zone,
            with_previous=with_previous,
        )
    )
    return AsOf(buckets, log_filter.moment_unix_nano(now) // NANOS_PER_MS)


@st.cache_data(ttl=3, max_entries=200, show_spinner=False)
def _facets(question: Question, fields: tuple[str, ...]) -> dict[str, list[tuple[str, int]]]:
    log_filter = LogFilter.from_url(dict(question))
    return _ask(
        lambda ask: ask.facets(
            log_filter, limit=MOST_VALUES, now_unix_nano=time.time_ns(), fields=fields
        )
    )


@st.cache_data(ttl=5, max_entries=100, show_spinner=False)
def _fields(question: Question, values: int) -> Fields:
    log_filter = LogFilter.from_url(dict(question))
    return _ask(lambda ask: ask.fields(log_filter, values=values, now_unix_nano=time.time_ns()))


@st.cache_data(ttl=3, max_entries=100, show_spinner=False)
def _patterns(question: Question, limit: int, pieces: int) -> Patterns:
    log_filter = LogFilter.from_url(dict(question))
    return _ask(
        lambda ask: ask.patterns(
            log_filter, limit=limit, buckets=pieces, now_unix_nano=time.time_ns()
        )
    )


@st.cache_data(ttl=5, max_entries=200, show_spinner=False)
def _pattern_values(question: Question, pattern_id: int, values: int) -> PatternValues | None:
    log_filter = LogFilter.from_url(dict(question))
    return _ask(
        lambda ask: ask.pattern_values(
            log_filter, pattern_id, values=values, now_unix_nano=time.time_ns()
        )
    )


@st.cache_data(ttl=5, max_entries=100, show_spinner=False)
def _differences(question: Question, baseline: Question, limit: int) -> Differences:
    asked, other = LogFilter.from_url(dict(question)), LogFilter.from_url(dict(baseline))
    return _ask(
        lambda ask: ask.differences(asked, other, limit=limit, now_unix_nano=time.time_ns())
    )

"""What of the view narrows this page: environment, service and time; and its questions."""

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import streamlit as st

from logstream.filter import LogFilter, range_seconds
from logstream.show import session
from logstream.show.explore.period import shown_time
from logstream.show.services.neighbourhood import in_order
from logstream.show.session import Question
from logstream.show.url_state import View
from logstream.trace_port import DurationTrend, OperationFacts, ServiceMap, Services

Answer = TypeVar("Answer")
# How many pieces a trend has, about: in a row, and in a chart.
SPARK_PIECES, CHART_PIECES = 30, 60
MOST_OPERATIONS = 200
# Who sent something so long before the time shown, and nothing in it, is silent.
SILENT_DAYS = 7
_USUAL_SECONDS = 900.0


def narrowed(view: View) -> LogFilter:
    """The filter without what means nothing for services; `at` ends the time."""
    shown = view.log_filter
    kept = LogFilter(
        environment=shown.environment,
        service=shown.service,
        range_text=shown.range_text,
        start=shown.start,
        end=shown.end,
    )
    if shown.at is None:
        return kept
    start = kept.start
    if kept.range_text:
        start = shown.at - timedelta(seconds=range_seconds(kept.range_text))
    end = shown.at if kept.end is None else min(kept.end, shown.at)
    return replace(kept, range_text="", start=start, end=end)


def chosen_service(view: View) -> str | None:
    """The one service whose detail is shown; None for the list and the map."""
    service = view.chosen.service
    return service.only[0] if len(service.only) == 1 and not service.excluded else None


def seconds_of(log_filter: LogFilter) -> float:
    """How long the time is that was asked about, as far as it has passed."""
    shown = shown_time(log_filter, datetime.now(UTC))
    return _USUAL_SECONDS if shown is None else (shown[1] - shown[0]).total_seconds()


def services(
    log_filter: LogFilter, zone: str, pieces: int = SPARK_PIECES
) -> tuple[Services, float]:
    """Every service, and when that was asked (Unix seconds); at most 3 s old."""
    return _services(_question(log_filter), zone, pieces)


def silent(log_filter: LogFilter, found: Services) -> list[str]:
    """Services of the days before that sent nothing in the time asked about; at most 30 s old."""
    here = {one.service for one in found.services}
    return [name for name in _seen_before(_question(log_filter)) if name not in here]


def known(log_filter: LogFilter) -> Mapping[str, int]:
    """Every service ever heard of in these environments, and since when (Unix nanoseconds)."""
    return session.ask_traces(lambda ask: ask.known_services(log_filter.environment))


def service_map(log_filter: LogFilter) -> tuple[ServiceMap, float]:
    """Who calls whom, of those chosen and whom they are in touch with; and when it was asked."""
    return _service_map(_question(log_filter))


def duration_trend(log_filter: LogFilter, service: str, like: Services) -> DurationTrend:
    """Durations of one service, by the pieces of an answer about it."""
    return session.ask_traces(
        lambda ask: ask.duration_trend(log_filter, service, like, now_unix_nano=time.time_ns())
    )


def operations(log_filter: LogFilter, service: str) -> list[OperationFacts]:
    """The operations of a service, those with the most time first; at most 3 s old."""
    return _operations(_question(log_filter), service)


def _question(log_filter: LogFilter) -> Question:
    return tuple(log_filter.to_url().items())


@st.cache_data(ttl=3, max_entries=100, show_spinner=False)
def _services(question: Question, zone: str, pieces: int) -> tuple[Services, float]:
    log_filter, now = LogFilter.from_url(dict(question)), time.time_ns()
    found = session.ask_traces(
        lambda ask: ask.services(log_filter, buckets=pieces, now_unix_nano=now, zone=zone)
    )
    return found, now / 1e9


@st.cache_data(ttl=30, max_entries=50, show_spinner=False)
def _seen_before(question: Question) -> list[str]:
    log_filter = LogFilter.from_url(dict(question))
    shown = shown_time(log_filter, datetime.now(UTC))
    start, end = shown or (datetime.now(UTC), datetime.now(UTC))
    earlier = replace(log_filter, range_text="", start=start - timedelta(days=SILENT_DAYS), end=end)
    found = session.ask_traces(
        lambda ask: ask.services(earlier, buckets=1, now_unix_nano=time.time_ns())
    )
    return sorted(one.service for one in found.services)


@st.cache_data(ttl=3, max_entries=50, show_spinner=False)
def _service_map(question: Question) -> tuple[ServiceMap, float]:
    log_filter, now = LogFilter.from_url(dict(question)), time.time_ns()
    found = session.ask_traces(lambda ask: ask.service_map(log_filter, now_unix_nano=now))
    return in_order(found), now / 1e9


@st.cache_data(ttl=3, max_entries=100, show_spinner=False)
def _operations(question: Question, service: str) -> list[OperationFacts]:
    log_filter, now = LogFilter.from_url(dict(question)), time.time_ns()
    found = session.ask_traces(
        lambda ask: ask.operations(log_filter, service, limit=MOST_OPERATIONS, now_unix_nano=now)
    )
    return list(found)

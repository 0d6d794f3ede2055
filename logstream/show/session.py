"""What every viewer shares: settings, the reader, and answers a second or two old.

Answers are cached by the filter's URL form, so a hundred viewers of one view cost one
question. Errors are never cached: the next run asks again.
"""

import time
from collections.abc import Mapping
from typing import Any

import httpx
import streamlit as st

from logstream.filter import LogFilter
from logstream.model import TrendBucket
from logstream.ports import LogReader
from logstream.settings import Settings, load_settings
from logstream.wiring import open_reader

Question = tuple[tuple[str, str], ...]
FACET_LIMIT = 200


@st.cache_resource(show_spinner=False)
def settings() -> Settings:
    """The settings of this process; raises SettingsError."""
    return load_settings()


@st.cache_resource(show_spinner=False)
def reader() -> LogReader:
    """The one reader of this process; raises StoreUnavailable or SettingsError."""
    return open_reader(settings())


def trend(log_filter: LogFilter, bucket_seconds: int) -> list[TrendBucket]:
    """Counts per bucket, at most 1.5 s old."""
    return _trend(_question(log_filter), bucket_seconds)


def severity_breakdown(log_filter: LogFilter) -> dict[str, int]:
    """Count per severity word, gravest first, at most 1.5 s old."""
    return dict(_severity_breakdown(_question(log_filter)))


def facet(log_filter: LogFilter, field: str) -> dict[str, int]:
    """Count per value of `service` or `severity`, most frequent first, at most 5 s old."""
    return dict(_facet(_question(log_filter), field))


@st.cache_data(ttl=5, show_spinner=False)
def environments() -> list[str]:
    """Every environment known, at most 5 s old."""
    return reader().environments()


@st.cache_data(ttl=1.5, show_spinner=False)
def service_facts() -> Mapping[str, Any]:
    """The ingest service's own account of itself and of the store (`GET /system`).

    Raises httpx.HTTPError when it cannot be reached, ValueError when it does not answer JSON.
    """
    answer = httpx.get(f"{settings().url}/system", timeout=3)
    answer.raise_for_status()
    facts: Mapping[str, Any] = answer.json()
    return facts


@st.cache_data(ttl=1.5, show_spinner=False)
def store_facts() -> Mapping[str, Any]:
    """The store's account of itself, asked without the ingest service."""
    return reader().system()


def _question(log_filter: LogFilter) -> Question:
    return tuple(log_filter.to_url().items())


@st.cache_data(ttl=1.5, max_entries=500, show_spinner=False)
def _trend(question: Question, bucket_seconds: int) -> list[TrendBucket]:
    return reader().trend(
        LogFilter.from_url(dict(question)),
        bucket_seconds=bucket_seconds,
        now_unix_nano=time.time_ns(),
    )


@st.cache_data(ttl=1.5, max_entries=500, show_spinner=False)
def _severity_breakdown(question: Question) -> list[tuple[str, int]]:
    return reader().severity_breakdown(
        LogFilter.from_url(dict(question)), now_unix_nano=time.time_ns()
    )


@st.cache_data(ttl=5, max_entries=500, show_spinner=False)
def _facet(question: Question, field: str) -> list[tuple[str, int]]:
    return reader().facet(
        LogFilter.from_url(dict(question)), field, limit=FACET_LIMIT, now_unix_nano=time.time_ns()
    )

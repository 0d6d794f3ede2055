"""What every viewer shares: settings, the reader, and answers a second or two old.

Answers are cached by the filter's URL form, so a hundred viewers of one view cost one
question. While the store is unreachable it is asked every two seconds, not by everyone.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import httpx
import streamlit as st

from logstream import wiring
from logstream.errors import SettingsError, StoreUnavailable
from logstream.filter import LogFilter
from logstream.kept_reject import KeptReject, RejectCount, RejectFilter
from logstream.model import NANOS_PER_SECOND, TrendBucket
from logstream.ports import LogReader
from logstream.saved_view import SavedView
from logstream.settings import Settings, load_settings
from logstream.trace_port import TraceReader
from logstream.wiring import open_reader, open_traces

Answer = TypeVar("Answer")
Question = tuple[tuple[str, str], ...]
FACET_LIMIT = 10_000
OUTAGE_SECONDS = 2.0
WIDEST_IDS = 1_000_000  # of one question by id
# A page that nobody touches gets another pass so often (live_page.py); each lives longer.
PAGE_RENEWAL_SECONDS, PAGE_SECONDS = 600, 1800
LATE_SECONDS = 10.0
NANOS_PER_MS = NANOS_PER_SECOND // 1000
_MISSING_ANSWER = "answer-is-missing"


@dataclass(frozen=True)
class AsOf(Generic[Answer]):
    """An answer, and the moment it holds for: everything that landed before is in it.

    That is when the question was asked, or the moment the filter looks back to.
    """

    answer: Answer
    unix_ms: int


@dataclass
class Outage:
    """The last failure to reach the store, and until when it stands for the next ones."""

    until: float = 0.0
    message: str = ""
    hint: str = ""


@dataclass
class Health:
    """The service's last word about the database, and until when it stands."""

    facts: Mapping[str, Any] | None = None
    until: float = 0.0


@st.cache_resource(show_spinner=False)
def settings() -> Settings:
    """The settings of this process; raises SettingsError."""
    return load_settings()


@st.cache_resource(show_spinner=False)
def reader() -> LogReader:
    """The one reader of this process; raises StoreUnavailable or SettingsError."""
    return open_reader(settings())


@st.cache_resource(show_spinner=False)
def traces() -> TraceReader:
    """The one reader of traces and services; raises StoreUnavailable or SettingsError."""
    return open_traces(settings())


def trend(log_filter: LogFilter, bucket_seconds: int) -> AsOf[list[TrendBucket]]:
    """Counts per bucket, at most 1.5 s old."""
    return _trend(_question(log_filter), bucket_seconds)


def severity_breakdown(log_filter: LogFilter) -> AsOf[dict[str, int]]:
    """Count per severity word, gravest first, at most 1.5 s old.

    While the database is away, of the last lines that the ingest service holds in memory.
    """
    return _severity_breakdown(_question(log_filter))


def facet(log_filter: LogFilter, field: str) -> dict[str, int]:
    """Count per value of `service` or `severity`, most frequent first, at most 5 s old."""
    return dict(_facet(_question(log_filter), field))


@st.cache_data(ttl=PAGE_RENEWAL_SECONDS, show_spinner=False)
def page_pass() -> str:
    """What lets the page's browser, and this process, read from the service.

    "" without a data directory to keep the secret in: then the service must ask for no key.
    """
    try:
        return wiring.passes(settings()).issue("read", "dashboard", PAGE_SECONDS)
    except SettingsError:
        return ""


def authorization() -> dict[str, str]:
    """The header that lets this process in at the service; empty where none is needed."""
    page = page_pass()
    return {"Authorization": f"Bearer {page}"} if page else {}


@st.cache_data(ttl=5, show_spinner=False)
def environments() -> list[str]:
    """Every environment known, at most 5 s old."""
    return _ask(lambda ask: ask.environments())


@st.cache_data(ttl=1.5, show_spinner=False)
def service_facts() -> Mapping[str, Any]:
    """The ingest service's own account of itself and of the store (`GET /system`).

    Raises httpx.HTTPError when it cannot be reached, ValueError when it does not answer JSON.
    """
    answer = httpx.get(f"{settings().url}/system", headers=authorization(), timeout=3)
    answer.raise_for_status()
    facts: Mapping[str, Any] = answer.json()
    return facts


@st.cache_data(ttl=1.5, show_spinner=False)
def health() -> Mapping[str, Any] | None:
    """What the ingest service says about the database and its spool; None when it is silent.

    A busy service that is late keeps its last word for some seconds, so that nothing flickers.
    """
    last = _last_health()
    try:
        facts: Mapping[str, Any] = httpx.get(f"{settings().url}/health/ready", timeout=3).json()
    except httpx.TimeoutException:
        return last.facts if time.monotonic() < last.until else None
    except (httpx.HTTPError, ValueError):
        return None
    if "spool" not in facts:
        return None
    last.facts, last.until = facts, time.monotonic() + LATE_SECONDS
    return facts


@st.cache_resource(show_spinner=False)
def _last_health() -> Health:
    return Health()


def is_database_away() -> bool:
    """Whether the service, which still answers, says that the database does not."""
    facts = health()
    return facts is not None and (facts.get("database") or {}).get("state") == "away"


@st.cache_data(ttl=1.5, show_spinner=False)
def store_facts() -> Mapping[str, Any]:
    """The store's account of itself, asked without the ingest service."""
    return {**_ask(lambda ask: ask.system()), "traces": traces().system()}


def newest(log_filter: LogFilter, limit: int) -> list[dict[str, Any]]:
    """The newest lines in the API's shape, newest first, at most 1.5 s old."""
    return list(_newest(_question(log_filter), limit))


def lines_since(log_filter: LogFilter, first_id: int, limit: int) -> list[dict[str, Any]]:
    """The lines from this id on in the API's shape, the newest of them first."""
    lines = _ask(
        lambda ask: ask.lines_by_id_range(
            log_filter, first_id, first_id + WIDEST_IDS, limit=limit, now_unix_nano=time.time_ns()
        )
    )
    return [line.to_api() for line in lines]


def rejects(wanted: RejectFilter, limit: int) -> list[KeptReject]:
    """Refused records, newest first."""
    return _ask(lambda ask: ask.rejects(wanted, limit=limit))


def reject(reject_id: int) -> KeptReject | None:
    """One refused record, whole; None when it is not kept (any more)."""
    return _ask(lambda ask: ask.reject(reject_id))


def reject_counts() -> list[RejectCount]:
    """How many refused records are kept, by format, reason and sender."""
    return _ask(lambda ask: ask.reject_counts(RejectFilter()))


@st.cache_data(ttl=5, max_entries=500, show_spinner=False)
def saved_view(view_id: str) -> SavedView | None:
    """One saved view, at most 5 s old; None when there is none (any more)."""
    return _ask(lambda ask: ask.saved_view(view_id))


@st.cache_data(ttl=5, show_spinner=False)
def saved_views() -> list[SavedView]:
    """Every saved view by name, at most 5 s old."""
    return _ask(lambda ask: ask.saved_views())


def forget_views() -> None:
    """One was saved, changed or deleted: everybody is to see it."""
    saved_view.clear()
    saved_views.clear()


def note_missing_answer() -> None:
    """Remember that this page was drawn without an answer, see `answer_was_missing`."""
    st.session_state[_MISSING_ANSWER] = True


def answer_was_missing() -> bool:
    """True once after `note_missing_answer`: the store is back, the page should be redrawn."""
    return bool(st.session_state.pop(_MISSING_ANSWER, False))


@st.cache_resource(show_spinner=False)
def _outage() -> Outage:
    return Outage()


def ask_traces(question: Callable[[TraceReader], Answer]) -> Answer:
    """The answer of `traces()`, unless the store was away a moment ago."""
    return _unless_away(lambda: question(traces()))


def _ask(question: Callable[[LogReader], Answer]) -> Answer:
    return _unless_away(lambda: question(reader()))


def _unless_away(question: Callable[[], Answer]) -> Answer:
    outage = _outage()
    if time.monotonic() < outage.until:
        raise StoreUnavailable(outage.message, outage.hint)
    try:
        return question()
    except StoreUnavailable as error:
        outage.message, outage.hint = error.message, error.hint
        outage.until = time.monotonic() + OUTAGE_SECONDS
        raise


def _question(log_filter: LogFilter) -> Question:
    return tuple(log_filter.to_url().items())


@st.cache_data(ttl=1.5, max_entries=500, show_spinner=False)
def _trend(question: Question, bucket_seconds: int) -> AsOf[list[TrendBucket]]:
    log_filter, now = LogFilter.from_url(dict(question)), time.time_ns()
    buckets = _ask(
        lambda ask: ask.trend(log_filter, bucket_seconds=bucket_seconds, now_unix_nano=now)
    )
    return AsOf(buckets, log_filter.moment_unix_nano(now) // NANOS_PER_MS)


@st.cache_data(ttl=1.5, max_entries=100, show_spinner=False)
def _newest(question: Question, limit: int) -> list[dict[str, Any]]:
    log_filter = LogFilter.from_url(dict(question))
    lines = _ask(lambda ask: ask.recent(log_filter, limit=limit, now_unix_nano=time.time_ns()))
    return [line.to_api() for line in lines]


@st.cache_data(ttl=1.5, max_entries=500, show_spinner=False)
def _severity_breakdown(question: Question) -> AsOf[dict[str, int]]:
    log_filter, now = LogFilter.from_url(dict(question)), time.time_ns()
    try:
        counts = _ask(lambda ask: ask.severity_breakdown(log_filter, now_unix_nano=now))
    except StoreUnavailable:
        # The service has the last lines in memory.
        try:
            answer = httpx.get(
                f"{settings().url}/logs/severity-breakdown",
                params=dict(question),
                headers=authorization(),
                timeout=3,
            )
            answer.raise_for_status()
            counts = [(part["severity"], part["count"]) for part in answer.json()]
            return AsOf(dict(counts), log_filter.moment_unix_nano(now) // NANOS_PER_MS)
        except (httpx.HTTPError, ValueError):
            pass
        raise
    return AsOf(dict(counts), log_filter.moment_unix_nano(now) // NANOS_PER_MS)


@st.cache_data(ttl=5, max_entries=100, show_spinner=False)
def _facet(question: Question, field: str) -> list[tuple[str, int]]:
    log_filter = LogFilter.from_url(dict(question))
    return _ask(
        lambda ask: ask.facet(log_filter, field, limit=FACET_LIMIT, now_unix_nano=time.time_ns())
    )

"""The answer to "how many" and "which most": a number, or the top of a list, with links."""

import html
import time
from dataclasses import replace

import streamlit as st

from logstream.errors import LogStreamError
from logstream.filter import Choice, LogFilter
from logstream.show import session, url_state
from logstream.show.cards import failure
from logstream.show.session import Question, _ask, _question
from logstream.show.url_state import View
from logstream.show.words import counted, percent, plain, short, whole
from logstream.text_query import term_for, with_term

USUAL_TOP = 10
MOST_PATTERNS = 1_000
_NAMES = {"service": "service", "severity": "severity", "env": "environment", "pattern": "pattern"}


def draw_counted(view: View, group_by: str, top: int | None) -> None:
    """For the filter in force, whatever was changed of it since the question."""
    with st.container(key="ask-count"):
        try:
            total = sum(session.severity_breakdown(view.log_filter).answer.values())
            groups = counted_groups(view.log_filter, group_by, top) if group_by else []
        except LogStreamError as error:
            failure("They cannot be counted now.", error)
            return
        name = _NAMES.get(group_by, group_by.partition(":")[2])
        by = f" by {html.escape(short(name))}" if group_by else ""
        with st.container(
            key="ask-groups", horizontal=True, vertical_alignment="center", gap="small"
        ):
            st.html(
                f"<span class='ask-total'><b>{counted(total, 'line')}</b>{by}</span>",
                width="content",
            )
            for place, (value, label, count) in enumerate(groups):
                st.button(
                    f"{plain(short(label, 60))}  **{whole(count)}** · {percent(count, total)}",
                    key=f"ask-group-{place}",
                    help=f"Show these lines: {plain(label)}",
                    on_click=_narrow,
                    args=(group_by, value),
                )


def counted_groups(
    log_filter: LogFilter, group_by: str, top: int | None
) -> list[tuple[str, str, int]]:
    """(value, words for it, lines) of the first groups, those with most lines first."""
    found = _groups(_question(log_filter), group_by)
    choices = {
        "service": log_filter.service,
        "severity": log_filter.severity,
        "env": log_filter.environment,
    }
    # A facet does not narrow itself; an answer must.
    choice = choices.get(group_by, Choice())
    left = [one for one in found if choice.allows(one[0]) and one[2]]
    return left[: top or USUAL_TOP]


@st.cache_data(ttl=3, max_entries=100, show_spinner=False)
def _groups(question: Question, group_by: str) -> list[tuple[str, str, int]]:
    log_filter, now = LogFilter.from_url(dict(question)), time.time_ns()
    if group_by == "pattern":
        patterns = _ask(
            lambda ask: ask.patterns(log_filter, limit=MOST_PATTERNS, buckets=1, now_unix_nano=now)
        ).patterns
        return [(str(one.id), one.template, one.count) for one in patterns]
    counts = _ask(
        lambda ask: ask.facets(
            log_filter, limit=MOST_PATTERNS, now_unix_nano=now, fields=(group_by,)
        )
    )[group_by]
    return [(value, value, count) for value, count in counts]


def _narrow(group_by: str, value: str) -> None:
    """Only the lines of one group."""
    chosen = url_state.shown().chosen
    match group_by:
        case "service":
            chosen = replace(chosen, service=Choice((value,)))
        case "severity":
            chosen = replace(chosen, severity=Choice((value,)))
        case "env":
            chosen = replace(chosen, environment=Choice((value,)))
        case _:
            term = term_for(group_by.removeprefix("attribute:"), value)
            chosen = replace(chosen, q=with_term(chosen.q, term) if term else chosen.q)
    url_state.change(chosen)

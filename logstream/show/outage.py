"""The thin line on every page that says when database or service are away, and what is safe."""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

import streamlit as st

from logstream.show import session, url_state
from logstream.show.cards import degraded, guarded
from logstream.show.words import clock_time, counted, size

REFRESH_SECONDS = 2


@st.fragment(run_every=REFRESH_SECONDS)
@guarded("The state of the database cannot be drawn.")
def draw_outage() -> None:
    """Draw the line, or nothing when all is well; it comes and goes by itself."""
    view = url_state.shown()
    facts = session.health()
    with st.container(key="outage", gap=None):
        if facts is None:
            degraded(
                f"The ingest service at {session.settings().url} does not answer; what you see "
                "comes from the database. Start it with `python -m logstream serve`."
            )
        elif words := outage_words(facts, view.zone, view.timezone, now=datetime.now(UTC)):
            degraded(words)


def outage_words(facts: Mapping[str, Any], zone: tzinfo, zone_name: str, *, now: datetime) -> str:
    """What `GET /health/ready` says, as one sentence for people; empty when all is well."""
    database, spool = facts["database"], facts["spool"]
    waiting = spool["lines"]
    lines = f"{counted(waiting, 'line')} {'is' if waiting == 1 else 'are'}"
    if database["state"] != "away":
        return f"The database is back; {lines} landing from the spool." if waiting else ""
    since = clock_time(datetime.fromisoformat(database["since"]), zone, near=now)
    is_read_only = "read-only" in (database["reason"] or "")
    words = f"Database {'read-only' if is_read_only else 'unreachable'} since {since} ({zone_name})"
    if not waiting:
        return f"{words}; nothing waits in the spool."
    words += f"; {lines} safe in the spool ({size(spool['bytes'])} of {size(spool['maxBytes'])})."
    return f"{words} It is nearly full: soon lines are refused." if spool["isNearlyFull"] else words

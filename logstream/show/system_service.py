"""What the System page draws of the ingest service: rates, landing, spool, push."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any

import pandas as pd
import streamlit as st

from logstream.show import charts
from logstream.show.cards import empty
from logstream.show.distribution import distribution_html
from logstream.show.system_tables import Facts, Row, count, facts_table, heading
from logstream.show.words import clock_time, milliseconds, short, size, span, whole

RATE_STEP_SECONDS = 5
MOST_PARTS = 4


def draw_service(facts: Facts, zone: tzinfo) -> None:
    """What it did since its start, and what waits."""
    landing, commits = facts.get("landingMs") or {}, facts.get("commitRows") or {}
    inserting = facts.get("commitMs") or {}
    rate_column, landing_column, rows_column = st.columns([2, 1, 1], gap="medium")
    with rate_column, st.container(key="ingestion", gap=None):
        _ingestion(facts, zone)
    with landing_column:
        st.html(
            distribution_html(
                "Time to land",
                [(upper, count) for upper, count in facts.get("landingBuckets") or []],
                value_words=milliseconds,
                noun="request",
                marks=_marks(landing),
            )
        )
    with rows_column:
        st.html(
            distribution_html(
                "Lines in a commit",
                [(upper, count) for upper, count in facts.get("commitRowsBuckets") or []],
                value_words=whole,
                noun="commit",
                marks=_marks(commits),
            )
        )
    service_column, landing_column, spool_column, push_column = st.columns(4, gap="medium")
    with service_column:
        facts_table(
            "Service",
            [
                ("Version", str(facts.get("version", "–"))),
                ("Running for", span(facts.get("uptimeSeconds") or 0)),
                ("Lines accepted", whole(facts.get("linesAccepted") or 0)),
                *_parts(facts.get("acceptedByEnvironment")),
                ("Lines rejected", whole(facts.get("linesRejected") or 0)),
                *_parts(facts.get("rejectedByReason")),
            ],
        )
    with landing_column:
        facts_table(
            "Landing",
            [
                ("Commits", count(commits.get("count"))),
                ("One commit, p50", milliseconds(inserting.get("p50"))),
                ("One commit, p95", milliseconds(inserting.get("p95"))),
                ("Commits tried again", count(facts.get("commitsRetried"))),
                ("Batches sent twice, stored once", count(facts.get("batchesReplayed"))),
                ("Bodies read", size(facts.get("bodyBytes") or 0)),
                ("Waiting to land", size(facts.get("pendingBytes") or 0)),
            ],
        )
    with spool_column:
        facts_table("Spool", spool_rows(facts, datetime.now(UTC), zone))
    with push_column:
        facts_table("Push", push_rows(facts.get("push") or {}, datetime.now(UTC), zone))


def push_rows(push: Facts, now: datetime, zone: tzinfo) -> list[Row]:
    """The rows about how viewers are told of new lines, and what keeps them from it."""
    is_azure = push.get("kind") == "azure"
    rows = [("Hub", f"Azure, {push.get('address')}" if is_azure else "built in")]
    if push.get("problem"):
        rows.append(("State", "fails now"))
    if not is_azure:
        rows += [
            ("Viewers", count(push.get("viewers"))),
            ("Slow viewers now", count(push.get("slowViewers"))),
            ("Frames left out for slow viewers", count(push.get("messagesDropped"))),
            ("Slow viewers told to reconnect", count(push.get("viewersClosed"))),
        ]
    rows += [
        ("Frames sent", count(push.get("framesSent"))),
        ("Frames failed", count(push.get("framesFailed"))),
    ]
    if not push.get("lastError"):
        rows.append(("Last error", "none"))
    elif push.get("lastErrorAt"):
        failed_at = datetime.fromisoformat(push["lastErrorAt"])
        rows.append((f"Last error, {clock_time(failed_at, zone, near=now)}", push["lastError"]))
    return rows


def spool_rows(facts: Facts, now: datetime, zone: tzinfo) -> list[Row]:
    """The rows about the database as landing sees it, and what waits for it."""
    spool, database = facts.get("spool") or {}, facts.get("database") or {}
    since, oldest = database.get("since"), spool.get("oldestAt")
    state = "takes lines"
    if since:
        state = f"away since {clock_time(datetime.fromisoformat(since), zone, near=now)}"
    rows = [
        ("Database", state),
        ("Lines waiting", count(spool.get("lines"))),
        ("Size", f"{size(spool.get('bytes') or 0)} of {size(spool.get('maxBytes') or 0)}"),
    ]
    if oldest:
        age = (now - datetime.fromisoformat(oldest)).total_seconds()
        rows.append(("Oldest waits for", span(max(0, age))))
    rows.append(("Lines spooled so far", count(facts.get("spooledLines"))))
    if spool.get("foldersTakenOver"):
        rows.append(("Spools of ended processes", count(spool["foldersTakenOver"])))
    if spool.get("damagedFiles"):
        rows.append(("Files with damage, kept", count(spool["damagedFiles"])))
    return rows


def _marks(quantiles: Mapping[str, float | None]) -> list[tuple[str, float | None]]:
    return [(name, quantiles.get(name)) for name in ("p50", "p95")]


def _parts(counts: Mapping[str, int] | None) -> list[Row]:
    """The largest parts of the number above them; a long tail would push the page apart."""
    parts = [(name.replace("_", " "), count) for name, count in (counts or {}).items()]
    rows = [(f"· {short(name, 28)}", whole(count)) for name, count in parts[:MOST_PARTS]]
    rest = parts[MOST_PARTS:]
    if rest:
        rows.append((f"· {whole(len(rest))} more", whole(sum(count for _, count in rest))))
    return rows


def _ingestion(facts: Facts, zone: tzinfo) -> None:
    heading("Lines per second, last 10 minutes")
    frame = rate_frame(facts.get("linesPerSecond") or [], zone)
    if frame.empty:
        empty("No line has arrived yet.", "Send one with `POST /logs/ingest`.")
        return
    now, most = frame["lines"].iloc[-1], frame["lines"].max()
    st.html(
        f"<div class='legend'><span>{whole(now)} lines/s now</span>"
        f"<span class='quiet'>most {whole(most)} lines/s</span>"
        "<span class='quiet'>log scale</span></div>"
    )
    st.vega_lite_chart(
        frame, _rate_spec(), key="rate", height=118, width="stretch", alt="Lines per second"
    )


def rate_frame(points: Sequence[Sequence[float]], zone: tzinfo) -> pd.DataFrame:
    """Mean lines per second of each five seconds: at (ms), lines, when (clock time in `zone`).

    `points` are [unix seconds, lines], oldest first; a started five seconds waits.
    """
    whole_steps = len(points) // RATE_STEP_SECONDS * RATE_STEP_SECONDS
    rows = []
    for place in range(0, whole_steps, RATE_STEP_SECONDS):
        step = points[place : place + RATE_STEP_SECONDS]
        local = datetime.fromtimestamp(step[0][0], UTC).astimezone(zone)
        mean = sum(lines for _, lines in step) / RATE_STEP_SECONDS
        rows.append((step[0][0] * 1000.0, round(mean, 1), local.strftime("%H:%M:%S")))
    return pd.DataFrame(rows, columns=["at", "lines", "when"])


@st.cache_resource(show_spinner=False)
def _rate_spec() -> dict[str, Any]:
    return charts.compiled(
        charts.rate_chart(rate_frame([(at, 1) for at in range(RATE_STEP_SECONDS)], UTC))
    )

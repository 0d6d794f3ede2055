"""What the System page draws: ingestion, landing, pushing, asking, storing, refusing."""

import html
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from typing import Any

import httpx
import pandas as pd
import streamlit as st

from logstream.errors import LogStreamError
from logstream.show import charts, session, url_state
from logstream.show.cards import empty, failure, guarded
from logstream.show.distribution import distribution_html
from logstream.show.words import (
    clock_time,
    counted,
    milliseconds,
    percent,
    short,
    size,
    span,
    whole,
)

REFRESH_SECONDS = 2
RATE_STEP_SECONDS = 5
MOST_PARTS = 4
Facts = Mapping[str, Any]
Row = tuple[str, str]


@st.fragment(run_every=REFRESH_SECONDS)
@guarded("The system page cannot be drawn.")
def draw_system() -> None:
    """Draw the page; it refreshes itself in place every two seconds."""
    zone = url_state.shown().zone
    service, store = _facts()
    if service is not None:
        _service(service, zone)
    if store is not None and "error" in store:
        empty(
            "The database cannot be asked for its own numbers now.",
            "They come back with it; this page keeps trying.",
        )
    elif store is not None:
        _store(store, zone, is_own=service is None)


def _facts() -> tuple[Facts | None, Facts | None]:
    """(the service's account, the store's); what is missing is said on screen."""
    try:
        facts = session.service_facts()
        return facts.get("service") or {}, facts.get("store") or {}
    except (httpx.HTTPError, ValueError):
        pass  # said on top of the page
    try:
        return None, session.store_facts()
    except LogStreamError as error:
        failure("The database cannot be asked either.", error)
        return None, None


def _service(facts: Facts, zone: tzinfo) -> None:
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
        _facts_table(
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
        _facts_table(
            "Landing",
            [
                ("Commits", _count(commits.get("count"))),
                ("One commit, p50", milliseconds(inserting.get("p50"))),
                ("One commit, p95", milliseconds(inserting.get("p95"))),
                ("Commits tried again", _count(facts.get("commitsRetried"))),
                ("Batches sent twice, stored once", _count(facts.get("batchesReplayed"))),
                ("Bodies read", size(facts.get("bodyBytes") or 0)),
                ("Waiting to land", size(facts.get("pendingBytes") or 0)),
            ],
        )
    with spool_column:
        _facts_table("Spool", spool_rows(facts, datetime.now(UTC), zone))
    with push_column:
        _facts_table(
            "Push",
            [
                ("Clients listening", _count(facts.get("pushClients"))),
                ("Frames sent", _count(facts.get("framesSent"))),
                ("Frames failed", _count(facts.get("framesFailed"))),
                ("Last error", str(facts.get("lastPushError") or "none")),
            ],
        )


def spool_rows(facts: Facts, now: datetime, zone: tzinfo) -> list[Row]:
    """The rows about the database as landing sees it, and what waits for it."""
    spool, database = facts.get("spool") or {}, facts.get("database") or {}
    since, oldest = database.get("since"), spool.get("oldestAt")
    state = "takes lines"
    if since:
        state = f"away since {clock_time(datetime.fromisoformat(since), zone, near=now)}"
    rows = [
        ("Database", state),
        ("Lines waiting", _count(spool.get("lines"))),
        ("Size", f"{size(spool.get('bytes') or 0)} of {size(spool.get('maxBytes') or 0)}"),
    ]
    if oldest:
        age = (now - datetime.fromisoformat(oldest)).total_seconds()
        rows.append(("Oldest waits for", span(max(0, age))))
    rows.append(("Lines spooled so far", _count(facts.get("spooledLines"))))
    if spool.get("foldersTakenOver"):
        rows.append(("Spools of ended processes", _count(spool["foldersTakenOver"])))
    if spool.get("damagedFiles"):
        rows.append(("Files with damage, kept", _count(spool["damagedFiles"])))
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
    _heading("Lines per second, last 10 minutes")
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


def _store(facts: Facts, zone: tzinfo, *, is_own: bool) -> None:
    store_column, query_column = st.columns(2, gap="medium")
    with store_column:
        _facts_table(
            "Database",
            [
                ("PostgreSQL", str(facts.get("version", "–")).removeprefix("PostgreSQL ")),
                ("Size", size(facts.get("databaseBytes") or 0)),
                ("Log tables", size(facts.get("logsBytes") or 0)),
                ("Lines stored", whole(facts.get("lines") or 0)),
                *_keeping(facts.get("segmentCare") or {}),
            ],
        )
    with query_column:
        _table(
            "Questions to the database",
            ("Question", "Asked by", "p50", "p95", "Times"),
            [
                *([] if is_own else _questions(facts, "API")),
                *_questions(_own_facts(), "dashboard"),
            ],
            "No question asked yet.",
        )
    _segments(facts, zone)
    rejects = facts.get("rejects") or []
    _table(
        f"Refused records (newest {whole(len(rejects))})" if rejects else "Refused records",
        ("Time", "Environment", "Reason", "As received"),
        [
            (
                _moment(reject.get("at"), zone),
                str(reject.get("environment") or "–"),
                str(reject.get("error") or ""),
                str(reject.get("raw") or "")[:300],
            )
            for reject in rejects
        ],
        "Nothing was refused.",
        is_wide=True,
    )


def _keeping(care: Facts) -> list[Row]:
    settings = session.settings()
    rows = [("Lines are kept", settings.retention.words())]
    if care.get("removedLines"):
        rows.append(("Lines removed so far", whole(care["removedLines"])))
    if (settings.data_dir / "postgres").is_dir():  # ours, so this is its disk
        with suppress(OSError):
            disk = shutil.disk_usage(settings.data_dir)
            used = percent(disk.total - disk.free, disk.total)
            rows.append(("Disk", f"{used} full, {size(disk.free)} free"))
    return rows


def _segments(facts: Facts, zone: tzinfo) -> None:
    segments, care = facts.get("segments") or [], facts.get("segmentCare") or {}
    states = care.get("states") or {}
    _table(
        "Segments",
        ("Segment", "State", "Lines", "Size", "Bytes a line", "First line", "Last line"),
        [
            (
                str(segment["name"]),
                segment_words(segment),
                _count(segment.get("rows")),
                size(segment.get("bytes") or 0),
                _count(segment["bytes"] / segment["rows"]) if segment.get("rows") else "–",
                _moment(segment.get("firstTimestamp"), zone),
                _moment(segment.get("lastTimestamp"), zone),
            )
            for segment in segments
        ],
        "No segment yet: the first line makes one.",
        note=f"{state_words(states)}. {waiting_words(care)}" if segments else "",
    )
    hidden = sum(states.values()) - states.get("dropped", 0) - len(segments)
    if hidden > 0:
        st.html(f"<p class='quiet'>and {counted(hidden, 'older segment')}</p>")


def segment_words(segment: Facts) -> str:
    """The state of a segment with what is special about it."""
    state = str(segment["state"])
    if state == "sealed" and segment.get("rows") and segment.get("hasAttributeIndex") is False:
        return "sealed, attributes not indexed"
    return "sealed, with trigrams" if segment.get("hasTrigram") else state


def state_words(states: Mapping[str, int]) -> str:
    """`12 sealed, 1 closed, 2 open, 3 removed`; what is none is left out."""
    names = (("sealed", "sealed"), ("closed", "closed"), ("open", "open"), ("dropped", "removed"))
    return ", ".join(f"{whole(states[key])} {name}" for key, name in names if states.get(key))


def waiting_words(care: Facts) -> str:
    """How far behind sealing is."""
    if not (care.get("states") or {}).get("closed"):
        return "Sealing keeps up."
    lines, seconds = care.get("waitingLines") or 0, care.get("waitingSeconds") or 0
    verb = "waits" if lines == 1 else "wait"
    return f"{counted(lines, 'line')} {verb} to be sealed, for {span(seconds)} at most."


def _own_facts() -> Facts:
    try:
        return session.store_facts()
    except LogStreamError:
        return {}


def _questions(facts: Facts, asker: str) -> list[Sequence[str]]:
    return [
        (
            name.replace("_", " "),
            asker,
            milliseconds(times.get("p50")),
            milliseconds(times.get("p95")),
            _count(times.get("count")),
        )
        for name, times in sorted((facts.get("queryMs") or {}).items())
    ]


def _moment(value: object, zone: tzinfo) -> str:
    if isinstance(value, str):
        try:
            return _moment(datetime.fromisoformat(value), zone)
        except ValueError:
            return value
    if isinstance(value, datetime):
        return value.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
    return "–"


def _count(value: float | None) -> str:
    return "–" if value is None else whole(value)


def _heading(text: str) -> None:
    st.html(f"<h3 class='section'>{html.escape(text)}</h3>")


def _facts_table(title: str, rows: Sequence[Row]) -> None:
    body = "".join(
        f"<tr><th scope='row'>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>"
        for name, value in rows
    )
    st.html(f"<h3 class='section'>{html.escape(title)}</h3><table class='facts'>{body}</table>")


def _table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    nothing: str,
    *,
    note: str = "",
    is_wide: bool = False,
) -> None:
    """A small table of text; every cell is escaped, as refused records are untrusted."""
    heading = f"<h3 class='section'>{html.escape(title)}</h3>"
    if note:
        heading += f"<div class='legend'><span class='quiet'>{html.escape(note)}</span></div>"
    if not rows:
        st.html(f"{heading}<p class='quiet'>{html.escape(nothing)}</p>")
        return
    head = "".join(f"<th scope='col'>{html.escape(name)}</th>" for name in columns)
    body = "".join(
        "<tr>"
        + "".join(f"<td title='{_attribute(cell)}'>{html.escape(cell)}</td>" for cell in row)
        + "</tr>"
        for row in rows
    )
    kind = "rows wide" if is_wide else "rows whole" if note else "rows"
    st.html(
        f"{heading}<div class='scroll'><table class='{kind}'>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _attribute(text: str) -> str:
    return html.escape(text, quote=True)

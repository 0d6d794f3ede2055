"""What the System page draws of the database: sizes, segments, questions."""

import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import tzinfo

import streamlit as st

from logstream.errors import LogStreamError
from logstream.show import session
from logstream.show.system_tables import Facts, Row, count, facts_table, moment, table
from logstream.show.words import counted, milliseconds, percent, size, span, whole


def draw_store(facts: Facts, zone: tzinfo, *, is_own: bool) -> None:
    """Its own numbers; `is_own` when this process asked for them and not the service."""
    store_column, query_column = st.columns(2, gap="medium")
    with store_column:
        facts_table(
            "Database",
            [
                ("PostgreSQL", str(facts.get("version", "–")).removeprefix("PostgreSQL ")),
                ("Size", size(facts.get("databaseBytes") or 0)),
                ("Log tables", size(facts.get("logsBytes") or 0)),
                ("Lines stored", whole(facts.get("lines") or 0)),
                *_spans(facts.get("traces") or {}),
                *_keeping(facts.get("segmentCare") or {}),
            ],
        )
    with query_column:
        table(
            "Questions to the database",
            ("Question", "Asked by", "p50", "p95", "Times"),
            [
                *([] if is_own else _questions(facts, "API")),
                *_questions(_own_facts(), "dashboard"),
            ],
            "No question asked yet.",
        )
    _segments(facts, zone)


def _spans(facts: Facts) -> list[Row]:
    if not facts.get("spansEstimate"):
        return []
    rows = [
        ("Spans stored, about", whole(facts["spansEstimate"])),
        ("Span tables", size(facts.get("bytes") or 0)),
    ]
    review = facts.get("review") or {}
    if review.get("waiting"):
        waited = span(review.get("longestWaitSeconds") or 0)
        rows.append(("Traces the worker has not read yet", f"{whole(review['waiting'])}, {waited}"))
    return rows


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
    table(
        "Segments",
        ("Segment", "State", "Lines", "Size", "Bytes a line", "First line", "Last line"),
        [
            (
                str(segment["name"]),
                segment_words(segment),
                count(segment.get("rows")),
                size(segment.get("bytes") or 0),
                count(segment["bytes"] / segment["rows"]) if segment.get("rows") else "–",
                moment(segment.get("firstTimestamp"), zone),
                moment(segment.get("lastTimestamp"), zone),
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
            count(times.get("count")),
        )
        for name, times in sorted((facts.get("queryMs") or {}).items())
    ]

"""A page with nothing but Explore's panels on lifelike and hostile data; tests run it.

`?panel=` names one; PANELS_ASKED names the file in which what was clicked is noted. The facets
follow what is clicked, as on the page.
"""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import streamlit as st

from logstream.filter import LogFilter
from logstream.ports import (
    Difference,
    Differences,
    FieldFacts,
    Fields,
    PatternCount,
    Patterns,
    PatternValues,
    PlaceValues,
)
from logstream.show.explore.choices import choose, chosen_of
from logstream.show.explore.components.facets import MOST_SENT, Facet, facet_rail
from logstream.show.explore.components.fields import field_table
from logstream.show.explore.components.histogram import histogram
from logstream.show.explore.components.patterns import pattern_table
from logstream.show.explore.components.spike import spike_panel
from logstream.show.theme import draw_theme
from tests.pages.panels_harness_data import FIRST, LONG, MARKUP, RIGHT_TO_LEFT

SERVICES = ["checkout", "cart", MARKUP, RIGHT_TO_LEFT, LONG, *(f"svc-{n}" for n in range(5000))]
asked_log = Path(os.environ["PANELS_ASKED"])


def note(asked: Mapping[str, Any]) -> None:
    kept = {name: value for name, value in asked.items() if name != "name"}
    with asked_log.open("a") as log:
        log.write(json.dumps(kept) + "\n")


def draw_histogram() -> None:
    pieces = range(15)
    histogram(
        {
            "trace": [0] * 15,
            "debug": [20] * 15,
            "info": [300 + 20 * (n % 4) for n in pieces],
            "warn": [8] * 15,
            "error": [90 if n in (9, 10) else 2 for n in pieces],
            "fatal": [1 if n == 10 else 0 for n in pieces],
        },
        starts=[FIRST + 60 * n for n in pieces],
        ends=[FIRST + 60 * n + 60 for n in pieces],
        as_of=FIRST + 14 * 60 + 20,
        log_filter=LogFilter(range_text="15m"),
        timezone="UTC",
        before=[310] * 15,
        before_words="the 15 min before",
        comparison="+12 % against the 15 min before",
        words="last 15 min",
        per="per minute",
        back="last 15 min",
        follow=note,
    )


def draw_facets() -> None:
    log_filter: LogFilter = st.session_state.get("filter", LogFilter())
    sought: dict[str, str] = st.session_state.get("sought", {})

    def follow(asked: Mapping[str, Any]) -> None:
        note(asked)
        if asked["kind"] == "seek":
            st.session_state["sought"] = {**sought, asked["field"]: asked["value"]}
        elif asked["kind"] in ("toggle", "only", "exclude"):
            st.session_state["filter"] = choose(
                log_filter, asked["field"], asked["value"], asked["kind"], ["eu", "us"]
            )

    words = ("fatal", "error", "warn", "info", "debug", "trace")
    values: dict[str, list[tuple[str, str, int]]] = {
        "severity": [(word, word, 10**place) for place, word in enumerate(words)],
        "service": [(name, name, 9000 // (n + 1)) for n, name in enumerate(SERVICES)],
        "pattern": [("17", "order <num> packed in <duration>", 812), ("18", MARKUP, 5)],
        "attribute:region": [("eu", "eu", 900), ("us", "us", 100)],
    }
    facets = []
    for field, offered in values.items():
        choice = chosen_of(log_filter, field, [value for value, _, _ in offered])
        text = sought.get(field, "").lower()
        found = [one for one in offered if text in one[1].lower() or one[0] in choice.only]
        facets.append(
            Facet(
                field,
                field.title(),
                found[:MOST_SENT],
                sum(count for _, _, count in offered),
                len(offered),
                choice.only,
                choice.excluded,
                "newest 20,000 lines" if field.startswith("attribute:") else "",
                sought_for=text,
            )
        )
    facet_rail(facets, field_count=42, follow=follow)


def draw_patterns() -> None:
    def follow(asked: Mapping[str, Any]) -> None:
        note(asked)
        if asked["kind"] == "places":
            st.session_state["places"] = asked["id"]

    def pattern(number: int, template: str, count: int, severity: str, *services: str) -> Any:
        return PatternCount(
            id=number,
            template=template,
            example=template,
            count=count,
            severity=severity,
            severities={severity: count},
            services=services,
            first_seen=datetime.fromtimestamp(FIRST - 86_400 * (number % 3), UTC),
            last_seen=datetime.fromtimestamp(FIRST + 800, UTC),
            is_new=number % 3 == 0,
            trend=[(n * number) % 7 for n in range(30)],
        )

    patterns = Patterns(
        [
            pattern(1, "order <num> packed in <duration>", 81_200, "info", "checkout", "cart"),
            pattern(2, f"upload of {MARKUP} by <id> failed: <text>", 40, "error", *SERVICES[:5]),
            pattern(3, f"{RIGHT_TO_LEFT} <ip>", 30, "warn", RIGHT_TO_LEFT),
            pattern(4, LONG, 20, "fatal", LONG),
            *(pattern(n, f"job <num> of queue {n}", 10, "debug", "jobs") for n in range(5, 60)),
        ],
        300,
        90_000,
        60,
        FIRST,
    )
    asked: str | None = st.session_state.get("places")
    values = None
    if asked is not None:
        place = PlaceValues("num", [("71244", 12), (MARKUP, 3), ("7", 1)], 3)
        values = (asked, PatternValues([place, place], 5000, 81_200), "")
    pattern_table(
        patterns,
        as_of=FIRST + 860,
        timezone="UTC",
        view="",
        excluded=["4"],
        values=values,
        follow=follow,
    )


def draw_fields() -> None:
    fields = Fields(
        [
            FieldFacts("http.route", 20_000, 3, [("/pay", 15_000), ("/cart", 5_000)], "text"),
            FieldFacts("http.status", 9_000, 40, [(str(n), 400 - n) for n in range(40)], "number"),
            FieldFacts(MARKUP, 10, 2, [(MARKUP, 9), (RIGHT_TO_LEFT, 1)], "text"),
            FieldFacts("tags", 10, 0, [], "structured"),
        ],
        20_000,
        812_000,
    )
    field_table(fields, chosen={}, pinned=["attribute:http.route"], follow=note)


def draw_spike() -> None:
    def one(field: str, value: str, share: float, before: float, p: float) -> Difference:
        lift = share / before if before else float("inf")
        counts = int(share * 1000), int(before * 5000)
        return Difference(field, value, value, counts[0], share, counts[1], before, lift, p)

    def follow(asked: Mapping[str, Any]) -> None:
        note(asked)
        if asked["kind"] == "paint":
            st.session_state["painted"] = (asked["field"], asked["value"], [100] * 15)

    draw_histogram()
    spike_panel(
        Differences(
            [
                one("severity", "error", 0.4, 0.05, 1e-90),
                one("pattern", "payment provider timed out after <duration>", 0.3, 0.0, 1e-80),
                one("service", MARKUP, 0.25, 0.1, 1e-5),
                one("attribute:region", RIGHT_TO_LEFT, 0.2, 0.15, 0.004),
                one("service", LONG, 0.01, 0.3, 1e-40),
            ],
            1000,
            5000,
            1000,
            5000,
        ),
        what="09:19 – 09:21",
        baseline="earlier",
        baselines=[("earlier", "the time shown before it"), ("before", "the 2 min before it")],
        chosen={},
        painted=st.session_state.get("painted"),
        follow=follow,
    )


st.set_page_config(layout="wide")
draw_theme()
panel = st.query_params.get("panel", "histogram")
with st.container(key="trend" if panel == "histogram" else "panel", gap=None):
    {
        "histogram": draw_histogram,
        "facets": draw_facets,
        "patterns": draw_patterns,
        "fields": draw_fields,
        "spike": draw_spike,
    }[panel]()

"""A page with nothing but the panels of the Traces page on lifelike and hostile data.

`?panel=` names one; PANELS_ASKED names the file in which what was clicked is noted.
"""

import json
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from logstream.durations import percentile_nano, step_of
from logstream.ports import Difference
from logstream.show.theme import draw_theme
from logstream.show.traces.components.slow_fast import slow_fast_panel
from logstream.show.traces.components.trace_shape import trace_shape
from logstream.show.traces.components.trace_table import trace_table
from logstream.trace_port import SlowFast, TracePoint, TraceShape, TraceSummary
from tests.pages.panels_harness_data import FIRST, LONG, MARKUP, RIGHT_TO_LEFT

MS, SECOND = 1_000_000, 1_000_000_000
asked_log = Path(os.environ["PANELS_ASKED"])
ROOTS = (
    ("storefront", "GET /cart/{id}"),
    ("storefront", "POST /checkout"),
    ("mobile-api", "GET /products"),
    (MARKUP, LONG),
)
SERVICES = ("cart", "payment", "redis", "inventory", "email", RIGHT_TO_LEFT, MARKUP)


def note(asked: Mapping[str, Any]) -> None:
    kept = {name: value for name, value in asked.items() if name != "name"}
    with asked_log.open("a") as log:
        log.write(json.dumps(kept) + "\n")


def summary(number: int) -> TraceSummary:
    """The traces of fifteen minutes, one every nine seconds; every seventh fails."""
    service, name = ROOTS[number % 3] if number % 20 else ROOTS[3]
    is_derived = number % 11 == 5
    return TraceSummary(
        trace_id=f"{number + 1:032x}",
        environment="production",
        root_service=None if is_derived else service,
        root_name=None if is_derived else name,
        start_unix_nano=(FIRST + 900 - 9 * number) * SECOND + 123 * MS,
        duration_nano=(5 + number * number % 97 + (1400 if number % 13 == 4 else 0)) * MS,
        span_count=0 if is_derived else 3 + number % 40,
        error_count=0 if is_derived else int(number % 7 == 0) * (1 + number % 3),
        line_count=number % 5 * 3,
        error_line_count=int(number % 7 == 0 and is_derived),
        services=[service, *SERVICES[: number % 8]],
    )


ALL = [summary(number) for number in range(100)]


def draw_shape() -> None:
    steps = Counter(step_of(one.duration_nano) for one in ALL)
    trace_shape(
        TraceShape(
            [
                TracePoint(
                    one.trace_id,
                    one.start_unix_nano,
                    one.duration_nano,
                    one.error_count + one.error_line_count > 0,
                    one.root_service,
                    one.root_name,
                )
                for one in ALL
            ],
            len(ALL),
            sum(one.error_count > 0 for one in ALL),
            steps,
            *(percentile_nano(steps, share) for share in (0.5, 0.95, 0.99)),
        ),
        time_shown=(FIRST, FIRST + 900),
        as_of=FIRST + 900,
        timezone="UTC",
        view="",
        link="range=15m",
        words="last 15 min",
        back="last 1 h",
        can_explain=True,
        follow=note,
    )


def draw_table() -> None:
    count = int(st.query_params.get("rows", "100"))
    trace_table(
        [summary(number) for number in range(count)],
        sort="newest",
        as_of=FIRST + 900,
        timezone="UTC",
        link="range=15m&service=cart",
        more_words="Show 100 more of the other 1,134",
        end_words="100 shown.",
        follow=note,
    )


def draw_slow_fast() -> None:
    def one(field: str, value: str, share: float, before: float, p: float) -> Difference:
        lift = share / before if before else float("inf")
        counts = int(share * 40), int(before * 360)
        return Difference(field, value, value, counts[0], share, counts[1], before, lift, p)

    slow_fast_panel(
        SlowFast(
            480 * MS,
            40,
            360,
            400,
            1_200,
            [
                one("attribute:payment.provider", "acme", 0.92, 0.2, 1e-30),
                one("call", "redis · GET (× 12)", 0.7, 0.0, 1e-20),
                one("pattern", "retry <num> of <num> reading cart <id>", 0.4, 0.02, 1e-9),
                one("attribute:region", RIGHT_TO_LEFT, 0.3, 0.12, 0.004),
                one(f"attribute:{MARKUP}", LONG, 0.25, 0.1, 0.01),
                one("error", "error", 0.2, 0.01, 1e-7),
            ],
        ),
        operations=[ROOTS[1], ROOTS[0], ROOTS[3]],
        operation=0,
        note="Compared over the newest 400 of 1,200 requests.",
        chosen={("error", "error")},
        acts=lambda field, value: "" if field == "call" else "Only traces like this",
        follow=note,
    )


st.set_page_config(layout="wide")
draw_theme()
for name in st.query_params.get("panel", "shape").split(","):
    {"shape": draw_shape, "table": draw_table, "why": draw_slow_fast}[name]()

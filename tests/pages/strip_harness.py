"""A page with nothing but the strip's two components; a file says what the database answers.

Run by tests with `streamlit run`; STRIP_ANSWER names the file. What the reader asks for is
written beside it.
"""

import json
import os
from pathlib import Path

import streamlit as st

from logstream.filter import LogFilter
from logstream.model import TrendBucket
from logstream.show.breakdown import breakdown
from logstream.show.live_trend import live_trend
from logstream.show.theme import draw_theme

st.set_page_config(layout="wide")
draw_theme()
answers = Path(os.environ["STRIP_ANSWER"])


@st.fragment(run_every=0.3)
def strip() -> None:
    answer = json.loads(answers.read_text("utf-8"))
    log_filter = LogFilter.from_url(answer["filter"])
    left, right = st.columns([2, 1])
    with left, st.container(key="trend", gap=None):
        asked = live_trend(
            [TrendBucket(*bucket) for bucket in answer["buckets"]],
            log_filter,
            as_of_unix_ms=answer["asOfMs"],
            is_played=answer["isPlayed"],
            bucket_seconds=answer["bucketSeconds"],
            timezone=answer["timezone"],
            per="per minute",
            words="last 15 min",
            back=answer["back"],
        )
    with right, st.container(key="breakdown", gap=None):
        breakdown(
            answer["severities"],
            log_filter,
            as_of_unix_ms=answer["asOfMs"],
            is_played=answer["isPlayed"],
        )
    if asked is not None:
        times = [None if at is None else int(at.timestamp()) for at in (asked.start, asked.end)]
        with answers.with_suffix(".asked").open("a") as log:
            log.write(json.dumps(times) + "\n")


strip()

"""A page with nothing but the waterfall; the URL names the trace.

FEED_SERVICE_PORT names the service's port, WATERFALL_ASKED the file in which what was clicked is
noted.
"""

import json
import os
from pathlib import Path

import streamlit as st

from logstream.filter import LogFilter
from logstream.show.asked import Asked
from logstream.show.theme import draw_theme
from logstream.show.traces.waterfall import waterfall

asked_log = Path(os.environ["WATERFALL_ASKED"])


def note(asked: Asked) -> None:
    kept = {name: value for name, value in asked.items() if name != "name"}
    with asked_log.open("a") as log:
        log.write(json.dumps(kept) + "\n")


st.set_page_config(layout="wide")
draw_theme()
log_filter, _ = LogFilter.read_url(
    {name: ",".join(st.query_params.get_all(name)) for name in st.query_params}
)
with st.container(key="waterfall", gap=None):
    waterfall(
        log_filter.trace_id,
        environment=log_filter.environment,
        service_url="",
        service_port=int(os.environ["FEED_SERVICE_PORT"]),
        timezone=st.query_params.get("tz", "UTC"),
        follow=note,
    )

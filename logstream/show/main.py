"""The script run before every page: page list, view from the URL, rail, bars, then the page."""

import logging
import sys
from datetime import UTC, datetime
from pathlib import Path

import streamlit as st

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from logstream.show import url_state  # noqa: E402
from logstream.show.cards import failure  # noqa: E402
from logstream.show.filter_bar import draw_filter_bar, draw_filter_chips  # noqa: E402
from logstream.show.outage import draw_outage  # noqa: E402
from logstream.show.preferences import keep_preferences  # noqa: E402
from logstream.show.rail import draw_rail  # noqa: E402
from logstream.show.theme import draw_theme  # noqa: E402
from logstream.show.top_bar import draw_top_bar  # noqa: E402

log = logging.getLogger("logstream.show")

# A page's own icon would become the tab's icon, and be fetched from outside; the rail draws it.
PAGES = (
    (st.Page(ROOT / "pages/live.py", title="Live", default=True), ":material/stream:"),
    (
        st.Page(ROOT / "pages/explore.py", title="Explore", url_path="explore"),
        ":material/search:",
    ),
    (
        st.Page(ROOT / "pages/traces.py", title="Traces", url_path=url_state.TRACES),
        ":material/account_tree:",
    ),
    (
        st.Page(ROOT / "pages/services.py", title="Services", url_path="services"),
        ":material/hub:",
    ),
    (st.Page(ROOT / "pages/system.py", title="System", url_path="system"), ":material/speed:"),
)
# What narrows a page beside the environment; the bars must not promise what it does not do.
# Everything does where nothing is said.
NARROWED_BY = {"services": ("service", "time"), "system": ()}

page = st.navigation([entry for entry, _ in PAGES], position="hidden")
st.set_page_config(
    page_title=f"{page.title} · LogStream",
    page_icon=str(Path(__file__).parent / "static" / "favicon.svg"),
    layout="wide",
)
draw_theme()
view = url_state.current(page.url_path)
draw_rail(PAGES, page, view)
keep_preferences()
try:
    now = datetime.now(UTC)
    narrowed_by = NARROWED_BY.get(page.url_path)
    is_of_traces = page.url_path == url_state.TRACES
    draw_top_bar(view, now, narrowed_by=narrowed_by, is_of_traces=is_of_traces)
    draw_outage()
    # An open trace needs the room, and nothing in the bar narrows it.
    if narrowed_by is None and not (is_of_traces and view.chosen.trace_id):
        draw_filter_bar(view, is_of_traces=is_of_traces)
    if narrowed_by != ():
        what = "trace" if is_of_traces else "line"
        draw_filter_chips(view, now, what=what, narrowed_by=narrowed_by)
    page.run()
except Exception as error:
    log.exception("drawing page %s failed", page.title)
    failure("This page could not be drawn.", error)

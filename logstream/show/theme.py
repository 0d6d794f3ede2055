"""The style sheets, and the colours of `palette.py` as CSS variables."""

from pathlib import Path

import streamlit as st

from logstream.model import SEVERITY_WORDS
from logstream.show.palette import SEVERITY_COLOURS

_STYLE_SHEETS = [
    Path(__file__).parent / name
    for name in (
        "theme.css",
        "system.css",
        "explore/explore.css",
        "explore/ask.css",
        "traces/traces.css",
        "services/services.css",
    )
]


def draw_theme() -> None:
    """Inject the style sheets; call once a run, before anything is drawn."""
    st.html(f"<style>{_style()}</style>")


@st.cache_resource(show_spinner=False)
def _style() -> str:
    # light-dark() follows the color-scheme that Streamlit sets with its theme.
    colours = "".join(
        f"--severity-{word}:light-dark({SEVERITY_COLOURS['light'][word]},"
        f"{SEVERITY_COLOURS['dark'][word]});"
        for word in SEVERITY_WORDS
    )
    rules = "".join(path.read_text("utf-8") for path in _STYLE_SHEETS)
    return f":root{{{colours}}}{rules}"

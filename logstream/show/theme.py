"""The one style sheet, and the colours of `palette.py` as CSS variables."""

from pathlib import Path

import streamlit as st

from logstream.model import SEVERITY_WORDS
from logstream.show.palette import SEVERITY_COLOURS

_STYLE_SHEET = Path(__file__).with_name("theme.css")


def draw_theme() -> None:
    """Inject the style sheet; call once a run, before anything is drawn."""
    st.html(f"<style>{_style()}</style>")


@st.cache_resource(show_spinner=False)
def _style() -> str:
    # light-dark() follows the color-scheme that Streamlit sets with its theme.
    colours = "".join(
        f"--severity-{word}:light-dark({SEVERITY_COLOURS['light'][word]},"
        f"{SEVERITY_COLOURS['dark'][word]});"
        for word in SEVERITY_WORDS
    )
    return f":root{{{colours}}}{_STYLE_SHEET.read_text('utf-8')}"

"""The theme button: as the system says, light, or dark; remembered by the browser."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent
_THEME_SWITCH = st.components.v2.component(
    "logstream_theme_switch",
    html="""<button type='button'>
    <svg viewBox='0 0 16 16' aria-hidden='true'>
      <circle cx='8' cy='8' r='5.5' fill='none' stroke='currentColor' stroke-width='1.4'/>
      <path/>
    </svg><span></span></button>""",
    css=(_HERE / "theme_switch.css").read_text("utf-8"),
    js=(_HERE / "theme_switch.js").read_text("utf-8"),
)


def theme_switch(page_paths: Sequence[str], here: str) -> None:
    """Draw the button. `page_paths` are every page's url_path, `here` the current one's.

    Streamlit offers no call for this and keeps the choice by path, so it is written for
    every page; the browser test notices when a new Streamlit stores it elsewhere.
    """
    _THEME_SWITCH(key="theme-switch", data={"paths": list(page_paths), "here": here})

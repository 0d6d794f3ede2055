"""The Python side of the state pill; the browser's feed tells it everything else."""

from pathlib import Path
from typing import Any

import streamlit as st

FOLDER = Path(__file__).parent
_mounts: list[Any] = []


def state_pill(*, key: str = "state-pill") -> None:
    """Draw the feed's state as a small pill; a click resumes a paused feed, or leaves the past."""
    if not _mounts:
        _mounts.append(
            st.components.v2.component(
                "logstream_state_pill",
                html=(FOLDER / "pill.html").read_text(encoding="utf-8"),
                css=(FOLDER / "pill.css").read_text(encoding="utf-8"),
                js=(FOLDER / "pill.js").read_text(encoding="utf-8"),
            )
        )
    _mounts[0](key=key)

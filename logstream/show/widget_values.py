"""Widgets that show what the view says, and are a way to choose something else.

Whatever is clicked anywhere sends all widgets as the browser has them. What was set here a
moment ago may not have arrived there, and then the value of before comes along; taken for a
choice, it would undo the change.
"""

import time
from typing import Any

import streamlit as st

# From when a value was set until the browser surely has it.
ECHO_SECONDS = 1.5
_SET = "widgets-set"


def show_value(key: str, value: Any) -> None:
    """Let the widget drawn next under `key` show a value."""
    if st.session_state.get(key) != value:
        set_value(key, value)


def set_value(key: str, value: Any) -> None:
    """The same, also when only how it is shown has changed."""
    before = st.session_state.get(key)
    st.session_state.setdefault(_SET, {})[key] = (before, time.monotonic())
    st.session_state[key] = value


def is_echo(key: str) -> bool:
    """Whether a widget's value is only the one from before it was set; for its callback.

    The run that follows draws it right.
    """
    before, moment = st.session_state.get(_SET, {}).get(key, (None, 0.0))
    is_recent = time.monotonic() - moment < ECHO_SECONDS
    return bool(is_recent and (st.session_state[key] or None) == (before or None))

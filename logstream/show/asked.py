"""What was clicked in a component reaches Python exactly once.

A run that is cut short by the next one leaves its trigger to that one: then the click would be
followed twice, or, where it is read only when the component is drawn, not at all.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import streamlit as st

Asked = Mapping[str, Any]


def following(key: str, follow: Callable[[Asked], None]) -> Callable[[], None]:
    """The callback of a component under `key`: `follow` is told what was clicked in it."""
    return partial(_follow, key, follow)


def keeping(key: str) -> Callable[[], None]:
    """The callback of one whose clicks are read when it is drawn, see `taken`."""
    return following(key, partial(st.session_state.__setitem__, f"{key}-kept"))


def taken(key: str) -> Asked | None:
    """The click that nobody has read yet, once."""
    kept: Asked | None = st.session_state.pop(f"{key}-kept", None)
    return kept


def _follow(key: str, follow: Callable[[Asked], None]) -> None:
    asked = (st.session_state.get(key) or {}).get("asked")
    name = asked.get("name") if isinstance(asked, Mapping) else None
    if isinstance(asked, Mapping) and name and st.session_state.get(f"{key}-heard") != name:
        st.session_state[f"{key}-heard"] = name
        follow(asked)

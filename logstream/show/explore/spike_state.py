"""What is being explained, kept for the session: a part of the time shown, and its baseline."""

from dataclasses import dataclass, field, replace
from datetime import datetime

import streamlit as st

from logstream.filter import LogFilter
from logstream.show.time_trail import time_of

_SPIKE = "spike"


@dataclass(frozen=True)
class Spike:
    """`part` of the time shown, None for all of it; `baseline` is a name, "" for the usual one."""

    part: tuple[datetime, datetime] | None = None
    baseline: str = ""
    shown: LogFilter = field(default_factory=LogFilter)


def current(chosen: LogFilter) -> Spike | None:
    """What is being explained under this filter; None while the panel is closed.

    A part means something only within the time that it was chosen in.
    """
    spike: Spike | None = st.session_state.get(_SPIKE)
    if spike is not None and spike.part is not None and spike.shown != time_of(chosen):
        return replace(spike, part=None, shown=time_of(chosen))
    return spike


def explain(chosen: LogFilter, part: tuple[datetime, datetime] | None, baseline: str = "") -> None:
    """Open the panel for a part of the time shown, or for all of it."""
    st.session_state[_SPIKE] = Spike(part, baseline, time_of(chosen))


def close() -> None:
    """Close the panel."""
    st.session_state.pop(_SPIKE, None)

"""What distinguishes a chosen time from another: the panel under the histogram."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import streamlit as st

from logstream.errors import LogStreamError
from logstream.filter import Choice, LogFilter
from logstream.ports import Differences
from logstream.show import session, url_state
from logstream.show.asked import Asked
from logstream.show.cards import empty, guarded
from logstream.show.explore import questions, spike_state
from logstream.show.explore.baselines import Baseline, Time, baselines
from logstream.show.explore.choices import choose, chosen_of
from logstream.show.explore.components.spike import spike_panel
from logstream.show.explore.period import shown_time
from logstream.show.explore.rerun import redraw_page, redraw_when_changed
from logstream.show.explore.spike_state import Spike
from logstream.show.time_range import bucket_seconds
from logstream.show.time_trail import with_time_before
from logstream.show.url_state import View
from logstream.show.words import clock_time, counted

MOST_DIFFERENCES = 200
# From here on the minute under way is left out: whole minutes are counted at once.
WHOLE_MINUTES = timedelta(minutes=3)
_PAINTED = "spike-painted"


def draw_spike(view: View) -> None:
    """The panel, when it was asked for."""
    if spike_state.current(view.chosen) is not None:
        _panel()


@st.fragment
@guarded("What is different cannot be told.")
def _panel() -> None:
    redraw_when_changed()
    view = url_state.shown()
    spike = spike_state.current(view.chosen)
    now = view.log_filter.at or datetime.now(UTC)
    meant = time_and_around(view, spike, now) if spike is not None else None
    if spike is None or meant is None:
        empty("No beginning, so nothing to compare with.", "Choose a time that has a beginning.")
        return
    time, around = meant
    offered = baselines(time, around, view.zone, now)
    baseline = next((one for one in offered if one.name == spike.baseline), offered[0])
    asked = replace(view.log_filter, range_text="", start=time[0], end=time[1])
    try:
        answer = questions.differences(asked, baseline.of(view.log_filter), MOST_DIFFERENCES)
    except LogStreamError:
        session.note_missing_answer()
        raise
    what = " – ".join(clock_time(moment, view.zone, near=now) for moment in time)
    spike_panel(
        answer,
        what=what,
        baseline=baseline.name,
        baselines=[(one.name, one.words) for one in offered],
        chosen=_chosen(view.log_filter, answer),
        note=note(answer, baseline),
        painted=_painted(view, now),
        follow=_follow,
    )


def time_and_around(view: View, spike: Spike, now: datetime) -> tuple[Time, Time | None] | None:
    """The time being explained, and the longer one it was chosen in; None without a beginning."""
    shown = shown_time(view.log_filter, now)
    if shown is None:
        return None
    if shown[1] - shown[0] >= WHOLE_MINUTES:
        shown = shown[0], shown[1].replace(second=0, microsecond=0)
    if spike.part is not None:
        return spike.part, shown
    # Chosen in the histogram: the time shown before lies around it.
    earlier = replace(view, chosen=with_time_before(view.chosen))
    around = shown_time(earlier.log_filter, now) if earlier.chosen != view.chosen else None
    is_around = around is not None and around[0] <= shown[0] and around[1] >= shown[1]
    return shown, around if is_around else None


def note(answer: Differences, baseline: Baseline) -> str:
    """What else has to be said of an answer; "" for nothing."""
    if not answer.total:
        return "There is no line in this time."
    if not answer.baseline_total:
        return f"There is no line in {baseline.words}: choose another time to compare with."
    if not answer.differences:
        return "Nothing here is more or less frequent than chance would have it."
    parts = []
    if answer.looked < answer.total:
        parts.append(f"newest {counted(answer.looked, 'line')}")
    if answer.baseline_looked < answer.baseline_total:
        parts.append(f"newest {counted(answer.baseline_looked, 'line')} of the time compared with")
    if not parts:
        return ""
    return f"Attributes are compared over the {' and the '.join(parts)}; all else over all lines."


def _chosen(log_filter: LogFilter, answer: Differences) -> dict[tuple[str, str], Choice]:
    return {
        (one.field, one.value): chosen_of(log_filter, one.field, [one.value])
        for one in answer.differences
    }


def _painted(view: View, now: datetime) -> tuple[str, str, Sequence[int]] | None:
    """The bars of the value pointed at; None while none is, or when they take too long."""
    pointed: tuple[str, str] | None = st.session_state.get(_PAINTED)
    if pointed is None:
        return None
    meant = view.log_filter
    if pointed[1] not in chosen_of(meant, pointed[0], [pointed[1]]).only:
        meant = choose(meant, *pointed, "only")
    try:
        width = bucket_seconds(view.log_filter, now)
        buckets = questions.trend(meant, width, view.timezone, with_previous=False).answer
    except LogStreamError:
        return None
    return (*pointed, [bucket.total for bucket in buckets])


def _follow(asked: Asked) -> None:
    kind, field, value = (str(asked.get(name, "")) for name in ("kind", "field", "value"))
    chosen = url_state.shown().chosen
    spike = spike_state.current(chosen)
    if kind == "paint":
        st.session_state[_PAINTED] = (field, value)
    elif kind == "baseline" and spike is not None:
        spike_state.explain(chosen, spike.part, value)
    elif kind == "close":
        spike_state.close()
        redraw_page()
    elif kind in ("toggle", "exclude"):
        url_state.change(choose(chosen, field, value, kind))
        redraw_page()

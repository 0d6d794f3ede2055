"""The Traces page: the list of traces; or one of them as a waterfall, or beside another."""

from collections.abc import Callable
from functools import partial

from logstream.show import url_state
from logstream.show.cards import guarded
from logstream.show.traces.comparison import draw_comparison
from logstream.show.traces.one_trace import draw_trace
from logstream.show.traces.trace_bar import draw_trace_bar
from logstream.show.traces.trace_list import draw_trace_list
from logstream.show.url_state import View


def draw_traces() -> None:
    """Everything on the page under the common bars."""
    view = url_state.shown()
    if not view.chosen.trace_id:
        _part("The traces cannot be listed.", draw_trace_list, view)
        return
    _part("The way back cannot be drawn.", draw_trace_bar, view)
    if view.compare:
        _part("The traces cannot be compared.", draw_comparison, view)
    else:
        _part("The trace cannot be drawn.", draw_trace, view)


def _part(title: str, draw: Callable[[View], None], view: View) -> None:
    guarded(title)(partial(draw, view))()

"""Traces: which requests there were and how long they took; one of them as a waterfall."""

from logstream.show.traces.page import draw_traces

draw_traces()

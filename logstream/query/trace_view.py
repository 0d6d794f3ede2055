"""All that is told of one trace: its spans in a tree, with what follows from them and its lines.

What is made up from lines changes nothing that was measured: time of one's own and the critical
path of real spans count real spans only, unless there are none.
"""

from collections.abc import Mapping, Sequence

import msgspec

from logstream.model import LogLine
from logstream.query.clock_skew import clock_shifts
from logstream.query.critical_path import Section, critical_path
from logstream.query.derived_spans import derive
from logstream.query.self_time import SpanInTrace, in_trace
from logstream.query.span_tree import SpanTree, tree_of
from logstream.trace_port import WholeTrace


class TraceView(msgspec.Struct, frozen=True):
    """One trace as it is shown.

    `spans` are in the order of `tree.spans`: real ones first, those from `first_derived` on are
    made up from lines. `path` is the critical path, `shifts` the
    nanoseconds that a correction of clocks would add, by place. `lines` are on `span_of_line`.
    """

    trace_id: str
    tree: SpanTree
    spans: Sequence[SpanInTrace]
    first_derived: int
    path: Sequence[Section]
    shifts: Mapping[int, int]
    lines: Sequence[LogLine]
    span_of_line: Sequence[str | None]

    def is_derived(self, place: int) -> bool:
        """Whether the span at a place is made up from lines."""
        return place >= self.first_derived

    @property
    def oldest_first(self) -> list[int]:
        """Every place, by start."""
        starts = [span.start_unix_nano for span in self.tree.spans]
        return sorted(range(len(starts)), key=starts.__getitem__)


def view_of(trace: WholeTrace) -> TraceView:
    """What is told of a trace; pure and in linear time, but for sorting."""
    derived = derive(trace.lines, trace.spans)
    count = len(trace.spans)
    real = tree_of(trace.spans)
    whole = tree_of([*trace.spans, *derived.spans]) if derived.spans else real
    measured = real if count else whole
    return TraceView(
        trace_id=trace.trace_id,
        tree=whole,
        spans=[*in_trace(real), *(in_trace(whole)[count:] if derived.spans else ())],
        first_derived=count,
        path=critical_path(measured),
        shifts=clock_shifts(measured) if count else {},
        lines=trace.lines,
        span_of_line=derived.span_of_line,
    )

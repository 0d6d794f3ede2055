"""Spans made up from log lines, of services that sent none.

A line is written when something is done: that began its latency earlier. The lines of one
service with one span id are one span, those without an id one for each service:

    gateway   ······································●  "POST /orders" latency 120
    orders        ●··············●                     two lines
    stock              ·····●                          latency 15

    gateway   ├──────────────────────────────────────┤
    orders        ├──────────────┤                     parents are guessed: the shortest span
    stock              ├────┤                          that a span lies within

Beside real spans, a derived one belongs under that whose id its lines carry, or, where they
carry none that is known, within the shortest one that was running.
"""

import math
from collections.abc import Sequence
from itertools import chain, count

import msgspec

from logstream.model import LogLine, Severity, Span
from logstream.query.span_tree import end_of, span_key

MAX_NAME_CHARS = 120
_MS = 1_000_000
_DAY_MS = 86_400_000
# (service, key of the span id or None).
_Group = tuple[str, str | None]


class Derived(msgspec.Struct, frozen=True):
    """Spans made up from lines, and of every line, in the order given, the span it is on.

    That is a derived one or the real one whose id the line carries; None of neither.
    """

    spans: list[Span]
    span_of_line: list[str | None]


def derived_spans(lines: Sequence[LogLine], spans: Sequence[Span] = ()) -> list[Span]:
    """The spans made up from the lines of one trace; see `derive`."""
    return derive(lines, spans).spans


def derive(lines: Sequence[LogLine], spans: Sequence[Span] = ()) -> Derived:
    """What the lines of one trace say of services that none of its spans is of.

    Attributes of a derived span: `lines` it is made of, and `parent`, `guessed` or `named`.
    """
    if not lines:
        return Derived([], [])
    known = {span_key(span.span_id): span.span_id for span in spans}
    with_spans = {span.service_name for span in spans}
    groups: dict[_Group, list[LogLine]] = {}
    group_of_line: list[_Group | None] = []
    span_of_line: list[str | None] = []
    for line in lines:
        key = None if line.span_id is None else span_key(line.span_id)
        span_of_line.append(None if key is None else known.get(key))
        group: _Group | None = None
        if line.service_name not in with_spans:
            group = line.service_name, key
            groups.setdefault(group, []).append(line)
        group_of_line.append(group)
    made: dict[_Group, Span] = {}
    taken = set(known)
    for group, members in groups.items():
        made[group] = _span(group, members, taken, known)
        taken.add(span_key(made[group].span_id))
    found = _with_parents(list(made.values()), spans)
    for at, group in enumerate(group_of_line):
        if group is not None:
            span_of_line[at] = made[group].span_id
    return Derived(found, span_of_line)


def _span(group: _Group, lines: list[LogLine], taken: set[str], known: dict[str, str]) -> Span:
    """One without a parent, unless its lines carry the id of a real span: then that is it."""
    service, key = group
    starts = [line.timestamp_unix_nano - _latency_nano(line) for line in lines]
    end = max(line.timestamp_unix_nano for line in lines)
    longest = max(lines, key=_latency_nano)
    failed = next((line for line in lines if line.severity_number >= Severity.ERROR), None)
    parent = None if key is None else known.get(key)
    sent_id = lines[0].span_id
    ids = chain([sent_id or f"lines:{service}"], (f"lines:{service}:{n}" for n in count(1)))
    span_id = next(one for one in ids if span_key(one) not in taken)
    return Span(
        trace_id=longest.trace_id or "",
        span_id=span_id,
        parent_span_id=parent,
        environment=longest.environment,
        service_name=service,
        name=longest.body.split("\n", 1)[0][:MAX_NAME_CHARS],
        start_unix_nano=min(starts),
        duration_nano=end - min(starts),
        observed_unix_nano=max(line.observed_unix_nano for line in lines),
        status="unset" if failed is None else "error",
        status_message=None if failed is None else failed.body[:MAX_NAME_CHARS],
        attributes=msgspec.json.encode(
            {"lines": len(lines), **({} if parent is None else {"parent": "named"})}
        ),
    )


def _latency_nano(line: LogLine) -> int:
    """0 for none, and for one that is no time a request takes."""
    latency = line.duration_ms
    if latency is None or not math.isfinite(latency) or not 0 <= latency <= _DAY_MS:
        return 0
    return int(latency * _MS)


def _with_parents(derived: list[Span], spans: Sequence[Span]) -> list[Span]:
    """Those without a parent under the shortest span that they lie within."""
    waiting = {span.span_id for span in derived if span.parent_span_id is None}
    if not waiting:
        return derived
    open_spans: list[Span] = []
    guessed: dict[str, str] = {}
    # Of two at once the longer first. One that ends before the next does, holds nothing later
    # that the next does not hold too.
    for span in sorted((*spans, *derived), key=lambda one: (one.start_unix_nano, -end_of(one))):
        while open_spans and end_of(open_spans[-1]) < end_of(span):
            open_spans.pop()
        if span.span_id in waiting and open_spans:
            guessed[span.span_id] = open_spans[-1].span_id
        if span.duration_nano > 0:
            open_spans.append(span)
    return [
        msgspec.structs.replace(
            span,
            parent_span_id=guessed[span.span_id],
            attributes=span.attributes[:-1] + b',"parent":"guessed"}',
        )
        if span.span_id in guessed
        else span
        for span in derived
    ]

"""The facets at the left: values with counts, and what clicking them does."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import streamlit as st

from logstream.errors import LogStreamError
from logstream.filter import LogFilter
from logstream.model import SEVERITY_WORDS
from logstream.ports import FieldFacts, Fields
from logstream.show import preferences, session, url_state
from logstream.show.asked import Asked
from logstream.show.cards import guarded
from logstream.show.explore import questions
from logstream.show.explore.choices import LABELS, choose, chosen_of, key_of, title_of
from logstream.show.explore.components.facets import MOST_SENT, Facet, facet_rail
from logstream.show.explore.rerun import redraw_page, redraw_when_changed
from logstream.show.time_trail import time_of
from logstream.show.url_state import View
from logstream.show.words import counted
from logstream.text_query import without_term

MOST_ATTRIBUTES = 8
MOST_PATTERNS = 50
LEAST_COVERAGE = 0.02
DISTINCT = range(2, 201)
_SOUGHT, _OFFERED, _SHOWN = "facet-sought", "facet-offered", "facet-shown"
_PATTERN = re.compile(r"\(pattern:\d+(?: OR pattern:\d+)+\)|-?pattern:\d+")
_ACTS = ("toggle", "only", "exclude")


def draw_facets(view: View) -> None:
    """Severity, service, environment, pattern and the most telling attributes.

    What is counted soonest is drawn first, and what is pinned stands on top.
    """
    pinned = preferences.current().pinned_fields
    parts = {part for field in pinned for part in _PARTS if _part_of(field) == part}
    places = {
        (part, is_pinned): st.container(key=f"facets-{part}{'-pinned' * is_pinned}", gap=None)
        for is_pinned in (True, False)
        for part in _PARTS
        if part in parts or not is_pinned
    }
    for part in _PARTS:
        for is_pinned in (True, False):
            if (part, is_pinned) in places:
                with places[part, is_pinned]:
                    _part(part, is_pinned)


@st.fragment
def _part(part: str, is_pinned: bool) -> None:
    title, _ = _PARTS[part]
    guarded(title)(partial(_draw_part, part, is_pinned))()


def _draw_part(part: str, is_pinned: bool) -> None:
    redraw_when_changed()
    try:
        facets, attribute_count = _PARTS[part][1](url_state.shown())
    except LogStreamError:
        session.note_missing_answer()
        raise
    order = preferences.current().pinned_fields
    shown = [facet for facet in facets if facet.is_pinned == is_pinned]
    if is_pinned:
        shown.sort(key=lambda facet: order.index(facet.field))
    offered = {facet.field: [value for value, _, _ in facet.values] for facet in shown}
    st.session_state[_OFFERED] = {**st.session_state.get(_OFFERED, {}), **offered}
    facet_rail(
        [_sought(facet) for facet in shown],
        field_count=None if is_pinned else attribute_count,
        follow=_follow,
        key=f"facet-rail-{part}{'-pinned' * is_pinned}",
    )


def _part_of(field: str) -> str:
    return "labels" if field in LABELS else "patterns" if field == "pattern" else "attributes"


def _labels(view: View) -> tuple[list[Facet], None]:
    counts = questions.facets(view.log_filter, LABELS)
    return [_label_facet(view, name, counts[name]) for name in LABELS], None


def _patterns(view: View) -> tuple[list[Facet], None]:
    """Of the lines of every pattern: a facet never narrows its own options."""
    log_filter = replace(view.log_filter, q=without_patterns(view.log_filter.q))
    answer = questions.patterns(log_filter, MOST_PATTERNS, pieces=1)
    templates = {str(one.id): one.template for one in answer.patterns}
    known = {str(one.id): one.count for one in answer.patterns}
    facet = _facet(
        view.log_filter, "pattern", known, answer.total, answer.pattern_count, labels=templates
    )
    return [facet], None


def _attributes(view: View) -> tuple[list[Facet], int]:
    fields = questions.fields(view.log_filter, MOST_SENT)
    pinned = preferences.current().pinned_fields
    shown = telling(fields, pinned, view.log_filter.q, _shown_before(view.log_filter))
    st.session_state[_SHOWN] = (time_of(view.log_filter), [one.name for one in shown])
    return _attribute_facets(view, fields, shown), len(fields.fields)


# Each part of the rail: what to say when it fails, and its facets with how many attributes there
# are in all.
_PARTS: Mapping[str, tuple[str, Callable[[View], tuple[list[Facet], int | None]]]] = {
    "labels": ("The fields cannot be counted.", _labels),
    "patterns": ("The patterns cannot be counted.", _patterns),
    "attributes": ("The attributes cannot be counted.", _attributes),
}


def _label_facet(view: View, field: str, counts: list[tuple[str, int]]) -> Facet:
    known = dict(counts)
    if field == "severity":
        known = {word: known.get(word, 0) for word in reversed(SEVERITY_WORDS)}
    return _facet(view.log_filter, field, known, sum(known.values()))


def _attribute_facets(view: View, fields: Fields, shown: Sequence[FieldFacts]) -> list[Facet]:
    """Attributes that `q` asks about are counted without what it asks of them."""
    log_filter = view.log_filter
    asked = tuple(f"attribute:{one.name}" for one in shown if is_asked(one.name, log_filter.q))
    counts = questions.facets(log_filter, asked) if asked else {}
    note = ""
    if fields.looked < fields.total:
        note = f"newest {counted(fields.looked, 'line')}"
    found = []
    for one in shown:
        field = f"attribute:{one.name}"
        known = dict(counts.get(field, one.values))
        total = sum(known.values()) if field in counts else fields.looked
        distinct = len(known) if field in counts else one.distinct
        found.append(_facet(log_filter, field, known, total, distinct, note=note))
    return found


def _facet(
    log_filter: LogFilter,
    field: str,
    known: Mapping[str, int],
    total: int,
    distinct: int | None = None,
    *,
    labels: Mapping[str, str] | None = None,
    note: str = "",
) -> Facet:
    choice = chosen_of(log_filter, field, known)
    counts = {**dict.fromkeys((*choice.only, *choice.excluded), 0), **known}
    return Facet(
        field,
        title_of(field),
        [(value, (labels or {}).get(value, value), count) for value, count in counts.items()],
        total,
        max(distinct or 0, len(known)),
        choice.only,
        choice.excluded,
        note,
        field in preferences.current().pinned_fields,
    )


def _sought(facet: Facet) -> Facet:
    """The facet with no more values than are sent: those searched for, the chosen, the first."""
    text = st.session_state.get(_SOUGHT, {}).get(facet.field, "").lower()
    chosen = {*facet.only, *facet.excluded}
    values = [one for one in facet.values if text in one[1].lower() or one[0] in chosen]
    values.sort(key=lambda one: one[0] not in chosen)
    return replace(facet, values=values[:MOST_SENT], sought_for=text)


def _shown_before(log_filter: LogFilter) -> list[str]:
    """The attributes that had a facet in this time before a click narrowed the lines."""
    time, names = st.session_state.get(_SHOWN, (None, []))
    return names if time == time_of(log_filter) else []


def telling(
    fields: Fields, pinned: Sequence[str], q: str, before: Sequence[str] = ()
) -> list[FieldFacts]:
    """The attributes worth a facet: pinned, asked about in `q`, then widespread and varied.

    Those shown `before` stay as long as a line has them, so that no click makes others jump.
    """
    named = {one.name: one for one in fields.fields}
    # A pinned one is shown also where no line carries it, or its place would seem lost.
    shown = {
        key_of(field): named.get(key_of(field)) or FieldFacts(key_of(field), 0, 0, (), "text")
        for field in pinned
        if field.startswith("attribute:")
    }
    shown |= {name: one for name, one in named.items() if is_asked(name, q)}
    varied = [
        one
        for one in fields.fields
        if one.distinct in DISTINCT and one.lines >= LEAST_COVERAGE * fields.looked
    ]
    # Of attributes that are about as widespread, the one that is sooner read.
    varied.sort(key=lambda one: (-round(10 * one.lines / max(1, fields.looked)), one.distinct))
    for name in (*before, *(one.name for one in varied)):
        if len(shown) < MOST_ATTRIBUTES and name in named:
            shown[name] = named[name]
    order = {name: place for place, name in enumerate(before)}
    return sorted(shown.values(), key=lambda one: order.get(one.name, len(order)))


def is_asked(name: str, q: str) -> bool:
    """True when `q` names the attribute."""
    return f"{name}:" in q


def without_patterns(q: str) -> str:
    """`q` without its terms about patterns."""
    for term in _PATTERN.findall(q):
        q = without_term(q, term)
    return q


def _follow(asked: Asked) -> None:
    kind, field, value = (str(asked.get(name, "")) for name in ("kind", "field", "value"))
    chosen = url_state.shown().chosen
    if kind in _ACTS:
        values = st.session_state.get(_OFFERED, {}).get(field, ())
        url_state.change(choose(chosen, field, value, kind, values))
        redraw_page()
    elif kind == "seek":
        st.session_state[_SOUGHT] = {**st.session_state.get(_SOUGHT, {}), field: value[:100]}
    elif kind == "pin":
        preferences.toggle_field(field)
        redraw_page()
    elif kind == "fields":
        url_state.change_tab("fields")
        redraw_page()

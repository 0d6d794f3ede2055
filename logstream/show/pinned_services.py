"""Pinned services: one click away in the filter bar, with how much they and their errors say."""

from dataclasses import replace

import streamlit as st

from logstream.errors import LogStreamError
from logstream.filter import Choice
from logstream.show import preferences, session, url_state
from logstream.show.url_state import View
from logstream.show.words import compact, counted, plain, short

MOST_SHOWN = 5
ERRORS = Choice(("error", "fatal"))


def draw_pin(view: View) -> None:
    """The button that pins the one chosen service, or lets it go; none while none is chosen."""
    service = view.chosen.service
    if len(service.only) != 1 or service.excluded:
        return
    name = service.only[0]
    is_pinned = name in preferences.current().pinned
    words = "Unpin" if is_pinned else "Pin"
    st.button(
        words,
        key="pin-service",
        icon=":material/keep_off:" if is_pinned else ":material/keep:",
        help=f"{words} {plain(short(name))}",
        on_click=preferences.toggle_pin,
        args=(name,),
    )


def draw_pinned(view: View, counts: dict[str, int] | None) -> None:
    """A button for each of the first pinned services; `counts` are of every service."""
    pinned = preferences.current().pinned[:MOST_SHOWN]
    if not pinned:
        return
    errors = _error_counts(view)
    with st.container(key="pinned", horizontal=True, wrap=False, gap=None, width="content"):
        for place, name in enumerate(pinned):
            is_chosen = view.chosen.service == Choice((name,))
            st.button(
                _words(name, counts, errors),
                key=f"pinned-{place}",
                type="primary" if is_chosen else "secondary",
                help=_sentence(name, counts, errors, is_chosen),
                on_click=_toggle,
                args=(name,),
            )


def _words(name: str, counts: dict[str, int] | None, errors: dict[str, int] | None) -> str:
    words = plain(short(name, 20))
    if counts is not None:
        words += f" {compact(counts.get(name, 0))}"
    failed = (errors or {}).get(name, 0)
    return f"{words} :red[⊗ {compact(failed)}]" if failed else words


def _sentence(
    name: str, counts: dict[str, int] | None, errors: dict[str, int] | None, is_chosen: bool
) -> str:
    action = "Show all services again" if is_chosen else "Show only this service"
    if counts is None or errors is None:
        return f"{plain(name)}. {action}"
    lines = counted(counts.get(name, 0), "line")
    return f"{plain(name)}: {lines}, {counted(errors.get(name, 0), 'error')}. {action}"


def _toggle(name: str) -> None:
    chosen = url_state.shown().chosen
    only = Choice((name,))
    service = Choice() if chosen.service == only else only
    url_state.change(replace(chosen, service=service))


def _error_counts(view: View) -> dict[str, int] | None:
    try:
        return session.facet(replace(view.log_filter, severity=ERRORS), "service")
    except LogStreamError:
        session.note_missing_answer()
        return None

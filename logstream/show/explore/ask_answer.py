"""What a question was taken to mean: a chip for each condition, and how it was read."""

import html
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from logstream.errors import LogStreamError
from logstream.filter import LogFilter
from logstream.show import service_calls, url_state
from logstream.show.explore.ask_counted import draw_counted
from logstream.show.explore.asked import Asked, Condition, remember, remembered
from logstream.show.time_range import range_words
from logstream.show.url_state import View
from logstream.show.words import milliseconds, plain, short, whole

_TIMES = ("range", "from", "to")
_LONGEST_CHIP = 64


def draw_answer(view: View, asked: Asked) -> None:
    """The answer above the results, as far as the filter still is what it says."""
    held = [
        (place, one)
        for place, one in enumerate(asked.conditions)
        if one.is_filter and one.holds_in(view.chosen)
    ]
    with st.container(key="ask-answer", horizontal=True, vertical_alignment="center", gap="small"):
        for place, condition in held:
            _draw_chip(view, asked, place, condition)
        _draw_lost(asked, has_chips=bool(held))
        with (
            st.popover(_reader_words(asked), key="ask-how", type="tertiary"),
            st.container(gap="xsmall"),
        ):
            _draw_how(view, asked)
        st.button(
            "Put the answer away",
            key="ask-away",
            type="tertiary",
            icon=":material/close:",
            help="The filters stay.",
            on_click=_put_away,
        )
    _draw_notes(asked)
    if asked.reply["show"] == "count" or asked.reply["groupBy"]:
        draw_counted(view, str(asked.reply["groupBy"]), asked.reply["top"])


def _draw_chip(view: View, asked: Asked, place: int, condition: Condition) -> None:
    label = chip_words(condition, view)
    if condition.sure != "guess" and not condition.alternatives:
        st.button(
            plain(short(label, _LONGEST_CHIP)),
            key=f"ask-chip-{place}",
            icon=":material/close:",
            icon_position="right",
            help=f"Take this out: {plain(label)}" if len(label) > _LONGEST_CHIP else None,
            on_click=_take_out,
            args=(condition,),
        )
        return
    with st.popover(
        f"{plain(short(label, _LONGEST_CHIP))}{' ?' if condition.sure == 'guess' else ''}",
        key=f"ask-chip-{condition.sure}-{place}",
        on_change="rerun",
    ) as opened:
        if opened.open:
            with st.container(gap=None):
                _draw_choices(view, asked, place, condition)


def chip_words(condition: Condition, view: View) -> str:
    """`“payment” → service payment-gateway`; times as the page shows them."""
    meaning = condition.meaning
    if condition.field in _TIMES:
        time_only = LogFilter(
            range_text=view.chosen.range_text, start=view.chosen.start, end=view.chosen.end
        )
        meaning = range_words(time_only, view.zone, datetime.now(UTC))
    words = " ".join(condition.words.split())
    return f"“{short(words, 30)}” → {meaning}" if words and words != meaning else meaning


def _draw_choices(view: View, asked: Asked, place: int, condition: Condition) -> None:
    if condition.sure == "guess":
        st.html(f"<p class='quiet'>“{html.escape(condition.words)}” was guessed.</p>")
    for number, other in enumerate(condition.alternatives):
        if condition.changed_in(view.chosen, other) is None:
            st.html(f"<p class='quiet'>Or say: {html.escape(other)}</p>")
            continue
        st.button(
            plain(short(f"Rather {other}", 80)),
            key=f"ask-other-{place}-{number}",
            type="tertiary",
            on_click=_read_otherwise,
            args=(asked, place, other),
        )
    st.button(
        "Take it out",
        key=f"ask-out-{place}",
        type="tertiary",
        icon=":material/close:",
        on_click=_take_out,
        args=(condition,),
    )
    if condition.field == "service" and condition.words and len(condition.values) == 1:
        st.button(
            plain(f"Always read “{condition.words}” as {short(condition.values[0])}"),
            key=f"ask-always-{place}",
            type="tertiary",
            icon=":material/bookmark_add:",
            on_click=_read_always,
            args=(asked, place, condition),
        )


def _take_out(condition: Condition) -> None:
    url_state.change(condition.taken_out_of(url_state.shown().chosen))


def _read_otherwise(asked: Asked, place: int, other: str) -> None:
    condition = asked.conditions[place]
    changed = condition.changed_in(url_state.shown().chosen, other)
    if changed is not None:
        _replace_condition(asked, place, condition.read_as(other))
        url_state.change(changed)


def _read_always(asked: Asked, place: int, condition: Condition) -> None:
    try:
        service_calls.teach(condition.words, condition.values[0], "service")
    except LogStreamError as error:
        st.toast(f"It was not kept: {plain(error.one_line())}")
        return
    st.toast(f"“{plain(condition.words)}” will be read as {plain(condition.values[0])}.")
    _replace_condition(asked, place, replace(condition, sure="certain", alternatives=()))


def _replace_condition(asked: Asked, place: int, condition: Condition) -> None:
    conditions = (*asked.conditions[:place], condition, *asked.conditions[place + 1 :])
    remember(replace(asked, conditions=conditions))


def _put_away() -> None:
    if remembered() is not None:
        remember(None)
        st.session_state["ask-question"] = ""


def _draw_lost(asked: Asked, *, has_chips: bool) -> None:
    lost: Sequence[str] = asked.reply["notUnderstood"]
    if lost:
        words = ", ".join(f"“{html.escape(short(one, 40))}”" for one in lost)
        st.html(f"<span class='ask-lost'>Not understood: {words}</span>", width="content")
    elif not has_chips:
        st.html("<span class='quiet'>Every line of the chosen time.</span>", width="content")


def _draw_notes(asked: Asked) -> None:
    notes = [str(note) for note in asked.reply["notes"]]
    if asked.is_without_service:
        notes.insert(0, "The ingest service does not answer, so this page read it by itself.")
    elif why := asked.reply.get("whyRules"):
        notes.insert(0, f"The built-in rules read this: {why}.")
    if notes:
        told = " · ".join(html.escape(note) for note in notes)
        st.html(f"<div class='ask-notes quiet'>{told}</div>")


def _reader_words(asked: Asked) -> str:
    took = milliseconds(float(asked.reply["milliseconds"]))
    # A sign beside the name: what a model says is to be taken with care.
    return f"AI: {plain(short(asked.model, 24))} · {took}" if asked.model else f"Rules · {took}"


def _draw_how(view: View, asked: Asked) -> None:
    reply = asked.reply
    who = (
        f"The model {html.escape(asked.model)} read the question; every name it gave was checked."
        if asked.model
        else "The built-in rules read the question. Nothing left this installation."
    )
    if reply.get("sent") and not asked.model:
        who = "The built-in rules read the question, after a model had been asked in vain."
    st.html(f"<p>{who}</p>")
    st.caption("As a search")
    st.code(view.chosen.q or "(no text)", language=None, wrap_lines=True)
    st.caption("As URL parameters")
    url = "\n".join(f"{name}={value}" for name, value in view.chosen.to_url().items())
    st.code(url or "(none)", language=None, wrap_lines=True)
    _draw_sent(reply)


def _draw_sent(reply: Any) -> None:
    sent: Sequence[Any] = reply.get("sent") or ()
    if not sent:
        return
    tokens = reply.get("tokens") or {}
    used = int(tokens.get("prompt", 0)) + int(tokens.get("answer", 0))
    cost = f"{whole(used)} tokens" if used else "tokens not told"
    withheld = reply.get("withheld") or 0
    kept = f", {withheld} secrets withheld" if withheld else ""
    if st.toggle("Words sent to the model", key="ask-sent"):
        st.caption(f"{cost}, {reply.get('rounds', 1)} of 2 rounds{kept}")
        for message in sent:
            st.caption(str(message["role"]))
            st.code(str(message["content"]), language=None, wrap_lines=True, height=220)

"""Who owns a service and where to look further: shown under its name, edited in place."""

import html
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from logstream.errors import LogStreamError
from logstream.model import NANOS_PER_SECOND
from logstream.show import service_calls
from logstream.show.cards import explain
from logstream.show.url_state import View
from logstream.show.words import clock_time

_SAID = "service-notes-said"
_SCHEMES = ("http", "https")


def first_seen_words(service: str, known: Mapping[str, int], view: View) -> str:
    """`first seen 2026-11-02 10:15`; "" when that is not known."""
    seen = known.get(service)
    if seen is None:
        return ""
    moment = datetime.fromtimestamp(seen // NANOS_PER_SECOND, UTC)
    return f"first seen {clock_time(moment, view.zone, near=datetime.now(UTC))}"


def draw_notes(service: str) -> None:
    """One line: owner, links, and a way to change them."""
    try:
        found = _notes(service)
    except LogStreamError:
        return  # the page is about other things, and says above that the service is away
    with st.container(
        key="service-notes", horizontal=True, vertical_alignment="center", gap="small"
    ):
        links = found.get("links") or []
        st.html(_line(str(found.get("owner") or ""), links))
        with st.popover("Edit" if found.get("owner") or links else "Note owner and links"):
            _draw_form(service, found)


@st.cache_data(ttl=5, max_entries=500, show_spinner=False)
def _notes(service: str) -> Mapping[str, Any]:
    return service_calls.service_notes(service)


def _line(owner: str, links: Sequence[Mapping[str, Any]]) -> str:
    """Owner and links as markup; both were typed by somebody, and are text."""
    parts = [f"<span class='quiet'>Owner</span> <b>{html.escape(owner)}</b>"] if owner else []
    for link in links:
        url, title = str(link.get("url", "")), str(link.get("title", ""))
        if urlsplit(url).scheme in _SCHEMES:
            parts.append(
                f"<a href='{html.escape(url, quote=True)}' target='_blank' "
                f"rel='noopener noreferrer'>{html.escape(title or url)} ↗</a>"
            )
    return f"<div class='service-note'>{' '.join(parts)}</div>"


def _draw_form(service: str, found: Mapping[str, Any]) -> None:
    said = st.session_state.pop(_SAID, None)
    if said is not None:
        st.html(f"<span class='quiet' role='alert'>{html.escape(' '.join(explain(said)))}</span>")
    links = "\n".join(f"{one.get('title', '')} {one.get('url', '')}" for one in found["links"])
    # What somebody else has noted meanwhile is shown, not overwritten.
    name = f"{service}-{found.get('updatedAt')}"
    owner_key, links_key = f"service-owner-{name}", f"service-links-{name}"
    with st.form(f"service-notes-{name}", border=False):
        st.text_input(
            "Owner",
            value=str(found.get("owner") or ""),
            key=owner_key,
            max_chars=200,
            placeholder="Team Checkout",
        )
        st.text_area(
            "Links, one a line: title, then address",
            value=links,
            key=links_key,
            placeholder="Run book https://wiki.example/checkout",
        )
        st.form_submit_button("Save", on_click=_save, args=(service, owner_key, links_key))


def _save(service: str, owner_key: str, links_key: str) -> None:
    lines = [line.strip() for line in st.session_state[links_key].splitlines() if line.strip()]
    try:
        service_calls.keep_service_notes(
            service, st.session_state[owner_key], [read_link(line) for line in lines]
        )
    except LogStreamError as error:
        st.session_state[_SAID] = error
    else:
        _notes.clear()


def read_link(line: str) -> dict[str, str]:
    """`Run book https://wiki/…` as the API has it; the last word is the address."""
    title, _, url = line.rpartition(" ")
    return {"title": title.strip(), "url": url}

"""How would this be read? A body pasted here is decoded by the service and not stored."""

import html
import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import streamlit as st

from logstream.errors import StoreUnavailable
from logstream.show import service_calls, session
from logstream.show.cards import empty, guarded, outcome
from logstream.show.service_calls import Declined
from logstream.show.system_protocols import format_words
from logstream.show.system_tables import Facts, heading, table
from logstream.show.words import counted, whole

AUTOMATIC = ""
MOST_SHOWN = 20
_EXAMPLE = '{"source": "checkout", "message": "card declined", "severity": "error"}'


@st.fragment
@guarded("The body cannot be explained.")
def draw_explain_form() -> None:
    """Draw the form, and what the service says of the body that was sent with it."""
    heading(
        "How would this be read?",
        "Paste a body as a sender would send it: each field with where it came from. "
        "Nothing is stored.",
    )
    with st.form("explain", border=False):
        body = st.text_area(
            "Body",
            key="explain-body",
            height=140,
            label_visibility="collapsed",
            placeholder=_EXAMPLE,
        )
        with st.container(horizontal=True, gap="small", key="explain-choices"):
            format = st.selectbox(
                "Format",
                [AUTOMATIC, *_formats()],
                format_func=lambda name: format_words(name) if name else "Format: told by itself",
                width=220,
                key="explain-format",
                label_visibility="collapsed",
            )
            is_asked = st.form_submit_button("Read it", key="explain-asked")
    if not is_asked:
        return
    if not body.strip():
        empty("There is no body to read.", "Paste one above.")
        return
    try:
        _answer(service_calls.explain(body, format))
    except Declined as error:
        outcome("It would be refused as a whole.", error.one_line(), is_failure=True)
    except StoreUnavailable as error:
        outcome("Nobody reads it now.", f"{error.message}; try again soon.", is_failure=True)


def _formats() -> Sequence[str]:
    try:
        return (session.service_facts().get("service") or {}).get("knownFormats") or []
    except (httpx.HTTPError, ValueError):
        return []


def _answer(account: Facts) -> None:
    records, spans = account["records"], account["spans"]
    rejected = account["rejected"]
    parts = [
        counted(len(part), noun)
        for part, noun in ((records, "record"), (spans, "span"), (rejected, "refused record"))
        if part
    ]
    more = f", {whole(account['truncated'])} more not shown" if account["truncated"] else ""
    words = f"{format_words(account['format'])} ({account['path']}): {', '.join(parts) or 'empty'}"
    st.html(f"<p class='quiet'>{html.escape(words + more)}</p>")
    if rejected:
        table(
            "",
            ("Record", "Why it would be refused", "As received"),
            [(str(one["index"]), one["error"], one["raw"][:300]) for one in rejected[:MOST_SHOWN]],
            "",
            is_wide=True,
        )
    for record in records[:MOST_SHOWN]:
        _read(f"Record {record['index']}", record)
    for place, one in enumerate(spans[:MOST_SHOWN]):
        _read(f"Span {place}", one)


def _read(title: str, entry: Mapping[str, Any]) -> None:
    origins = entry["origins"]
    rows = "".join(
        f"<tr><th scope='row'>{html.escape(name)}</th><td><code>{html.escape(_text(value))}</code>"
        f"</td><td class='quiet'>{html.escape(origins.get(name, ''))}</td></tr>"
        for name, value in entry["fields"].items()
        if value is not None
    )
    st.html(
        f"<table class='origins'><caption>{html.escape(title)}</caption><thead><tr>"
        "<th scope='col'>Field</th><th scope='col'>Read as</th><th scope='col'>From</th></tr>"
        f"</thead><tbody>{rows}</tbody></table>"
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

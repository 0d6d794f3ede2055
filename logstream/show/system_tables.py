"""Small tables of text for the System page; every cell is escaped, since much is untrusted."""

import html
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

import streamlit as st

from logstream.show.words import whole

Facts = Mapping[str, Any]
Row = tuple[str, str]


def moment(value: object, zone: tzinfo) -> str:
    """A time, or the text of one, in the zone."""
    if isinstance(value, str):
        try:
            return moment(datetime.fromisoformat(value), zone)
        except ValueError:
            return value
    if isinstance(value, datetime):
        return value.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
    return "–"


def count(value: float | None) -> str:
    """A whole number; a dash for none."""
    return "–" if value is None else whole(value)


def heading(text: str, note: str = "") -> None:
    """The title of a part, with a quiet line under it."""
    words = f"<p class='quiet'>{html.escape(note)}</p>" if note else ""
    st.html(f"<h3 class='section'>{html.escape(text)}</h3>{words}")


def facts_table(title: str, rows: Sequence[Row]) -> None:
    """Names and values under a title."""
    body = "".join(
        f"<tr><th scope='row'>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>"
        for name, value in rows
    )
    st.html(f"<h3 class='section'>{html.escape(title)}</h3><table class='facts'>{body}</table>")


def table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    nothing: str,
    *,
    note: str = "",
    is_wide: bool = False,
) -> None:
    """A small table of text; every cell is escaped, as refused records are untrusted."""
    heading = f"<h3 class='section'>{html.escape(title)}</h3>" if title else ""
    if note:
        heading += f"<div class='legend'><span class='quiet'>{html.escape(note)}</span></div>"
    if not rows:
        st.html(f"{heading}<p class='quiet'>{html.escape(nothing)}</p>")
        return
    head = "".join(f"<th scope='col'>{html.escape(name)}</th>" for name in columns)
    body = "".join(
        "<tr>"
        + "".join(f"<td title='{_attribute(cell)}'>{html.escape(cell)}</td>" for cell in row)
        + "</tr>"
        for row in rows
    )
    kind = "rows wide" if is_wide else "rows whole" if note else "rows"
    st.html(
        f"{heading}<div class='scroll'><table class='{kind}'>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _attribute(text: str) -> str:
    return html.escape(text, quote=True)

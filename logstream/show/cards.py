"""The designed states of a view: failed, empty, degraded. Plain words and a next step."""

import html

import streamlit as st

from logstream.errors import LogStreamError, QueryTimeout, SettingsError, StoreUnavailable


def explain(error: Exception) -> tuple[str, str]:
    """(what happened, what to do) for people."""
    if isinstance(error, StoreUnavailable):
        return (
            "The database does not answer.",
            "Lines already sent are safe with their sender or the service; this page keeps "
            "trying. Check with `logstream doctor`.",
        )
    if isinstance(error, QueryTimeout):
        return "The question took too long.", "Choose a shorter time range or fewer filters."
    if isinstance(error, SettingsError):
        return error.message, error.hint or "Correct the setting and restart the dashboard."
    if isinstance(error, LogStreamError):
        return error.message, error.hint
    return "Something in the dashboard went wrong.", "Reload; the dashboard's log has the details."


def failure(title: str, error: Exception) -> None:
    """A view that could not be drawn: one sentence and a next step, never a traceback."""
    what, remedy = explain(error)
    _card("failed", title, f"{what} {remedy}", role="alert")


def empty(title: str, remedy: str) -> None:
    """A view with nothing to show: why, and what to do."""
    _card("empty", title, remedy, role="status")


def degraded(text: str) -> None:
    """A thin banner: the page works, one part does not."""
    st.html(f"<div class='banner' role='status'>{_with_code(text)}</div>")


def _card(kind: str, title: str, text: str, *, role: str) -> None:
    st.html(
        f"<div class='card {kind}' role='{role}'><strong>{html.escape(title)}</strong>"
        f"<span>{_with_code(text)}</span></div>"
    )


def _with_code(text: str) -> str:
    parts = html.escape(text).split("`")
    return "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))

"""The designed states of a view: failed, empty, degraded. Plain words and a next step."""

import functools
import html
import logging
from collections.abc import Callable

import streamlit as st

from logstream.errors import LogStreamError, QueryTimeout, SettingsError, StoreUnavailable

log = logging.getLogger(__name__)


def explain(error: Exception) -> tuple[str, str]:
    """(what happened, what to do) for people."""
    if isinstance(error, StoreUnavailable):
        return (
            "The database does not answer.",
            "No acknowledged line is lost, and this page keeps trying. "
            "Check with `python -m logstream doctor`.",
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


def outcome(title: str, text: str, *, is_failure: bool = False) -> None:
    """What became of something a person asked for, in words that may be a sender's."""
    kind = "failed" if is_failure else "done"
    st.html(
        f"<div class='card {kind}' role='status'><strong>{html.escape(title)}</strong>"
        f"<span>{html.escape(text)}</span></div>"
    )


def degraded(text: str) -> None:
    """A thin banner: the page works, one part does not."""
    st.html(f"<div class='banner' role='status'>{_with_code(text)}</div>")


def guarded(title: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Draw a `failure` instead of letting a part of a page fail; put it under `st.fragment`.

    A fragment refreshes outside the main script, so the main script's own guard misses it.
    """

    def decorate(draw: Callable[[], None]) -> Callable[[], None]:
        @functools.wraps(draw)
        def drawn() -> None:
            try:
                draw()
            except LogStreamError as error:
                failure(title, error)
            except Exception as error:
                log.exception("%s", title)
                failure(title, error)

        return drawn

    return decorate


def _card(kind: str, title: str, text: str, *, role: str) -> None:
    st.html(
        f"<div class='card {kind}' role='{role}'><strong>{html.escape(title)}</strong>"
        f"<span>{_with_code(text)}</span></div>"
    )


def _with_code(text: str) -> str:
    parts = html.escape(text).split("`")
    return "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))

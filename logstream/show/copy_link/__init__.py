"""The Copy link button: this view as an address that means the same tomorrow, or stays relative.

It also tells the lines, on every page, how a saved view shows them.
"""

from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from logstream.filter import range_seconds
from logstream.saved_view import LOOK, SavedView

_HERE = Path(__file__).parent
_COPY_LINK = st.components.v2.component(
    "logstream_copy_link",
    html="""<div class='copy'><button type='button' class='main'>Copy link</button
    ><button type='button' class='more' aria-label='Ways to copy the link'>&#9662;</button></div>
    <div class='ways' popover>
      <button type='button' class='fixed'><b>Time fixed as of now</b><i></i></button>
      <button type='button' class='relative'><b>Time stays relative</b><i></i></button>
    </div>
    <input readonly hidden aria-label='Link'>""",
    css=(_HERE / "copy_link.css").read_text("utf-8"),
    js=(_HERE / "copy_link.js").read_text("utf-8"),
)


def copy_link(
    parameters: Mapping[str, str],
    *,
    range_text: str,
    saved: SavedView | None = None,
    is_modified: bool = False,
    times_opened: int = 0,
) -> None:
    """Draw the button. A relative range is frozen to from/to at the moment of the click.

    Not so that of a saved view that is shown as it was saved: its short link means what the
    view says. `times_opened` tells one opening of a view from the next.
    """
    view = None
    if saved is not None:
        look = {name: text for name, text in saved.state.items() if name in LOOK}
        view = {"id": saved.id, "look": look, "times": times_opened, "isModified": is_modified}
    _COPY_LINK(
        key="copy-link",
        data={
            "parameters": dict(parameters),
            "rangeText": range_text,
            "rangeSeconds": range_seconds(range_text) if range_text else 0,
            "view": view,
        },
    )

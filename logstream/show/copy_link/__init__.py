"""The Copy link button: this view as an address that means the same tomorrow."""

from pathlib import Path

import streamlit as st

from logstream.filter import range_seconds

_HERE = Path(__file__).parent
_COPY_LINK = st.components.v2.component(
    "logstream_copy_link",
    html="<button type='button'>Copy link</button><input readonly hidden aria-label='Link'>",
    css=(_HERE / "copy_link.css").read_text("utf-8"),
    js=(_HERE / "copy_link.js").read_text("utf-8"),
)


def copy_link(parameters: dict[str, str], *, range_text: str) -> None:
    """Draw the button. A relative range is frozen to from/to at the moment of the click."""
    _COPY_LINK(
        key="copy-link",
        data={
            "parameters": parameters,
            "rangeSeconds": range_seconds(range_text) if range_text else 0,
        },
    )

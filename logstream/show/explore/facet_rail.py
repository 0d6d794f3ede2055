"""Whether the facets stand beside the results; on a phone they wait behind a button.

The server does not know how wide a window is: each width has a switch of its own, and the style
sheet shows the one that is meant.
"""

import streamlit as st

_CLOSED, _OPENED = "facets-closed", "facets-opened"


def is_rail_drawn() -> bool:
    """False when no window would show it."""
    return not _is(_CLOSED) or _is(_OPENED)


def rail_key() -> str:
    """The container's key, which tells the style sheet where it is seen."""
    wide = "shut" if _is(_CLOSED) else "wide"
    return f"facet-rail-{wide}-{'phone' if _is(_OPENED) else 'away'}"


def draw_rail_switches() -> None:
    """One button for a wide window, one for a phone."""
    with st.container(key="facets-wide"):
        st.button(
            "Show facets" if _is(_CLOSED) else "Hide facets",
            key="facets-wide-button",
            icon=":material/left_panel_open:" if _is(_CLOSED) else ":material/left_panel_close:",
            type="tertiary",
            on_click=_turn,
            args=(_CLOSED,),
        )
    with st.container(key="facets-phone"):
        st.button(
            "Hide facets" if _is(_OPENED) else "Facets",
            key="facets-phone-button",
            icon=":material/tune:",
            type="tertiary",
            on_click=_turn,
            args=(_OPENED,),
        )


def _is(name: str) -> bool:
    return bool(st.session_state.get(name, False))


def _turn(name: str) -> None:
    st.session_state[name] = not _is(name)

"""Saved views: opened, saved, changed and deleted from one menu."""

from collections.abc import Mapping

import streamlit as st

from logstream.errors import LogStreamError
from logstream.filter import LogFilter
from logstream.saved_view import LOOK, MOST_NAME_CHARACTERS, NOBODY, SavedView, ViewDraft
from logstream.show import preferences, service_calls, session, url_state
from logstream.show.cards import failure
from logstream.show.keep.recent_menu import known_look
from logstream.show.url_state import View
from logstream.show.words import plain, short

# More are found by typing.
MOST_LISTED = 30
_SAID, _ASKING = "views-said", "views-asking"
_WHOSE = ("Team", "Only me")


def draw_views(view: View, look: Mapping[str, str]) -> None:
    """The menu. `look` is how the browser shows lines now (see saved_view.LOOK)."""
    saved = view.saved
    is_modified = saved is not None and (view.is_modified or differs(saved, look))
    label = "Views" if saved is None else short(saved.name, 24) + (" · modified" * is_modified)
    with (
        st.container(key="keep-views", width="content"),
        st.popover(plain(label), icon=":material/bookmark:"),
    ):
        if _SAID in st.session_state:
            failure("That did not work.", st.session_state.pop(_SAID))
        if saved is not None:
            _draw_open(view, saved, is_modified)
        _draw_list(saved)
        _draw_form(view)


def differs(saved: SavedView, look: Mapping[str, str]) -> bool:
    """Whether lines look otherwise than the view says, as far as it says and we know."""
    return any(saved.state.get(name, value) != value for name, value in look.items())


def _whose(saved: SavedView) -> str:
    return f"of the team, by {saved.owner}" if saved.is_team else f"only {saved.owner}'s"


def _draw_open(view: View, saved: SavedView, is_modified: bool) -> None:
    state = "modified since it was opened" if is_modified else "as it was saved"
    st.markdown(f"**{plain(saved.name)}**  \n{plain(_whose(saved))}, {state}")
    with st.container(horizontal=True, gap="small", key="view-actions"):
        st.button(
            "Save changes",
            key="view-save",
            disabled=not is_modified,
            on_click=_save_changes,
            args=(saved, view.kept_state()),
        )
        st.button(
            "Discard changes",
            key="view-discard",
            disabled=not is_modified,
            on_click=url_state.open_view,
            args=(saved,),
        )
        st.button("Close", key="view-close", on_click=url_state.close_view)
        if st.session_state.get(_ASKING) != saved.id:
            st.button(
                "Delete…", key="view-delete", type="tertiary", on_click=_ask_first, args=(saved.id,)
            )
    if st.session_state.get(_ASKING) == saved.id:
        whose = "for everyone" if saved.is_team else ""
        st.markdown(f"Delete “{plain(saved.name)}” {whose}? Links to it will say that it is gone.")
        with st.container(horizontal=True, gap="small", key="view-asking"):
            st.button(
                "Delete", key="view-delete-yes", type="primary", on_click=_delete, args=(saved.id,)
            )
            st.button("Keep it", key="view-delete-no", on_click=_ask_first, args=("",))


def _draw_list(saved: SavedView | None) -> None:
    try:
        views = session.saved_views()
    except LogStreamError as error:
        session.note_missing_answer()
        failure("Saved views cannot be listed.", error)
        return
    own = preferences.current().name or NOBODY
    shown = [one for one in views if one.is_team or one.owner == own]
    if not shown:
        st.markdown("No view is saved yet. Save what you see under a name, and send its link.")
        return
    sought = ""
    if len(shown) > MOST_LISTED:
        sought = st.text_input("Find a view", key="view-find", placeholder="Name or owner").strip()
    found = [one for one in shown if sought.casefold() in f"{one.name} {one.owner}".casefold()]
    with st.container(key="view-list", gap=None):
        for one in found[:MOST_LISTED]:
            is_open = saved is not None and one.id == saved.id
            st.button(
                f"{plain(one.name)} · :small[{plain(_words(one))}]",
                key=f"view-open-{one.id}",
                icon=":material/check:" if is_open else None,
                type="tertiary",
                width="stretch",
                on_click=url_state.open_view,
                args=(one,),
                help=plain(_whose(one)),
            )
    if len(found) > MOST_LISTED:
        st.markdown(f"{len(found) - MOST_LISTED} more: type a part of the name")


def _words(saved: SavedView) -> str:
    words = LogFilter.read_url(saved.state)[0].words() or "all lines"
    return short(words, 60) if saved.is_team else f"{short(words, 50)} · only you"


def _draw_form(view: View) -> None:
    with st.form("save-view", clear_on_submit=False, border=False):
        name = "Save as a new view" if view.saved is not None else "Save what you see"
        st.text_input(
            name, key="view-name", max_chars=MOST_NAME_CHARACTERS, placeholder="Payment errors"
        )
        left, right = st.columns(2, gap="small")
        with left:
            st.segmented_control("For", _WHOSE, key="view-whose", default=_WHOSE[0], required=True)
        with right:
            if "view-owner" not in st.session_state:
                st.session_state["view-owner"] = preferences.current().name
            st.text_input(
                "Your name",
                key="view-owner",
                max_chars=MOST_NAME_CHARACTERS,
                placeholder=NOBODY,
            )
        st.form_submit_button("Save view", on_click=_save_new, args=(view.kept_state(),))


def _save_new(state: dict[str, str]) -> None:
    chosen = st.session_state
    preferences.choose_name(chosen["view-owner"] or "")
    owner, is_team = preferences.current().name or NOBODY, chosen["view-whose"] != _WHOSE[1]
    if _keep(chosen["view-name"], {**state, **known_look()}, owner, is_team):
        chosen["view-name"] = ""


def _save_changes(saved: SavedView, state: dict[str, str]) -> None:
    # What this page cannot know of the look stays as it was.
    before = {name: value for name, value in saved.state.items() if name in LOOK}
    _keep(saved.name, {**before, **state, **known_look()}, saved.owner, saved.is_team, saved.id)


def _keep(
    name: str, state: Mapping[str, str], owner: str, is_team: bool, view_id: str = ""
) -> bool:
    try:
        draft = ViewDraft.checked(name, state, owner, is_team)
        kept_id = service_calls.save_view(draft, view_id)
        session.forget_views()
        kept = session.saved_view(kept_id)
    except LogStreamError as error:
        st.session_state[_SAID] = error
        return False
    if kept is not None:
        url_state.note_saved(kept)
    return True


def _ask_first(view_id: str) -> None:
    st.session_state[_ASKING] = view_id


def _delete(view_id: str) -> None:
    st.session_state.pop(_ASKING, None)
    try:
        service_calls.delete_view(view_id)
    except LogStreamError as error:
        st.session_state[_SAID] = error
        return
    finally:
        session.forget_views()
    url_state.close_view()

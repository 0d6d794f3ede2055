"""What a person prefers on every visit: zone, pinned services and fields, their own name.

A cookie of the browser holds it, because a cookie comes with the session's first request: the
page is drawn right at once. How the feed looks is the feed's own (`live_feed/options.js`).
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import streamlit as st

from logstream.errors import FilterError
from logstream.zones import read_zone

COOKIE = "logstream_preferences"
# Browsers refuse cookies beyond 4,096 bytes.
MOST_COOKIE_BYTES = 3500
MOST_PINNED = 20
MOST_NAME_CHARACTERS = 80
_PREFERENCES, _CHANGE = "preferences", "preferences-change"
_mounts: list[Any] = []


@dataclass(frozen=True)
class Preferences:
    """`timezone` is an IANA name; `pinned` are service names, the first pinned first.

    `pinned_fields` are the fields kept on top of Explore, named as in `Difference`.
    `name` is what the reader signs saved views with, "" until they gave one.
    """

    timezone: str = "UTC"
    pinned: tuple[str, ...] = ()
    pinned_fields: tuple[str, ...] = ()
    name: str = ""

    def to_cookie(self) -> str:
        """The cookie's value. What does not fit lasts as long as the session."""
        pinned, fields = list(self.pinned), list(self.pinned_fields)
        while True:
            facts = {"timezone": self.timezone, "pinned": pinned, "fields": fields}
            if self.name:
                facts["name"] = self.name
            value = quote(json.dumps(facts, separators=(",", ":"), ensure_ascii=False), safe="")
            if len(value) <= MOST_COOKIE_BYTES or not (pinned or fields):
                return value
            (pinned or fields).pop()

    @classmethod
    def from_cookie(cls, value: str) -> "Preferences":
        """The inverse of `to_cookie`; what cannot be read is as on a first visit."""
        try:
            facts = json.loads(unquote(value))
        except ValueError:
            return cls()
        if not isinstance(facts, Mapping):
            return cls()
        timezone, name = facts.get("timezone"), facts.get("name")
        try:
            read_zone(timezone if isinstance(timezone, str) else "")
        except FilterError:
            timezone = None
        return cls(
            timezone if isinstance(timezone, str) and timezone else "UTC",
            _names(facts.get("pinned")),
            _names(facts.get("fields")),
            " ".join(name.split())[:MOST_NAME_CHARACTERS] if isinstance(name, str) else "",
        )


def _names(given: object) -> tuple[str, ...]:
    names = [name for name in given if isinstance(name, str)] if isinstance(given, list) else []
    return tuple(dict.fromkeys(names))[:MOST_PINNED]


def current() -> Preferences:
    """The preferences of this session's reader."""
    state = st.session_state
    if _PREFERENCES not in state:
        # A page opened without a browser (AppTest) has a stand-in for cookies, not text.
        cookie = str(st.context.cookies.get(COOKIE, ""))
        state[_PREFERENCES] = Preferences.from_cookie(cookie)
    preferences: Preferences = state[_PREFERENCES]
    return preferences


def choose_timezone(timezone: str) -> None:
    """Remember the zone that holds when a URL names none."""
    _change(replace(current(), timezone=timezone))


def choose_name(name: str) -> None:
    """Remember what the reader signs with."""
    _change(replace(current(), name=" ".join(name.split())[:MOST_NAME_CHARACTERS]))


def toggle_pin(service: str) -> None:
    """Pin a service, or let it go; the oldest goes when there are too many."""
    _change(replace(current(), pinned=_toggled(current().pinned, service)))


def toggle_field(field: str) -> None:
    """Keep a field on top of Explore, or let it go."""
    _change(replace(current(), pinned_fields=_toggled(current().pinned_fields, field)))


def _toggled(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    kept = tuple(other for other in names if other != name)
    return kept if name in names else (*kept, name)[-MOST_PINNED:]


def _change(preferences: Preferences) -> None:
    if preferences != current():
        st.session_state[_PREFERENCES] = preferences
        st.session_state[_CHANGE] = uuid.uuid4().hex


def keep_preferences() -> None:
    """Hand this session's changes to the browser; call once a run. It draws nothing."""
    if not _mounts:
        _mounts.append(
            st.components.v2.component(
                "logstream_preferences",
                html="<span></span>",
                js=Path(__file__).with_name("preferences.js").read_text("utf-8"),
            )
        )
    with st.container(key="preferences"):
        _mounts[0](
            key="keep-preferences",
            data={
                "name": COOKIE,
                "change": st.session_state.get(_CHANGE, ""),
                "value": current().to_cookie(),
            },
        )

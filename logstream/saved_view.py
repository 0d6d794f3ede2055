"""Saved views: a name for what a page shows, and the link that opens it.

A view is a set of URL parameters under a short id; `view=ID` stands for all of them. What a
URL says beside it wins, an empty value included: `view=ID&service=` is the view without its
services. So a URL holds the view and how it was changed, and nothing else.
"""

import re
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from logstream.errors import FilterError
from logstream.filter import FIELDS, LogFilter

ID_CHARACTERS = 8
MOST_NAME_CHARACTERS = 80
MOST_VALUE_CHARACTERS = 2_000
# How the lines are shown: the feed's own options, see show/live_feed/options.js.
LOOK = ("cols", "rows", "wrap", "newest", "times")
# What a view may hold. Nothing else: a link that opens it must never carry a secret.
KEPT = (*FIELDS, "tz", "tab", *LOOK)
NOBODY = "someone"
_TIMES = ("range", "from", "to")
_ALPHABET = string.digits + string.ascii_lowercase
_ID = re.compile(rf"[0-9a-z]{{{ID_CHARACTERS}}}")


@dataclass(frozen=True)
class ViewDraft:
    """What somebody saves. `state` are URL parameters of KEPT, none of them empty.

    `owner` is a name that its reader gave; nobody signs in yet, so it proves nothing.
    """

    name: str
    state: Mapping[str, str] = field(default_factory=dict)
    owner: str = NOBODY
    is_team: bool = True

    @classmethod
    def checked(
        cls, name: object, state: object, owner: object = NOBODY, is_team: object = True
    ) -> "ViewDraft":
        """A draft of what came from outside; raises FilterError for what cannot be kept."""
        if not isinstance(state, Mapping):
            raise FilterError("state", f"state {state!r:.80} is no object", _OF_STATE)
        if not isinstance(is_team, bool):
            raise FilterError("team", f"team {is_team!r:.80} is neither true nor false", "")
        kept = _kept_state(state)
        LogFilter.from_url(kept)
        return cls(_words("name", name), kept, _words("owner", owner or NOBODY), is_team)


@dataclass(frozen=True)
class SavedView:
    """A view as it is kept."""

    id: str
    name: str
    owner: str
    is_team: bool
    state: Mapping[str, str]
    created_at: datetime
    updated_at: datetime

    @property
    def environments(self) -> tuple[str, ...]:
        """The only environments it shows; empty: not limited to any."""
        return LogFilter.read_url(self.state)[0].environment.only

    def to_api(self) -> dict[str, Any]:
        """The view in the API's shape."""
        return {
            "id": self.id,
            "name": self.name,
            "owner": self.owner,
            "team": self.is_team,
            "state": dict(self.state),
            "createdAt": self.created_at.isoformat().replace("+00:00", "Z"),
            "updatedAt": self.updated_at.isoformat().replace("+00:00", "Z"),
        }


def new_id() -> str:
    """An id nobody has: 41 bits from the system's random source, in lower case."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(ID_CHARACTERS))


def read_id(text: str) -> str:
    """A view's id as a URL gives it; raises FilterError when it can be none."""
    text = text.strip().lower()
    if not _ID.fullmatch(text):
        raise FilterError(
            "view",
            f"view '{text[:40]}' is no saved view",
            f"the id of one has {ID_CHARACTERS} letters and digits",
        )
    return text


def merged(state: Mapping[str, str], explicit: Mapping[str, str]) -> dict[str, str]:
    """The parameters in force where a URL names a view and says more: the URL wins.

    A time in the URL replaces the whole time of the view, however either is given.
    """
    says_time = any(explicit.get(name) for name in _TIMES)
    left = {k: v for k, v in state.items() if not (says_time and k in _TIMES)}
    return {name: value for name, value in {**left, **explicit}.items() if value}


def changes(state: Mapping[str, str], parameters: Mapping[str, str]) -> dict[str, str]:
    """What a URL must say beside `view=ID` to mean `parameters`; empty when that is the view."""
    said = {k: v for k, v in parameters.items() if state.get(k, "") != v}
    gone = {k: "" for k, v in state.items() if v and not parameters.get(k)}
    if any(said.get(name) for name in _TIMES):
        # The new time says already that the old one is gone.
        gone = {k: v for k, v in gone.items() if k not in _TIMES}
    return {**said, **gone}


_OF_STATE = f"give URL parameters by name: {', '.join(KEPT)}"


def _kept_state(state: Mapping[Any, Any]) -> dict[str, str]:
    for name, value in state.items():
        if name not in KEPT:
            raise FilterError("state", f"a view cannot hold '{str(name)[:40]}'", _OF_STATE)
        if not isinstance(value, str) or len(value) > MOST_VALUE_CHARACTERS:
            raise FilterError(
                "state",
                f"'{name}' of the view is no text of at most {MOST_VALUE_CHARACTERS} characters",
                "give the value as the URL has it",
            )
    kept = {name: str(state[name]) for name in KEPT if state.get(name)}
    if any(not _is_storable(value) for value in kept.values()):
        raise FilterError("state", "the view holds a NUL or half a character", "remove it")
    return kept


def _words(name: str, value: object) -> str:
    text = " ".join(value.split()) if isinstance(value, str) else ""
    if not text or len(text) > MOST_NAME_CHARACTERS or not _is_storable(text):
        raise FilterError(
            name,
            f"{name} {value!r:.100} is no name",
            f"give 1 to {MOST_NAME_CHARACTERS} characters",
        )
    return text


def _is_storable(text: str) -> bool:
    return "\x00" not in text and text.encode("utf-8", "replace").decode() == text

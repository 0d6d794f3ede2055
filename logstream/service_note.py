"""What people note of a service: who owns it, and where to look further."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec

from logstream.errors import FilterError
from logstream.model import iso_time, to_unix_nano

LONGEST_OWNER = 200
MOST_LINKS = 10
LONGEST_TITLE = 100
LONGEST_URL = 1_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class NoteLink(msgspec.Struct, frozen=True):
    """A page about a service: run book, dashboard, repository."""

    title: str
    url: str


class ServiceNote(msgspec.Struct, frozen=True):
    """Owner and links of a service, in all environments; `updated_at` is None before the first."""

    service: str
    owner: str = ""
    links: Sequence[NoteLink] = ()
    updated_at: datetime | None = None

    @property
    def is_empty(self) -> bool:
        """True when it says nothing."""
        return not self.owner and not self.links

    def to_api(self) -> dict[str, Any]:
        """The note in the API's shape."""
        updated = self.updated_at
        return {
            "service": self.service,
            "owner": self.owner,
            "links": [{"title": link.title, "url": link.url} for link in self.links],
            "updatedAt": None if updated is None else iso_time(to_unix_nano(updated)),
        }


def read_owner(text: str) -> str:
    """The owner, trimmed; raises FilterError when it is too long."""
    owner = text.strip()
    if len(owner) > LONGEST_OWNER or _CONTROL.search(owner):
        raise FilterError(
            "owner",
            f"'{owner[:40]}' cannot be an owner",
            f"give a team or a person, {LONGEST_OWNER} characters at most",
        )
    return owner


def read_links(pairs: Sequence[tuple[str, str]]) -> list[NoteLink]:
    """Links by title and address; a link without a title is called by its host.

    Raises FilterError: only http and https are opened, and an address carries no password.
    """
    if len(pairs) > MOST_LINKS:
        raise FilterError("links", f"{len(pairs)} links are too many", f"give {MOST_LINKS} at most")
    return [_read_link(title.strip(), url.strip()) for title, url in pairs]


def _read_link(title: str, url: str) -> NoteLink:
    try:
        parts = urlsplit(url)
        host, has_password = parts.hostname or "", "@" in parts.netloc
    except ValueError:
        parts, host, has_password = urlsplit(""), "", False
    if (
        parts.scheme not in ("http", "https")
        or not host
        or has_password
        or len(url) > LONGEST_URL
        or re.search(r"[\s\x00-\x1f\x7f\"<>\\^`{|}]", url)
    ):
        raise FilterError(
            "links",
            f"'{url[:80]}' cannot be a link",
            f"give an http:// or https:// address without a password,"
            f" {LONGEST_URL} characters at most",
        )
    if len(title) > LONGEST_TITLE or _CONTROL.search(title):
        raise FilterError(
            "links",
            f"'{title[:40]}' cannot be the title of a link",
            f"{LONGEST_TITLE} characters at most",
        )
    return NoteLink(title or host[:LONGEST_TITLE], url)

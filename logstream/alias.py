"""Aliases: what a word means in questions, as people here say it."""

import re
import unicodedata
from datetime import datetime
from typing import Any, Literal, get_args

import msgspec

from logstream.errors import FilterError
from logstream.model import iso_time, to_unix_nano

AliasKind = Literal["service", "term"]
KINDS: tuple[AliasKind, ...] = get_args(AliasKind)
LONGEST_WORD = 60
LONGEST_VALUE = 200
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Alias(msgspec.Struct, frozen=True):
    """`word` means the service `value`, or stands for the search term `value`.

    In one environment, or in all of them (None).
    """

    word: str
    kind: AliasKind
    value: str
    environment: str | None = None
    created_at: datetime | None = None
    created_by: str = ""

    def to_api(self) -> dict[str, Any]:
        """The alias in the API's shape."""
        created = self.created_at
        return {
            "word": self.word,
            "kind": self.kind,
            "value": self.value,
            "environment": self.environment,
            "createdAt": None if created is None else iso_time(to_unix_nano(created)),
            "createdBy": self.created_by,
        }


def alias_word(text: str) -> str:
    """The word as it is kept and looked up: one case, one width, single spaces.

    Raises FilterError when it is empty or too long.
    """
    word = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    if not word or len(word) > LONGEST_WORD or _CONTROL.search(word):
        raise FilterError(
            "word",
            f"'{text[:LONGEST_WORD]}' cannot be an alias",
            f"give a word or two, {LONGEST_WORD} characters at most",
        )
    return word


def alias_value(text: str) -> str:
    """What an alias means, trimmed; raises FilterError when it is empty or too long."""
    value = text.strip()
    if not value or len(value) > LONGEST_VALUE or _CONTROL.search(value):
        raise FilterError(
            "value",
            f"'{text[:LONGEST_WORD]}' cannot be what an alias means",
            f"give a service or a search term, {LONGEST_VALUE} characters at most",
        )
    return value

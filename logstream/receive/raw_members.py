"""Values that are still JSON text (msgspec.Raw): as an object, a list, a text or a moment.

Reading a body piece by piece keeps numbers beyond float and every digit of a time.
"""

import sys
from collections.abc import Iterable, Mapping

import msgspec

from logstream.receive.json_bodies import pieces_of
from logstream.receive.native_values import members_of, value_of
from logstream.receive.piecewise import name_of
from logstream.receive.timestamps import NotATime, parse_timestamp

Members = dict[str, msgspec.Raw]
_LONGEST_NANO = 2**63 - 1


def object_of(value: msgspec.Raw | None) -> Members | None:
    """The members of an object; None for anything else."""
    return members_of(bytes(value)) if value is not None and bytes(value)[:1] == b"{" else None


def list_of(value: msgspec.Raw | None, most: int = sys.maxsize) -> list[msgspec.Raw]:
    """The elements of an array, none for anything else. Raises TooLarge for more than `most`."""
    if value is None or bytes(value)[:1] != b"[":
        return []
    return [msgspec.Raw(piece) for piece in pieces_of(bytes(value), most)]


def objects_of(value: msgspec.Raw | None) -> list[Members]:
    """The elements of an array that are objects."""
    found = (object_of(element) for element in list_of(value))
    return [members for members in found if members is not None]


def text_of(value: msgspec.Raw | None) -> str | None:
    """The text, or the JSON text of what is none; None when absent or null."""
    if value is None or bytes(value) == b"null":
        return None
    return str(value_of(value)) if bytes(value)[:1] == b'"' else bytes(value).decode()


def moment_of(value: msgspec.Raw | None, naive_timezone: str) -> int | None:
    """Nanoseconds since the epoch of a time, a number or its text; None when it is none."""
    text = text_of(value)
    if text is None:
        return None
    try:
        return parse_timestamp(text, naive_timezone)
    except NotATime:
        return None


def first_name(members: Mapping[str, msgspec.Raw], names: Iterable[str]) -> tuple[str, str] | None:
    """(member, name) of the first of the members that can be a service's or environment's."""
    for member in names:
        raw = members.get(member)
        found = None if raw is None else name_of(value_of(raw))
        if found:
            return member, found
    return None


def nanos_between(start_unix_nano: int, end_unix_nano: int) -> int:
    """How long a span was; 292 years at most, which is what 64 bits hold."""
    return max(-_LONGEST_NANO, min(end_unix_nano - start_unix_nano, _LONGEST_NANO))

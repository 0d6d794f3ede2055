"""A body of many records, read one by one: a bad one never costs its neighbours."""

from collections.abc import Callable, Iterable

import msgspec

from logstream.model import Decoded, Reject
from logstream.ports import Arrival
from logstream.receive.json_bodies import MAX_REJECT_BYTES
from logstream.receive.json_text import MAX_DEPTH, clean_text, is_deeper_than
from logstream.receive.native_values import MAX_NAME_CHARS, Defaults, Refused


class RefusedAs(Refused):
    """A refusal with a reason of its own, to count and to answer by."""

    def __init__(self, sentence: str, reason: str) -> None:
        super().__init__(sentence)
        self.reason = reason


def defaults_of(arrival: Arrival) -> Defaults:
    """What the records of an arrival take when they do not say."""
    return Defaults(arrival.received_unix_nano, arrival.default_environment, arrival.naive_timezone)


def read_pieces(
    pieces: Iterable[bytes], read: Callable[[bytes, Decoded], None], what: str = "record"
) -> Decoded:
    """What the pieces (clean JSON) hold; `read` adds one to what it is given, or refuses it.

    `read` may raise Refused, and ValueError or RecursionError for what is not JSON. The index
    of a reject is that of its piece.
    """
    decoded = Decoded([])
    for index, piece in enumerate(pieces):
        reason = "bad_record"
        try:
            if is_deeper_than(piece):
                raise RecursionError
            read(piece, decoded)
            continue
        except Refused as refused:
            error = str(refused)
            reason = getattr(refused, "reason", reason)
        except (ValueError, msgspec.DecodeError) as malformed:
            error = f"it is not valid JSON ({malformed}); send one JSON object a {what}"
        except RecursionError:
            error = f"it is nested deeper than {MAX_DEPTH} levels; flatten it"
        decoded.rejects.append(
            Reject(index, f"{what} {index}: {error}", piece[:MAX_REJECT_BYTES], reason)
        )
    return decoded


def name_of(value: object) -> str | None:
    """The value as the name of a service or environment; None when it cannot be one."""
    if not isinstance(value, str):
        return None
    name = value.strip()
    return name if 0 < len(name) <= MAX_NAME_CHARS else None


def parameter_of(arrival: Arrival, name: str) -> str | None:
    """A query parameter as text that can be stored; None when it is absent or empty."""
    return clean_text(arrival.parameters.get(name, "")) or None

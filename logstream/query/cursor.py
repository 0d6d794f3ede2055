"""A place in the order of lines as URL-safe text, for pages that follow each other."""

import base64
import re

from logstream.errors import FilterError

# Nanoseconds of any time that can be stored, the year 9999 included.
MAX_MOMENT = 2**63 * 1_000
MAX_ID = 2**63 - 1
_CURSOR = re.compile(r"(-?\d{1,21})\.(\d{1,19})")


def write_cursor(key: tuple[int, int]) -> str:
    """The (timestamp in ns, id) of a line; it names no filter."""
    text = f"{key[0]}.{key[1]}".encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def read_cursor(text: str) -> tuple[int, int]:
    """The inverse of `write_cursor`; raises FilterError."""
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        match = _CURSOR.fullmatch(decoded.decode("ascii"))
    except ValueError:
        match = None
    if match is None or abs(int(match[1])) > MAX_MOMENT or int(match[2]) > MAX_ID:
        raise FilterError(
            "cursor",
            f"cursor '{text}' is none of ours",
            "give the cursor of the page before, or none for the first page",
        )
    return int(match[1]), int(match[2])

"""What was refused and kept: one record or whole body, with why and its bytes."""

import base64
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from logstream.model import iso_time

RawEncoding = Literal["utf-8", "escaped", "base64"]
# Bytes that text does not hold: C0 controls but tab, newline, return and escape, and DEL.
_CONTROLS = bytes(code for code in (*range(32), 127) if code not in b"\t\n\r\x1b")
# From this share of its bytes on it is not text with a few bad bytes, but something binary.
_BINARY_SHARE = 0.1


class RejectFilter(msgspec.Struct, frozen=True):
    """Which refused records: all that is given must be true; None asks nothing.

    `sender` is the visible part of an API key, empty for those without one.
    """

    format: str | None = None
    reason: str | None = None
    sender: str | None = None
    environment: str | None = None


class RejectCount(msgspec.Struct, frozen=True):
    """How many kept records share a format, a reason and a sender, and when the last came."""

    format: str
    reason: str
    sender: str
    count: int
    newest_unix_nano: int


@dataclass(frozen=True)
class KeptReject:
    """One refused record as kept. `size_bytes` is of what was kept; `raw` may be its beginning."""

    id: int
    rejected_unix_nano: int
    environment: str
    format: str
    reason: str
    sender: str
    record_index: int
    error: str
    raw: bytes
    size_bytes: int
    resent_unix_nano: int | None = None

    def to_api(self) -> dict[str, Any]:
        """In the API's shape. `rawEncoding` says how to read `raw`; see `readable`."""
        encoding, text = readable(self.raw)
        resent = self.resent_unix_nano
        return {
            "id": self.id,
            "at": iso_time(self.rejected_unix_nano),
            "environment": self.environment,
            "format": self.format,
            "reason": self.reason,
            "sender": self.sender or None,
            "index": self.record_index,
            "error": self.error,
            "raw": text,
            "rawEncoding": encoding,
            "rawBytes": self.size_bytes,
            "isRawWhole": len(self.raw) == self.size_bytes,
            "resentAt": None if resent is None else iso_time(resent),
        }


def readable(raw: bytes) -> tuple[RawEncoding, str]:
    """The bytes as text, and how: as they are, with `\\xff` for what is not UTF-8, or base64."""
    controls = len(raw) - len(raw.translate(None, _CONTROLS))
    try:
        if not controls:
            return "utf-8", raw.decode()
    except UnicodeDecodeError:
        pass
    text = raw.decode("utf-8", "backslashreplace")
    bad = controls + (len(text) - len(raw.decode("utf-8", "ignore"))) // 4
    if bad > len(raw) * _BINARY_SHARE:
        return "base64", base64.b64encode(raw).decode()
    return "escaped", "".join(
        f"\\x{ord(letter):02x}" if ord(letter) in _CONTROLS else letter for letter in text
    )

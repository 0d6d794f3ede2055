"""What the shapes share: the value they give, the context they read in."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from logstream.receive.text_shapes.times import Times


@dataclass(frozen=True, slots=True)
class Header:
    """What a line says about itself, and the rest as `body`.

    `service` is a process name from the line; a logger is not a service. `is_partial` means
    that the next line of the same stream continues this one without a line break.
    """

    body: str
    timestamp_unix_nano: int | None = None
    severity_number: int | None = None
    severity_text: str | None = None
    service: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    environment: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    is_partial: bool = False

    @property
    def has_no_sign(self) -> bool:
        """True when the line says neither when nor how grave it is."""
        return self.timestamp_unix_nano is None and self.severity_number is None

    def inside(self, inner: "Header") -> "Header":
        """The inner header where it speaks, this (the wrapper's) where it does not."""
        own_time = inner.timestamp_unix_nano
        own_number = inner.severity_number
        return replace(
            inner,
            timestamp_unix_nano=self.timestamp_unix_nano if own_time is None else own_time,
            severity_number=self.severity_number if own_number is None else own_number,
            severity_text=self.severity_text if own_number is None else inner.severity_text,
            service=inner.service or self.service,
            attributes={**self.attributes, **inner.attributes},
            is_partial=self.is_partial,
        )


Parse = Callable[[str, Times], Header | None]
"""A line (without its line break and colours) to its header; None when it has no such header."""

ANSI = re.compile(r"\x1b\[[0-9;:?]*[A-Za-z]")


def without_colours(text: str) -> str:
    """The text without ANSI escape sequences."""
    return ANSI.sub("", text) if "\x1b" in text else text

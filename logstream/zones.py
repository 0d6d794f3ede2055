"""Time zones by name."""

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from logstream.errors import FilterError


def read_zone(name: str) -> tzinfo:
    """The zone of an IANA name; raises FilterError (`tz`) when there is none."""
    if name in ("", "UTC"):
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise FilterError(
            "tz", f"time zone '{name[:60]}' is not known", "use a name such as Europe/Berlin"
        ) from None

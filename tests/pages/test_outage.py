"""The banner's words for what the service says about its database."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from logstream.show.outage import outage_words

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def words(
    *,
    since: str | None = None,
    reason: str = "refused",
    lines: int = 0,
    is_nearly_full: bool = False,
) -> str:
    database = {"state": "away" if since else "up", "since": since, "reason": reason}
    spool: dict[str, Any] = {
        "lines": lines,
        "bytes": 3_100_000,
        "maxBytes": 4_294_967_296,
        "isNearlyFull": is_nearly_full,
    }
    facts = {"database": database, "spool": spool}
    return outage_words(facts, BERLIN, "Europe/Berlin", now=NOW)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ""),
        ({"lines": 5}, "The database is back; 5 lines are landing from the spool."),
        (
            {"since": "2026-03-01T02:12:00.000Z", "lines": 12_408},
            # 02:12 UTC is 03:12 in Berlin in winter.
            "Database unreachable since 03:12 (Europe/Berlin); 12,408 lines are safe in the spool "
            "(3.1 MB of 4.3 GB).",
        ),
        (
            {"since": "2026-02-27T02:12:00.000Z", "lines": 1, "is_nearly_full": True},
            "Database unreachable since 2026-02-27 03:12 (Europe/Berlin); 1 line is safe in the "
            "spool (3.1 MB of 4.3 GB). It is nearly full: soon lines are refused.",
        ),
        (
            {"since": "2026-03-01T02:12:00.000Z", "reason": "in a read-only transaction"},
            "Database read-only since 03:12 (Europe/Berlin); nothing waits in the spool.",
        ),
    ],
)
def test_the_banner_says_since_when_and_how_much_is_safe(
    given: dict[str, Any], expected: str
) -> None:
    assert words(**given) == expected

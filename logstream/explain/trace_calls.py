"""The calls of one trace as rows of `call_counts`, and what changed in them since last time.

A trace is counted again whenever more of it arrives, minutes later too: written is only the
difference to what was counted before, which may be negative.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from logstream.durations import step_of
from logstream.model import to_datetime, to_unix_nano
from logstream.query.service_links import ServiceLink

# A trace with more different ones is no request; the most frequent are counted.
MAX_CALLS = 1_000
# Two of them are in one key of an index.
MAX_NAME_CHARACTERS = 200
_SECONDS = 60


class Call(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What `call_counts` distinguishes, but for the environment; `minute` in Unix seconds."""

    minute: int
    source: str
    target: str
    kind: str
    is_error: bool
    duration_step: int


_Stored = tuple[Call, int]
_decode = msgspec.json.Decoder(list[_Stored]).decode


def counted(links: Iterable[ServiceLink], *, is_derived: bool = False) -> dict[Call, int]:
    """How often each call is among the links; those of a derived trace are all derived."""
    calls = Counter(
        Call(
            _minute_of(link.start_unix_nano),
            link.source[:MAX_NAME_CHARACTERS],
            link.target[:MAX_NAME_CHARACTERS],
            "derived" if is_derived else link.kind,
            link.is_error,
            step_of(link.duration_nano),
        )
        for link in links
        # A service without a name is nobody's target: no name would mean "from outside".
        if link.target
    )
    return dict(calls.most_common(MAX_CALLS))


def difference(now: Mapping[Call, int], before: Mapping[Call, int]) -> dict[Call, int]:
    """What is to be added to what was counted before; nothing that stayed the same."""
    changes = {call: now.get(call, 0) - before.get(call, 0) for call in {**before, **now}}
    return {call: change for call, change in changes.items() if change}


def kept(calls: Mapping[Call, int]) -> list[_Stored] | None:
    """As `trace_summaries.calls` keeps them, None of none."""
    return list(calls.items()) or None


def from_kept(text: str | None) -> dict[Call, int]:
    """The calls that the text of `trace_summaries.calls` says."""
    return {} if text is None else dict(_decode(text))


def _minute_of(unix_nano: int) -> int:
    # Through a datetime, so that any time has a minute which the table can hold.
    seconds = to_unix_nano(to_datetime(unix_nano)) // 1_000_000_000
    return seconds // _SECONDS * _SECONDS

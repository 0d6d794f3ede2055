"""What the slow requests of an operation have more of than the fast ones.

The slowest share of the requests looked at is put beside the rest:

    requests by duration   ▂▅█▇▅▃▂▁▁▁▁▂▂▁
                           ├─ fast ─┤├slow┤     slow: longer than all of the fast ones

Of attributes, calls, patterns of lines and errors is counted how many requests of each side have
them. A value is named when chance is an unlikely reason for the difference, the most telling
first; the tests are those of `significance`, corrected for how many values are compared.

A call that all requests make differs by how often they make it and by which part of their time
it takes. It is compared by how many requests exceed what nine of ten fast ones do not.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from logstream.ports import Difference
from logstream.query.significance import corrected, divergence, p_value
from logstream.query.slow_requests import SlowRequest
from logstream.trace_port import SlowFast

MOST_P_VALUE = 0.01
# How much one request must tell of its side: 50 % beside 53 %, or 1 % beside 1.7 %.
LEAST_BITS = 0.0005
# Values of fewer requests are not compared.
LEAST_COUNT = 2
MOST_DIFFERENCES = 60
# An attribute with more values than this part of its requests is an id.
_MOST_DISTINCT = 0.5
# What this part of the fast requests do not exceed is usual.
_USUAL_SHARE = 0.9
# (service, operation)
_Call = tuple[str, str]


@dataclass(frozen=True)
class _Value:
    """Something that so many slow and fast requests have; of `about` only one is named."""

    field: str
    value: str
    label: str
    about: str
    count: int
    base_count: int


def slow_and_fast(
    requests: Sequence[SlowRequest],
    *,
    total: int,
    slow_share: float = 0.1,
    labels: Mapping[int, str] | None = None,
) -> SlowFast:
    """What distinguishes the slowest `slow_share` of the requests, which are of `total`.

    `labels` are the templates of patterns. Requests as long as one that is fast are fast.
    """
    slow_nano = _limit([request.duration_nano for request in requests], slow_share)
    slow = [request for request in requests if request.duration_nano > slow_nano]
    fast = [request for request in requests if request.duration_nano <= slow_nano]
    return SlowFast(
        slow_nano=float(slow_nano),
        slow=len(slow),
        fast=len(fast),
        looked=len(requests),
        total=max(total, len(requests)),
        differences=_differences(slow, fast, labels or {}) if slow and fast else [],
    )


def _limit(durations: Sequence[int], slow_share: float) -> int:
    """The longest that is not slow; 0 of no requests."""
    if not durations:
        return 0
    slow = min(len(durations) - 1, max(1, round(len(durations) * slow_share)))
    return sorted(durations)[-slow - 1] if slow else durations[0]


def _differences(
    slow: Sequence[SlowRequest], fast: Sequence[SlowRequest], labels: Mapping[int, str]
) -> list[Difference]:
    values = [
        one
        for one in (*_named(slow, fast, labels), *_calls(slow, fast))
        if max(one.count, one.base_count) >= LEAST_COUNT
    ]
    p_values = corrected([p_value(v.count, len(slow), v.base_count, len(fast)) for v in values])
    telling = []
    for value, p in zip(values, p_values, strict=True):
        share, base_share = value.count / len(slow), value.base_count / len(fast)
        bits = divergence(share, base_share)
        if p <= MOST_P_VALUE and bits >= LEAST_BITS:
            telling.append((bits, share, base_share, value, p))
    # Where several tell as much: what grew before what shrank, and in the order of the fields.
    telling.sort(key=lambda one: (-round(one[0], 9), one[1] < one[2]))
    found: dict[tuple[str, str], Difference] = {}
    for _, share, base_share, value, p in telling:
        found.setdefault(
            (value.field, value.about),
            Difference(
                field=value.field,
                value=value.value,
                label=value.label,
                count=value.count,
                share=share,
                baseline_count=value.base_count,
                baseline_share=base_share,
                lift=share / base_share if value.base_count else math.inf,
                p_value=p,
            ),
        )
    return list(found.values())[:MOST_DIFFERENCES]


def _named(
    slow: Sequence[SlowRequest], fast: Sequence[SlowRequest], labels: Mapping[int, str]
) -> Iterable[_Value]:
    """Attributes, patterns and errors: what a request has or has not."""
    failed = [sum(request.is_error for request in side) for side in (slow, fast)]
    yield _Value("error", "true", "failed", "", *failed)
    here, there = (
        Counter(pair for request in side for pair in request.attributes) for side in (slow, fast)
    )
    both = here + there
    carried: Counter[str] = Counter()
    distinct: Counter[str] = Counter()
    for (name, _), count in both.items():
        carried[name] += count
        distinct[name] += 1
    for name, text in sorted(both):
        if distinct[name] <= _MOST_DISTINCT * carried[name]:
            field, pair = f"attribute:{name}", (name, text)
            yield _Value(field, text, text, text, here[pair], there[pair])
    patterns, base_patterns = (
        Counter(one for request in side for one in request.patterns) for side in (slow, fast)
    )
    for one in sorted(patterns + base_patterns):
        value, label = str(one), labels.get(one, str(one))
        yield _Value("pattern", value, label, value, patterns[one], base_patterns[one])


def _calls(slow: Sequence[SlowRequest], fast: Sequence[SlowRequest]) -> Iterable[_Value]:
    """Of each call: that it is made, that it fails, how often, and which part of the time."""
    sides = [[_by_call(request) for request in side] for side in (slow, fast)]
    for call in sorted({call for side in sides for made in side for call in made}):
        name = " ".join(call)
        measured = [[made.get(call, _NOTHING) for made in side] for side in sides]
        times, failures, shares = ([[m[at] for m in side] for side in measured] for at in range(3))
        often, usual = _usual(times[1]), _usual(shares[1])
        for label, counted, least in (
            (name, times, 0.0),
            (f"{name} failing", failures, 0.0),
            (f"{name} more than {_times(often)}", times, often),
            (f"{name} for more than {usual:.0%} of the time", shares, usual),
        ):
            counts = [sum(one > least for one in side) for side in counted]
            yield _Value("call", label, label, name, *counts)


# How often a request makes a call, how often that fails, its share of the request's time.
_Made = tuple[float, float, float]
_NOTHING: _Made = (0.0, 0.0, 0.0)


def _by_call(request: SlowRequest) -> dict[_Call, _Made]:
    sums: defaultdict[_Call, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for call in request.calls:
        made = sums[call.service, call.operation]
        made[0] += 1
        made[1] += call.is_error
        if request.duration_nano > 0:
            made[2] += max(0, call.duration_nano) / request.duration_nano
    # Calls side by side take more than all of the time between them.
    return {call: (times, failed, min(1.0, part)) for call, (times, failed, part) in sums.items()}


def _usual(numbers: Sequence[float]) -> float:
    return sorted(numbers)[math.ceil(_USUAL_SHARE * len(numbers)) - 1]


def _times(number: float) -> str:
    return "once" if number == 1 else f"{number:.0f} times"

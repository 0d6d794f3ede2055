"""What slow requests have more of than fast ones."""

import random
from typing import Any

from logstream.query.latency_analysis import slow_and_fast
from logstream.query.slow_requests import RequestCall, SlowRequest

MS = 1_000_000


def request(duration: float, **more: Any) -> SlowRequest:
    """`said` are its attributes, `calls` (service, operation, ms, failed)."""
    return SlowRequest(
        trace_id="t",
        span_id="s",
        duration_nano=int(duration * MS),
        is_error=more.get("failed", False),
        attributes=frozenset(more.get("said", {}).items()),
        calls=[
            RequestCall(s, o, int(ms * MS), failed) for s, o, ms, failed in more.get("calls", ())
        ],
        patterns=frozenset(more.get("patterns", ())),
    )


def named(*requests: SlowRequest, **more: Any) -> list[tuple[str, str, int, int]]:
    found = slow_and_fast(requests, total=len(requests), **more)
    return [(d.field, d.label, d.count, d.baseline_count) for d in found.differences]


def mixed(slow: SlowRequest, fast: SlowRequest) -> list[SlowRequest]:
    return [fast] * 180 + [slow] * 20


def test_the_slowest_share_is_slow_and_ties_with_a_fast_one_are_fast() -> None:
    requests = [request(n) for n in range(1, 101)]
    found = slow_and_fast(requests, total=5_000)
    # The slowest ten of 1 … 100 are 91 to 100.
    assert (found.slow_nano, found.slow, found.fast) == (90 * MS, 10, 90)
    assert (found.looked, found.total, found.differences) == (100, 5_000, [])
    assert slow_and_fast([request(5)] * 50, total=50).slow == 0


def test_few_requests_and_none_are_no_reason_to_fail() -> None:
    assert slow_and_fast([], total=0).slow_nano == 0
    alone = slow_and_fast([request(7)], total=1)
    assert (alone.slow, alone.fast, alone.slow_nano) == (0, 1, 7 * MS)
    two = slow_and_fast([request(7), request(9)], total=2)
    assert (two.slow, two.fast, two.differences) == (1, 1, [])


def test_attributes_errors_and_patterns_that_the_slow_have_are_named_with_their_shares() -> None:
    requests = mixed(
        request(900, said={"region": "eu", "plan": "free"}, failed=True, patterns=[7]),
        request(50, said={"region": "us", "plan": "free"}, patterns=[8]),
    )
    found = slow_and_fast(requests, total=200, labels={7: "retrying <*>"})
    told = {(d.field, d.label): (d.count, d.baseline_count) for d in found.differences}
    assert told == {
        ("error", "failed"): (20, 0),
        ("attribute:region", "eu"): (20, 0),
        ("attribute:region", "us"): (0, 180),
        ("pattern", "retrying <*>"): (20, 0),
        ("pattern", "8"): (0, 180),
    }
    first = found.differences[0]
    assert (first.share, first.baseline_share) == (1, 0)
    assert first.p_value < 1e-9


def test_a_value_of_a_third_of_the_slow_beside_few_fast_ones_is_told_exactly() -> None:
    # 30 of 100 slow, 45 of 900 fast: 30 % beside 5 %
    requests = [request(900, said={"tenant": "acme"})] * 30 + [request(900)] * 70
    requests += [request(50, said={"tenant": "acme"})] * 45 + [request(50)] * 855
    (found,) = slow_and_fast(requests, total=1_000).differences
    assert (found.field, found.value) == ("attribute:tenant", "acme")
    assert (found.share, found.baseline_share, found.lift) == (0.3, 0.05, 0.3 / 0.05)


def test_ids_are_not_compared() -> None:
    requests = [request(900, said={"order": f"slow {n}"}) for n in range(20)]
    requests += [request(50, said={"order": f"fast {n}"}) for n in range(180)]
    assert named(*requests) == []


def test_a_call_that_only_slow_requests_make_is_named() -> None:
    requests = mixed(request(900, calls=[("fraud", "POST /check", 100, False)]), request(50))
    assert named(*requests) == [("call", "fraud POST /check", 20, 0)]


def test_a_call_whose_part_of_the_time_grew_is_named() -> None:
    calls = [("stock", "GET /stock", 10, False), ("payments", "POST /charge", 20, False)]
    slow = [("stock", "GET /stock", 180, False), ("payments", "POST /charge", 700, False)]
    # payments: 20 of 50 ms are 40 %, 700 of 900 are 78 %; stock stays at 20 %.
    assert named(*mixed(request(900, calls=slow), request(50, calls=calls))) == [
        ("call", "payments POST /charge for more than 40% of the time", 20, 0)
    ]


def test_a_query_that_is_asked_many_times_is_named_once() -> None:
    query = ("postgresql", "SELECT stock", 1, False)
    assert named(*mixed(request(50, calls=[query] * 40), request(5, calls=[query]))) == [
        # 40 × 1 of 50 ms are 80 % of the time too, 1 of 5 are 20 %: one is enough.
        ("call", "postgresql SELECT stock more than once", 20, 0)
    ]


def test_a_call_that_fails_in_slow_requests_is_named() -> None:
    slow = request(500, calls=[("mail", "POST /send", 100, True)])
    fast = request(50, calls=[("mail", "POST /send", 10, False)])
    assert named(*mixed(slow, fast)) == [("call", "mail POST /send failing", 20, 0)]


def test_what_has_nothing_to_do_with_duration_is_not_named() -> None:
    seed = 20261130
    print(f"seed {seed}")
    chance = random.Random(seed)
    requests = [
        request(
            chance.expovariate(1 / 50) + 1,
            said={f"flag{n}": chance.choice("abc") for n in range(20)},
            patterns=chance.sample(range(40), 5),
            failed=chance.random() < 0.05,
        )
        for _ in range(1_000)
    ]
    assert named(*requests) == []

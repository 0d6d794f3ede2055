"""The calls of a trace as counts, and the difference to what was counted before."""

import msgspec

from logstream.explain.trace_calls import MAX_CALLS, Call, counted, difference, from_kept, kept
from logstream.query.peers import LinkKind
from logstream.query.service_links import ServiceLink

# 2026-03-01 12:00:00 UTC in Unix seconds: 20,513 days and a half.
NOON = 20_513 * 86_400 + 43_200
MS = 1_000_000


def a_link(
    target: str = "stock",
    *,
    source: str = "checkout",
    kind: LinkKind = "call",
    failed: bool = False,
    seconds: float = 0,
    ms: float = 20,
) -> ServiceLink:
    return ServiceLink(source, target, kind, failed, int((NOON + seconds) * 1e9), int(ms * MS))


def test_calls_are_counted_by_minute_services_error_and_duration() -> None:
    calls = counted(
        [
            a_link(seconds=1),
            a_link(seconds=59.9),
            a_link(seconds=60),
            a_link(failed=True),
            # 20 ms is step floor(4 * log2(20,000)) = floor(57.15), 24 ms floor(58.20).
            a_link(ms=24),
            a_link("postgresql/stock", source="stock", kind="database", ms=0),
        ]
    )
    assert calls == {
        Call(NOON, "checkout", "stock", "call", False, 57): 2,
        Call(NOON + 60, "checkout", "stock", "call", False, 57): 1,
        Call(NOON, "checkout", "stock", "call", True, 57): 1,
        Call(NOON, "checkout", "stock", "call", False, 58): 1,
        Call(NOON, "stock", "postgresql/stock", "database", False, -1): 1,
    }


def test_calls_of_a_trace_of_lines_are_all_derived() -> None:
    assert [call.kind for call in counted([a_link()], is_derived=True)] == ["derived"]


def test_a_service_without_a_name_is_nobodys_target() -> None:
    assert counted([a_link("")]) == {}
    assert [call.source for call in counted([a_link(source="")])] == [""]


def test_any_time_has_a_minute() -> None:
    times = [-(2**70), 0, 2**70]
    calls = counted([msgspec.structs.replace(a_link(), start_unix_nano=time) for time in times])
    # The first minute of year 1, that of 1970, the last one of 9999.
    assert [call.minute for call in calls] == [-62_135_596_800, 0, 253_402_300_740]


def test_of_too_many_different_calls_the_most_frequent_are_counted() -> None:
    links = [a_link(f"shard-{number}") for number in range(MAX_CALLS + 50)]
    calls = counted([*links, links[-1]])
    assert len(calls) == MAX_CALLS
    assert calls[Call(NOON, "checkout", f"shard-{MAX_CALLS + 49}", "call", False, 57)] == 2


def test_only_what_changed_is_a_difference() -> None:
    before = counted([a_link(source="", seconds=1), a_link("mail"), a_link("cart")])
    now = counted(
        [a_link(source="gateway", seconds=1), a_link("mail"), a_link("cart"), a_link("cart")]
    )
    assert {
        (call.source, call.target): count for call, count in difference(now, before).items()
    } == {
        ("", "stock"): -1,
        ("gateway", "stock"): 1,
        ("checkout", "cart"): 1,
    }
    assert difference(now, now) == {}


def test_calls_are_kept_as_an_array_of_rows() -> None:
    calls = counted([a_link(), a_link(), a_link(failed=True)])
    text = msgspec.json.encode(kept(calls)).decode()
    assert text == (
        '[[[1772366400,"checkout","stock","call",false,57],2],'
        '[[1772366400,"checkout","stock","call",true,57],1]]'
    )
    assert from_kept(text) == calls
    assert kept({}) is None
    assert from_kept(None) == {}

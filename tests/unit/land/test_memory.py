"""The last lines in memory: bounded, filtered as in SQL, and given their ids when they land."""

from logstream.filter import Choice, LogFilter
from logstream.land.memory import NO_ID, RecentLines
from logstream.ports import Batch
from tests.records import NOON, a_record

EVERY_LINE = LogFilter()


def bodies(lines: RecentLines, log_filter: LogFilter = EVERY_LINE) -> list[str]:
    return [line.body for line in lines.matching(log_filter, NOON)]


def ids(lines: RecentLines) -> list[int]:
    return [line.id for line in lines.matching(EVERY_LINE, NOON)]


def test_the_newest_come_first_by_their_own_time_then_by_arrival() -> None:
    lines = RecentLines()
    lines.landed(7, [a_record("late", seconds_ago=60), a_record("a"), a_record("b")])
    lines.spooled([Batch([a_record("c")])])
    assert bodies(lines) == ["c", "b", "a", "late"]
    assert ids(lines) == [NO_ID, 9, 8, 7]


def test_the_filter_is_the_one_of_the_database() -> None:
    lines = RecentLines()
    lines.landed(1, [a_record("paid"), a_record("timed out", severity=17, service="cart")])
    assert bodies(lines, LogFilter(severity=Choice(("error",)))) == ["timed out"]
    assert bodies(lines, LogFilter(service=Choice((), ("cart",)))) == ["paid"]
    assert bodies(lines, LogFilter(q="TIMED")) == ["timed out"]


def test_a_spooled_line_gets_its_id_when_it_lands_and_is_there_once() -> None:
    lines = RecentLines()
    batch = [a_record("first"), a_record("second")]
    lines.spooled([Batch(batch)])
    lines.landed(40, [a_record("first"), a_record("second")])
    assert bodies(lines) == ["second", "first"]
    assert ids(lines) == [41, 40]
    # Sent again after that, it is a new line.
    lines.landed(50, batch)
    assert ids(lines) == [51, 50, 41, 40]


def test_a_batch_that_is_sent_again_while_it_waits_is_kept_once() -> None:
    lines = RecentLines()
    for _ in range(2):
        lines.spooled([Batch([a_record("paid")], key="retry-me")])
    assert bodies(lines) == ["paid"]
    lines.landed(5, [a_record("paid")])
    assert ids(lines) == [5]


def test_the_oldest_lines_go_when_there_are_too_many() -> None:
    lines = RecentLines(max_lines=10)
    lines.landed(1, [a_record(f"{n}") for n in range(1, 9)])
    lines.spooled([Batch([a_record(f"spooled {n}") for n in range(4)])])
    # 8 + 4 = 12: the two oldest go.
    expected = [*(f"spooled {n}" for n in (3, 2, 1, 0)), "8", "7", "6", "5", "4", "3"]
    assert bodies(lines) == expected
    assert lines.line(3) is not None
    assert lines.line(2) is None
    lines.landed(100, [a_record(f"new {n}") for n in range(10)])
    assert bodies(lines) == [f"new {n}" for n in range(9, -1, -1)]
    # What was forgotten is not expected any more.
    lines.landed(200, [a_record(f"spooled {n}") for n in range(4)])
    assert ids(lines)[:4] == [203, 202, 201, 200]


def test_part_of_a_batch_that_was_forgotten_leaves_the_rest_its_right_ids() -> None:
    lines = RecentLines(max_lines=4)
    batch = [a_record(f"{n}") for n in range(6)]
    lines.spooled([Batch(batch)])
    lines.landed(10, batch)
    assert [(line.id, line.body) for line in lines.matching(EVERY_LINE, NOON)] == [
        (15, "5"), (14, "4"), (13, "3"), (12, "2"),
    ]  # fmt: skip


def test_long_messages_count_by_their_size() -> None:
    lines = RecentLines(max_bytes=100)
    for n in range(5):
        lines.landed(n + 1, [a_record(f"{n}" * 38)])  # with `{}` 40 bytes each
    assert ids(lines) == [5, 4]

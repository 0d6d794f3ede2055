"""The publisher's window, with a Push that keeps what it is given in memory."""

import asyncio
import logging
from typing import Any

import pytest

from logstream.errors import PushFailed
from logstream.model import LogRecord
from logstream.notify.publisher import Publisher


class KeptPush:
    """A Push into a list; `gate` holds every send back, `broken` refuses it."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.running = 0
        self.most_running = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.broken: Exception | None = None

    async def send(self, group: str, frame: dict[str, Any]) -> None:
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await self.gate.wait()
            if self.broken is not None:
                raise self.broken
            self.sent.append((group, frame))
        finally:
            self.running -= 1

    def frames(self, group: str = "logs") -> list[dict[str, Any]]:
        return [frame for name, frame in self.sent if name == group]


def is_full(group: str) -> bool:
    """An audience that wants every frame whole."""
    return not group.startswith("logs-light")


def records(count: int, environment: str = "production") -> list[LogRecord]:
    return [
        LogRecord(
            timestamp_unix_nano=1_767_268_800_000_000_000 + index,
            observed_unix_nano=1_767_268_800_000_000_000,
            environment=environment,
            service_name="checkout",
            severity_number=9,
            body="payment accepted",
        )
        for index in range(count)
    ]


async def until(claim: Any) -> None:
    async with asyncio.timeout(10):
        while not claim():
            await asyncio.sleep(0.001)


async def test_the_first_lines_after_a_quiet_time_are_sent_without_waiting_for_the_window() -> None:
    push = KeptPush()
    publisher = Publisher(push, window_seconds=3600, has_audience=is_full)
    publisher.start()
    publisher.announce(1, records(3))
    await until(lambda: len(push.sent) == 2)
    assert sorted(name for name, _ in push.sent) == ["logs", "logs.production"]
    assert push.frames()[0]["total"] == 3
    await publisher.close()


async def test_what_lands_within_the_window_becomes_one_frame() -> None:
    push = KeptPush()
    publisher = Publisher(push, window_seconds=0.05, has_audience=is_full)
    publisher.start()
    publisher.announce(1, records(1))
    await until(lambda: len(push.sent) == 2)
    for call in range(20):
        publisher.announce(2 + 5 * call, records(5))
    await until(lambda: publisher.frames_sent == 2)
    frame = push.frames()[1]
    assert (frame["sequence"], frame["total"]) == (2, 100)
    assert (frame["firstId"], frame["lastId"]) == (2, 101)
    await publisher.close()
    assert len(push.sent) == 4


async def test_a_group_without_audience_is_sent_nothing_and_uses_up_no_number() -> None:
    push = KeptPush()
    audience: set[str] = set()
    publisher = Publisher(push, window_seconds=0.001, has_audience=audience.__contains__)
    publisher.start()
    publisher.announce(1, records(3))
    await asyncio.sleep(0.02)
    assert push.sent == []
    audience.add("logs")
    publisher.announce(4, records(2))
    await until(lambda: len(push.sent) == 1)
    audience.add("logs.production")
    publisher.announce(6, records(1))
    await until(lambda: len(push.sent) == 3)
    await publisher.close()
    assert [(name, frame["sequence"], frame["total"]) for name, frame in push.sent] == [
        ("logs", 1, 2),
        ("logs.production", 2, 1),
        ("logs", 2, 1),
    ]


async def test_environments_do_not_wait_for_each_other() -> None:
    push = KeptPush()
    publisher = Publisher(push, window_seconds=3600, has_audience=is_full)
    publisher.start()
    publisher.announce(1, records(1, "production"))
    await until(lambda: push.frames("logs.production"))
    publisher.announce(2, records(1, "staging"))
    await until(lambda: push.frames("logs.staging"))
    publisher.announce(3, records(1, "staging"))
    publisher.announce(4, records(1, "production"))
    await asyncio.sleep(0.02)
    assert len(push.frames("logs.production")) == len(push.frames("logs.staging")) == 1
    await publisher.close()
    assert [frame["firstId"] for frame in push.frames("logs.production")] == [1, 4]
    assert [frame["firstId"] for frame in push.frames("logs.staging")] == [2, 3]


async def test_while_a_send_is_running_frames_coalesce_and_sends_do_not_pile_up() -> None:
    push = KeptPush()
    publisher = Publisher(push, window_seconds=0.001, send_timeout_seconds=60, has_audience=is_full)
    publisher.start()
    push.gate.clear()
    for first_id in range(1, 101):
        publisher.announce(first_id, records(1))
        await asyncio.sleep(0.001)
    assert push.running == 2  # one frame, to its two groups
    push.gate.set()
    await until(lambda: sum(frame["total"] for frame in push.frames()) == 100)
    assert push.most_running == 2
    assert [frame["sequence"] for frame in push.frames()] == [1, 2]
    await publisher.close()


async def test_closing_sends_what_waits_and_a_second_close_is_harmless() -> None:
    push = KeptPush()
    publisher = Publisher(push, window_seconds=3600, has_audience=is_full)
    publisher.start()
    publisher.announce(1, records(1))
    await until(lambda: push.frames())
    publisher.announce(2, records(4))
    await publisher.close()
    await publisher.close()
    assert [frame["total"] for frame in push.frames()] == [1, 4]


async def test_what_is_announced_before_the_start_is_sent_after_it() -> None:
    push = KeptPush()
    publisher = Publisher(push)
    publisher.announce(1, records(2))
    publisher.start()
    await until(lambda: push.frames())
    assert push.frames()[0]["total"] == 2
    await publisher.close()


async def test_failures_are_counted_and_an_outage_is_logged_once_and_its_end_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "logstream.notify.publisher")
    push = KeptPush()
    push.broken = ConnectionRefusedError("nobody there")
    publisher = Publisher(push, window_seconds=0.001)
    publisher.start()
    for failures in (1, 2, 3):
        publisher.announce(failures, records(1))
        await until(lambda failures=failures: publisher.frames_failed == failures)
    assert publisher.last_error == "ConnectionRefusedError: nobody there"
    assert publisher.last_error_at is not None and publisher.frames_sent == 0
    push.broken = None
    publisher.announce(4, records(1))
    await until(lambda: publisher.frames_sent == 1)
    # Three numbers are missing: that is how a viewer knows.
    assert push.frames()[0]["sequence"] == 4
    await publisher.close()
    assert [entry.message.split(";")[0] for entry in caplog.records] == [
        "pushing to viewers fails (ConnectionRefusedError: nobody there)",
        "pushing works again",
    ]


async def test_a_hub_that_does_not_answer_is_given_up_and_the_next_frame_is_tried() -> None:
    push = KeptPush()
    push.gate.clear()
    publisher = Publisher(push, window_seconds=0.001, send_timeout_seconds=0.05)
    publisher.start()
    publisher.announce(1, records(1))
    await until(lambda: publisher.frames_failed == 1)
    assert publisher.last_error == "no answer within 0.05 s"
    assert push.running == 0
    push.gate.set()
    publisher.announce(2, records(1))
    await until(lambda: publisher.frames_sent == 1)
    await publisher.close()


async def test_announcing_never_raises_whatever_it_is_given() -> None:
    push = KeptPush()
    publisher = Publisher(push, window_seconds=0.001)
    publisher.start()
    publisher.announce(1, [object()])  # type: ignore[list-item]
    assert publisher.frames_failed == 1 and "AttributeError" in str(publisher.last_error)
    publisher.announce(2, records(1))
    await until(lambda: push.frames())
    await publisher.close()


async def test_slow_viewers_are_told_the_same_numbers_in_light_frames() -> None:
    push = KeptPush()
    audience = {"logs", "logs-light.production"}
    publisher = Publisher(push, window_seconds=0.001, has_audience=audience.__contains__)
    publisher.start()
    publisher.announce(1, records(150))
    await until(lambda: len(push.sent) == 2)
    audience.remove("logs")
    publisher.announce(151, records(1))
    await until(lambda: len(push.sent) == 3)
    await publisher.close()
    (whole,) = push.frames("logs")
    small, next_small = push.frames("logs-light.production")
    assert (len(whole["lines"]), small["total"], len(small["lines"]) <= 20) == (150, 150, True)
    assert (small["isLight"], small["isSample"]) == (True, True)
    assert whole["sequence"] == small["sequence"] == next_small["sequence"] - 1 == 1


async def test_the_problem_is_a_sentence_while_pushing_fails_and_empty_otherwise() -> None:
    push = KeptPush()
    publisher = Publisher(push, window_seconds=0.001)
    publisher.start()
    assert publisher.problem == ""
    push.broken = PushFailed("the hub at a.example refuses the access key", "compare it")
    publisher.announce(1, records(1))
    await until(lambda: publisher.problem)
    assert publisher.problem == "pushing fails: the hub at a.example refuses the access key"
    push.broken = None
    publisher.announce(2, records(1))
    await until(lambda: publisher.problem == "")
    await publisher.close()


async def test_a_probe_finds_out_at_the_start_and_later_though_no_line_lands() -> None:
    push = KeptPush()
    push.broken = PushFailed("the hub is away")
    publisher = Publisher(push, probe_seconds=0.01)
    publisher.start()
    await until(lambda: publisher.problem == "pushing fails: the hub is away")
    assert publisher.frames_failed == 0 and publisher.last_error_at is not None
    push.broken = None
    await until(lambda: publisher.problem == "")
    probes = len(push.sent)
    assert push.frames("probe") == [{"type": "probe"}]
    await asyncio.sleep(0.1)
    assert len(push.sent) == probes  # one that works is left in peace
    await publisher.close()

"""Named incidents: what breaks, how, and the truth about it.

An incident changes the physics (how long work takes, what fails, how many come, who is
silent), never only the text; what follows at the callers follows from that.
"""

from dataclasses import dataclass
from random import Random
from typing import Any, ClassVar, Protocol

from logstream.errors import SettingsError
from logstream.model import NANOS_PER_SECOND, iso_time
from logstream.simulate.journeys import Operation
from logstream.simulate.services import Fleet, next_version


@dataclass(frozen=True)
class Effect:
    """What an incident does to one span.

    Own work takes `slower` times as long; with chance `stall_share` it also stalls for about
    `stall_ms`; with chance `fail_share` it fails with the message of `fail_moment` and status
    `fail_status`.
    """

    slower: float = 1.0
    stall_share: float = 0.0
    stall_ms: float = 0.0
    fail_share: float = 0.0
    fail_moment: str = "fail"
    fail_status: int = 500


_NONE = Effect()


class Scene(Protocol):
    """What an incident may touch while it lasts."""

    rng: Random
    fleet: Fleet

    def say(self, service: str, moment: str, **facts: Any) -> None:
        """Write one line of that service now."""
        ...


@dataclass(frozen=True)
class Incident:
    """One incident from `start_unix_nano` (included) to `end_unix_nano` (excluded)."""

    name: ClassVar[str]
    kind: ClassVar[str]
    service: ClassVar[str]
    description: ClassVar[str]
    silenced: ClassVar[str] = ""
    start_unix_nano: int
    end_unix_nano: int

    def effect(self, operation: Operation, elapsed: float) -> Effect:
        """What happens to a span of the operation `elapsed` seconds after the start."""
        return _NONE

    def traffic(self, elapsed: float) -> float:
        """The rate as a multiple of what it would be."""
        return 1.0

    def begin(self, scene: Scene) -> None:
        """Lines and changes of the first moment."""

    def tick(self, scene: Scene, second: int) -> None:
        """Lines and changes after each whole second, counted from the start."""

    def finish(self, scene: Scene) -> None:
        """Lines and changes of the last moment."""

    def truth(self, until_unix_nano: int | None = None) -> dict[str, str]:
        """The row of the truth file; `until_unix_nano` cuts an incident that was stopped."""
        end = self.end_unix_nano
        return {
            "incident": self.name,
            "kind": self.kind,
            "service": self.service,
            "from": iso_time(self.start_unix_nano),
            "to": iso_time(end if until_unix_nano is None else min(end, until_unix_nano)),
            "description": self.description,
        }


class PaymentTimeouts(Incident):
    """The acquirer stops answering; the gateway's pool fills; checkouts wait and fail."""

    name = "payment-timeouts"
    kind = "dependency_timeout"
    service = "payment-gateway"
    description = "The card acquirer answers 3 of 4 charges too late; checkouts retry and fail."

    def effect(self, operation: Operation, elapsed: float) -> Effect:
        if operation.name != "payment-gateway charge":
            return _NONE
        return Effect(slower=2.0, stall_share=0.75, stall_ms=9_000)

    def tick(self, scene: Scene, second: int) -> None:
        if second % 5 == 3:
            scene.say("payment-gateway", "pool-exhausted")
        if second % 20 == 15:
            scene.say("api-gateway", "circuit-open", peer="checkout")


class MemoryLeak(Incident):
    """The inventory's heap fills over a minute, collections pause it, it dies and restarts."""

    name = "memory-leak"
    kind = "memory_leak"
    service = "inventory"
    description = "A reservation index is never emptied: GC pauses, OutOfMemoryError, restart."
    life_seconds: ClassVar[int] = 54
    down_seconds: ClassVar[int] = 6

    def _phase(self, elapsed: float) -> float:
        return elapsed % (self.life_seconds + self.down_seconds)

    def _heap_percent(self, phase: float) -> int:
        return min(99, round(48 + 52 * phase / self.life_seconds))

    def effect(self, operation: Operation, elapsed: float) -> Effect:
        if operation.service != self.service:
            return _NONE
        phase = self._phase(elapsed)
        if phase >= self.life_seconds:
            return Effect(fail_share=1.0, fail_moment="refusing", fail_status=503)
        pressure = max(0.0, (phase / self.life_seconds - 0.35) / 0.65)
        return Effect(1 + 6 * pressure, stall_share=0.5 * pressure, stall_ms=1_400 * pressure)

    def tick(self, scene: Scene, second: int) -> None:
        phase = round(self._phase(second))
        heap = self._heap_percent(phase)
        if phase == 0 and second > 0:
            self._restart(scene)
        elif phase == self.life_seconds:
            entries = 6_400_000 + scene.rng.randint(0, 90_000)
            scene.say(self.service, "oom", entries=entries)
            scene.say("cluster", "idle")
            scene.say(self.service, "killed")
        elif phase < self.life_seconds:
            if second % 4 == 0:
                scene.say(self.service, "heap", heap=heap, entries=heap * 64_000)
            if heap > 70:
                scene.say(
                    self.service,
                    "gc-pressure",
                    heap=heap,
                    gc_share=(heap - 60) * 2,
                    heap_mb=heap * 10 + 4,
                    heap_after=heap * 10 - 2,
                )

    def finish(self, scene: Scene) -> None:
        self._restart(scene)

    def _restart(self, scene: Scene) -> None:
        scene.fleet.restart(self.service)
        scene.say(self.service, "boot")
        scene.say(self.service, "boot")


class BadDeploy(Incident):
    """A new checkout version fails at baskets without a discount, until it is rolled back."""

    name = "bad-deploy"
    kind = "bad_deploy"
    service = "checkout"
    description = "A new version of checkout throws a NullPointerException at 15 % of orders."

    def effect(self, operation: Operation, elapsed: float) -> Effect:
        if operation.name != "checkout place":
            return _NONE
        return Effect(fail_share=0.15, fail_moment="new-exception")

    def begin(self, scene: Scene) -> None:
        scene.fleet.deploy(self.service, next_version(scene.fleet.version(self.service)))
        scene.say(self.service, "deploy")
        for _ in scene.fleet.pods[self.service]:
            scene.say(self.service, "boot")

    def finish(self, scene: Scene) -> None:
        bad = scene.fleet.version(self.service)
        scene.fleet.roll_back(self.service)
        scene.say(self.service, "rollback", bad_version=bad)
        scene.say(self.service, "boot")


class TrafficSpike(Incident):
    """A newsletter brings six times the visitors; queues grow, some are turned away."""

    name = "traffic-spike"
    kind = "traffic_spike"
    service = "web-frontend"
    description = "A campaign multiplies the traffic by 6: queues, 429 answers, autoscaling."
    peak: ClassVar[float] = 6.0
    ramp_seconds: ClassVar[float] = 10.0

    def traffic(self, elapsed: float) -> float:
        return 1 + (self.peak - 1) * min(1.0, elapsed / self.ramp_seconds)

    def effect(self, operation: Operation, elapsed: float) -> Effect:
        if operation.service == "api-gateway":
            return Effect(2.0, fail_share=0.04, fail_moment="throttle", fail_status=429)
        return Effect(slower=1.6)

    def tick(self, scene: Scene, second: int) -> None:
        if second % 10 == 1:
            scene.say("web-frontend", "campaign")
        if second % 15 == 8:
            scene.say("cluster", "scale")
        if second % 4 == 2:
            scene.say("api-gateway", "overload")


class SlowDatabase(Incident):
    """A schema change holds a lock on the orders table; statements queue behind it."""

    name = "slow-database"
    kind = "slow_database"
    service = "orders-db"
    description = "A migration locks the orders table: lock waits, slow orders and checkouts."

    def effect(self, operation: Operation, elapsed: float) -> Effect:
        if operation.service != self.service:
            return _NONE
        return Effect(slower=3.0, stall_share=0.6, stall_ms=1_900)

    def begin(self, scene: Scene) -> None:
        scene.say(self.service, "blocker")

    def tick(self, scene: Scene, second: int) -> None:
        if second % 2 == 0:
            scene.say(self.service, "lock-wait")
        if second % 12 == 9:
            scene.say(self.service, "deadlock")


class SilentService(Incident):
    """The notification service goes on working but its log lines no longer arrive."""

    name = "silent-service"
    kind = "silence"
    service = "notification"
    description = "The notification service stops writing log lines."
    silenced = "notification"


INCIDENTS: dict[str, type[Incident]] = {
    kind.name: kind
    for kind in (
        PaymentTimeouts,
        MemoryLeak,
        BadDeploy,
        TrafficSpike,
        SlowDatabase,
        SilentService,
    )
}


def make_incident(name: str, start_unix_nano: int, seconds: float) -> Incident:
    """The named incident over that time. Raises SettingsError for an unknown name."""
    kind = INCIDENTS.get(name)
    if kind is None:
        raise SettingsError(f"incident '{name}' is not known", f"use one of {', '.join(INCIDENTS)}")
    return kind(start_unix_nano, start_unix_nano + round(seconds * NANOS_PER_SECOND))


def recurring_incident(
    number: int, *, seed: int, start_unix_nano: int, every_seconds: float, seconds: float
) -> Incident:
    """The `number`-th (from 0) of an endless series: each incident once in a round, shuffled.

    The first begins half an interval after the start.
    """
    round_number, place = divmod(number, len(INCIDENTS))
    rng = Random(f"{seed}/incidents/{round_number}")  # noqa: S311 - a simulation, not a secret
    names = rng.sample(list(INCIDENTS), len(INCIDENTS))
    begin = start_unix_nano + round((number + 0.5) * every_seconds * NANOS_PER_SECOND)
    return make_incident(names[place], begin, seconds)

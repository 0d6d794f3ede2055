"""The shop: everything that happens, in the order of time, from a seed and a start.

Pure: no clock, no network. What comes out depends on the seed, the start and the plan alone,
not on how often it is asked for.
"""

import heapq
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

from logstream.model import NANOS_PER_SECOND, iso_time
from logstream.simulate.incidents import Incident, recurring_incident
from logstream.simulate.journeys import JOURNEYS
from logstream.simulate.request import FollowUp, Request, fill
from logstream.simulate.rhythm import daily_rhythm
from logstream.simulate.services import LANGUAGES, Fleet, Pod
from logstream.simulate.spans import Exchange, resource_spans
from logstream.simulate.templates import load_templates
from logstream.simulate.vocabulary import Facts, shopper

# Half of what happens is a journey or a job, half a single line without a request. A test
# holds the mean number of lines of one happening to this figure.
LINES_PER_HAPPENING = 5.9
BACKGROUND_SHARE = 0.5
_RARE_IDLE = {"debug": 0.5, "warn": 0.5, "error": 0.3, "fatal": 0.9}


@dataclass(frozen=True)
class Recurring:
    """A random incident every so often, for demonstrations."""

    every_seconds: float
    seconds: float = 90.0


class Shop:
    """An online shop writing `lines_per_second` log lines on the mean of a day.

    `is_steady` leaves the daily rhythm out. Incidents must not begin before the start.
    """

    def __init__(
        self,
        seed: int,
        start_unix_nano: int,
        lines_per_second: float,
        *,
        environment: str = "demo",
        incidents: Sequence[Incident] = (),
        recurring: Recurring | None = None,
        is_steady: bool = False,
    ) -> None:
        self.rng = Random(seed)  # noqa: S311 - a simulation, not a secret
        self.fleet = Fleet(self.rng)
        self.finished: list[Incident] = []
        self._seed = seed
        self._start_unix_nano = start_unix_nano
        self._rate = lines_per_second / LINES_PER_HAPPENING
        self._environment = environment
        self._recurring = recurring
        self._is_steady = is_steady
        self._templates = load_templates()
        self._active: list[Incident] = []
        self._silences: list[Incident] = []
        self._numbers = itertools.count()
        self._orders = 0
        self._now = start_unix_nano
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._lines: list[tuple[int, int, dict[str, Any]]] = []
        self._spans: list[tuple[int, int, Exchange]] = []
        self._services = [service for service in LANGUAGES if service != "cluster"]
        self._journeys = [name for name, _ in JOURNEYS]
        self._weights = list(itertools.accumulate(weight for _, weight in JOURNEYS))
        for incident in incidents:
            self._schedule(incident)
        if recurring is not None:
            self._schedule_recurring(0)
        self._at(start_unix_nano, self._happen)

    @property
    def running(self) -> list[Incident]:
        """The incidents that have begun and not ended."""
        return list(self._active)

    def lines_until(self, unix_nano: int) -> list[dict[str, Any]]:
        """The records of our API not yet given with a time before this one, oldest first."""
        self._play_until(unix_nano)
        ready = []
        while self._lines and self._lines[0][0] < unix_nano:
            moment, _, record = heapq.heappop(self._lines)
            if not self._is_silent(record["source"], moment):
                ready.append(record)
        return ready

    def spans_until(self, unix_nano: int) -> list[bytes]:
        """The spans not yet given that ended before this time, as members of `resourceSpans`."""
        self._play_until(unix_nano)
        ready = []
        while self._spans and self._spans[0][0] < unix_nano:
            moment, _, exchange = heapq.heappop(self._spans)
            if not self._is_silent(exchange.pod.service, moment):
                ready.append(resource_spans(exchange, self._environment))
        return ready

    def forget_spans(self) -> None:
        """Drop the spans not yet given: nobody will ask for them."""
        self._spans.clear()

    def say(self, service: str, moment: str, **extra: Any) -> None:
        """Write one line that belongs to no request, now."""
        pod = self.fleet.any_pod(service, self.rng)
        candidates = self._templates[service][moment]
        template = candidates[int(self.rng.random() * len(candidates))]
        if moment == "idle" and self.rng.random() >= _RARE_IDLE.get(template.severity, 1.0):
            template = next(c for c in candidates if c.severity == "info")
        facts = shopper(self.rng, self._orders)
        facts.update(
            service=service, pod=pod.name, version=pod.version, language=LANGUAGES[service]
        )
        facts.update(extra)
        metadata: dict[str, Any] = {**pod.attributes}
        message = fill(template, facts, service, self.rng, metadata)
        self._write(self._now, pod, template.severity, message, metadata)

    def _play_until(self, unix_nano: int) -> None:
        while self._events and self._events[0][0] < unix_nano:
            self._now, _, event = heapq.heappop(self._events)
            event()

    def _at(self, unix_nano: int, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (unix_nano, next(self._numbers), event))

    def _happen(self) -> None:
        """One arrival of the Poisson process, and the time of the next."""
        if self.rng.random() < BACKGROUND_SHARE:
            is_cluster = self.rng.random() < 0.03
            index = int(self.rng.random() * len(self._services))
            self.say("cluster" if is_cluster else self._services[index], "idle")
        else:
            pick = self.rng.random() * self._weights[-1]
            index = next(i for i, weight in enumerate(self._weights) if pick < weight)
            self._orders += 1
            self._request(self._journeys[index], shopper(self.rng, self._orders))
        rate = self._rate
        if not self._is_steady:
            rate *= daily_rhythm(self._now / NANOS_PER_SECOND, self._seed)
        for incident in self._active:
            rate *= incident.traffic((self._now - incident.start_unix_nano) / NANOS_PER_SECOND)
        gap = self.rng.expovariate(rate)
        self._at(self._now + int(gap * NANOS_PER_SECOND) + 1, self._happen)

    def _request(
        self, operation_name: str, facts: Facts, sent_by: tuple[str, str] | None = None
    ) -> None:
        start = self._now
        request = Request(
            rng=self.rng,
            fleet=self.fleet,
            templates=self._templates,
            incidents=self._active,
            facts=facts,
            start_unix_nano=start,
            write=self._write,
            tell=self._tell,
            sent_by=sent_by,
        )
        request.walk(operation_name)
        for follow_up in request.follow_ups:
            self._follow(start, follow_up, facts)

    def _follow(self, start: int, follow_up: FollowUp, facts: Facts) -> None:
        delay_ms = follow_up.after_ms + self.rng.uniform(50, 800)
        event = partial(self._request, follow_up.operation_name, facts, follow_up.sent_by)
        self._at(start + int(delay_ms * 1_000_000), event)

    def _schedule(self, incident: Incident) -> None:
        self._at(incident.start_unix_nano, lambda: self._begin(incident))

    def _schedule_recurring(self, number: int) -> None:
        if self._recurring is None:
            return
        incident = recurring_incident(
            number,
            seed=self._seed,
            start_unix_nano=self._start_unix_nano,
            every_seconds=self._recurring.every_seconds,
            seconds=self._recurring.seconds,
        )
        self._schedule(incident)
        self._at(incident.end_unix_nano, lambda: self._schedule_recurring(number + 1))

    def _begin(self, incident: Incident) -> None:
        self._active.append(incident)
        if incident.silenced:
            self._silences.append(incident)
        incident.begin(self)
        self._at(incident.start_unix_nano + NANOS_PER_SECOND, lambda: self._tick(incident, 1))
        self._at(incident.end_unix_nano, lambda: self._finish(incident))

    def _tick(self, incident: Incident, second: int) -> None:
        following = incident.start_unix_nano + (second + 1) * NANOS_PER_SECOND
        if self._now < incident.end_unix_nano:
            incident.tick(self, second)
            self._at(following, lambda: self._tick(incident, second + 1))

    def _finish(self, incident: Incident) -> None:
        self._active.remove(incident)
        incident.finish(self)
        self.finished.append(incident)

    def _is_silent(self, service: str, unix_nano: int) -> bool:
        return any(
            incident.silenced == service
            and incident.start_unix_nano <= unix_nano < incident.end_unix_nano
            for incident in self._silences
        )

    def _write(
        self, unix_nano: int, pod: Pod, severity: str, message: str, metadata: dict[str, Any]
    ) -> None:
        # Go's clock prints nanoseconds, the others' microseconds.
        if LANGUAGES[pod.service] != "go":
            unix_nano -= unix_nano % 1_000
        record = {
            "source": pod.service,
            "message": message,
            "severity": severity,
            "createdAt": iso_time(unix_nano),
            "environment": self._environment,
            "metadata": metadata,
        }
        heapq.heappush(self._lines, (unix_nano, next(self._numbers), record))

    def _tell(self, exchange: Exchange) -> None:
        heapq.heappush(self._spans, (exchange.end_unix_nano, next(self._numbers), exchange))

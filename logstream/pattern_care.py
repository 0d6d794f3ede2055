"""The worker's care for patterns: new skeletons join their groups within seconds."""

import time

import psycopg

from logstream.care import Care
from logstream.explain import pattern_upkeep

# A service is grouped again after so many times what grouping it took: at most this share of
# one core goes into it, however many new messages a service invents.
_REST_FACTOR = 20.0
_QUICK_SECONDS = 0.1


class PatternCare(Care):
    """Cares for the patterns of one database while its `with` block runs."""

    def __init__(self, url: str) -> None:
        super().__init__(url, "patterns")
        self._seen_to = 0
        # Services that took long, and when they may be grouped again.
        self._rests: dict[str, float] = {}

    def work(self, connection: psycopg.Connection) -> bool:
        """Gather examples, then group every service that has something new."""
        self._seen_to = pattern_upkeep.gather_examples(connection, self._seen_to)
        now = time.monotonic()
        self._rests = {service: until for service, until in self._rests.items() if until > now}
        for service in pattern_upkeep.waiting_services(connection):
            if service in self._rests:
                continue
            self.pause()
            started = time.monotonic()
            pattern_upkeep.group_service(connection, service)
            took = time.monotonic() - started
            if took > _QUICK_SECONDS:
                self._rests[service] = started + took * _REST_FACTOR
        return False

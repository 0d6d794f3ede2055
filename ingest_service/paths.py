"""Which route or probe a path belongs to."""

import re
from collections.abc import Iterable

from ingest_service.protocols import PROBES, ROUTES
from ingest_service.protocols.protocol import Probe, Route

_PLACE = re.compile(r"\\\{\w+\\\}")


class Paths:
    """Routes and probes by path. Exact paths are found by one look-up."""

    def __init__(self, entries: Iterable[Route | Probe]) -> None:
        self._exact: dict[str, dict[str, Route | Probe]] = {}
        self._patterns: list[tuple[re.Pattern[str], dict[str, Route | Probe]]] = []
        patterns: dict[str, dict[str, Route | Probe]] = {}
        for entry in entries:
            group = patterns if "{" in entry.path else self._exact
            known = group.setdefault(entry.path, {})
            for method in entry.methods:
                if method in known:
                    raise ValueError(f"{method} {entry.path} is routed twice")
                known[method] = entry
        for path, by_method in patterns.items():
            self._patterns.append((_pattern(path), by_method))

    def find(self, path: str, method: str = "") -> dict[str, Route | Probe] | None:
        """What answers at the path, by method; None when it is not ours.

        A pattern of a single segment fits every page of the service, so it is ours only for
        the methods it names.
        """
        found = self._exact.get(path)
        if found is not None:
            return found
        if len(path) > 1 and path[-1] == "/":
            found = self._exact.get(path.rstrip("/"))
            if found is not None:
                return found
        for pattern, by_method in self._patterns:
            if pattern.fullmatch(path) and (method in by_method or path.find("/", 1, -1) > 0):
                return by_method
        return None


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(_PLACE.sub("[^/]+", re.escape(path)) + "/?")


PATHS = Paths((*ROUTES, *PROBES))

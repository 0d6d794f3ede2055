"""The numbers of several ingest processes, shown as if one had counted everything."""

from collections.abc import Iterator, Sequence

import msgspec
from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Sample

from logstream import metrics

# How a gauge of several processes is shown as one; all others are added up.
_SMALLEST = ("logstream_database_up", "process_start_time_seconds")
_LARGEST = (
    "python_info",
    "process_max_fds",
    "logstream_spool_nearly_full",
    "logstream_spool_oldest_seconds",
)

SampleKey = tuple[str, tuple[tuple[str, str], ...]]


class Report(msgspec.Struct, frozen=True):
    """What one process, or several together, counted since start.

    `families` has the samples of each family of the registry, as (name, labels, value).
    """

    families: dict[str, list[tuple[str, dict[str, str], float]]]
    lines_per_second: list[tuple[int, int]]
    last_push_error: str | None = None
    last_push_error_at: float | None = None
    push_problem: str = ""

    def without_gauges(self) -> "Report":
        """What stays true of a process that has ended."""
        counting = {
            family.name for family in REGISTRY.collect() if family.type in ("counter", "histogram")
        }
        kept = {name: rows for name, rows in self.families.items() if name in counting}
        return Report(kept, self.lines_per_second)


def report(
    last_push_error: str | None = None,
    last_push_error_at: float | None = None,
    push_problem: str = "",
) -> Report:
    """This process's numbers."""
    metrics.PROCESSES.set(1)
    return Report(
        {
            family.name: [(sample.name, sample.labels, sample.value) for sample in family.samples]
            for family in REGISTRY.collect()
        },
        metrics.ACCEPTED_PER_SECOND.series(),
        last_push_error,
        last_push_error_at,
        push_problem,
    )


class Totals:
    """The reports of all processes as if one had counted everything."""

    def __init__(self, reports: Sequence[Report]) -> None:
        self._families: dict[str, dict[SampleKey, float]] = {}
        for one in reports:
            for family, samples in one.families.items():
                known = self._families.setdefault(family, {})
                for name, labels, value in samples:
                    key = (name, tuple(labels.items()))
                    known[key] = _together(name, known[key], value) if key in known else value
        rates: dict[int, int] = {}
        for one in reports:
            for second, lines in one.lines_per_second:
                rates[second] = rates.get(second, 0) + lines
        # The first report is our own: its seconds are the ones to show.
        seconds = reports[0].lines_per_second if reports else []
        self.lines_per_second = [(second, rates[second]) for second, _ in seconds]
        newest = max(reports, key=lambda one: one.last_push_error_at or 0, default=None)
        self.last_push_error = newest.last_push_error if newest else None
        self.last_push_error_at = newest.last_push_error_at if newest else None
        self.push_problem = next((one.push_problem for one in reports if one.push_problem), "")

    def collect(self) -> Iterator[Metric]:
        """The families as a registry would give them."""
        for family in REGISTRY.collect():
            summed = Metric(family.name, family.documentation, family.type, family.unit)
            summed.samples = [
                Sample(name, dict(labels), value)
                for (name, labels), value in self._families.get(family.name, {}).items()
            ]
            yield summed

    def as_report(self) -> Report:
        """The totals in the form that can be added up again."""
        return Report(
            {
                family: [(name, dict(labels), value) for (name, labels), value in samples.items()]
                for family, samples in self._families.items()
            },
            self.lines_per_second,
            self.last_push_error,
            self.last_push_error_at,
            self.push_problem,
        )

    def value(self, metric: Counter | Gauge) -> int:
        """The total of a counter or gauge without labels, as a whole number."""
        return int(self.amount(metric))

    def amount(self, metric: Counter | Gauge) -> float:
        """The total of a counter or gauge without labels."""
        return sum(value for _, value in self._samples(metric))

    def by_label(self, counter: Counter, label: str) -> dict[str, int]:
        """The counter's totals by one of its labels, most first."""
        totals: dict[str, int] = {}
        for (_, labels), value in self._samples(counter):
            name = dict(labels)[label]
            totals[name] = totals.get(name, 0) + int(value)
        return dict(sorted(totals.items(), key=lambda item: -item[1]))

    def buckets(self, histogram: Histogram) -> list[tuple[float, int]]:
        """(upper bound, count in this bucket alone), lowest first, the last bound infinite."""
        found: list[tuple[float, int]] = []
        below = 0
        for (name, labels), value in self._samples(histogram):
            if name.endswith("_bucket"):
                found.append((float(dict(labels)["le"]), int(value) - below))
                below = int(value)
        return found

    def _samples(self, metric: Counter | Gauge | Histogram) -> list[tuple[SampleKey, float]]:
        family = next(iter(metric.describe())).name
        return [
            (key, value)
            for key, value in self._families.get(family, {}).items()
            if not key[0].endswith("_created")
        ]


def _together(name: str, one: float, other: float) -> float:
    if name in _SMALLEST or name.endswith("_created"):
        return min(one, other)
    return max(one, other) if name in _LARGEST else one + other

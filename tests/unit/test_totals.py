"""Several processes' numbers, added up."""

from collections.abc import Iterator

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from logstream import metrics
from logstream.totals import Report, Totals, report


def report_of(
    name: str, samples: list[tuple[str, dict[str, str], float]], lines: int = 0
) -> Report:
    return Report({name: samples}, [(1_767_268_800, lines)])


def landing(below_10_ms: int, below_100_ms: int) -> Report:
    """A histogram's samples as a registry gives them: each bucket holds the ones below it."""
    total = below_10_ms + below_100_ms
    return report_of(
        "logstream_land_seconds",
        [
            ("logstream_land_seconds_bucket", {"le": "0.01"}, below_10_ms),
            ("logstream_land_seconds_bucket", {"le": "0.1"}, total),
            ("logstream_land_seconds_bucket", {"le": "+Inf"}, total),
            ("logstream_land_seconds_count", {}, total),
        ],
    )


def test_counters_add_up_by_label() -> None:
    name = "logstream_lines_rejected"
    totals = Totals(
        [
            report_of(name, [(f"{name}_total", {"format": "native", "reason": "bad"}, 2)], 7),
            report_of(
                name,
                [
                    (f"{name}_total", {"format": "native", "reason": "bad"}, 3),
                    (f"{name}_total", {"format": "native", "reason": "too_large"}, 9),
                ],
                5,
            ),
        ]
    )
    assert totals.by_label(metrics.LINES_REJECTED, "reason") == {"too_large": 9, "bad": 5}
    assert totals.lines_per_second == [(1_767_268_800, 12)]


def test_quantiles_are_those_of_all_observations_together() -> None:
    # 10 + 30 landings took up to 10 ms, 50 + 10 took 10 to 100 ms.
    totals = Totals([landing(10, 50), landing(30, 10)])
    buckets = totals.buckets(metrics.LAND_SECONDS)
    assert buckets == [(0.01, 40), (0.1, 60), (float("inf"), 0)]
    # The 50th of 100 is the 10th of the 60 in the second bucket: 0.01 + 0.09 x 10 / 60.
    assert metrics.bucket_quantile(buckets, 0.5) == pytest.approx(0.025)


def test_the_database_is_up_when_every_process_reaches_it() -> None:
    name = "logstream_database_up"
    up, down = (report_of(name, [(name, {}, value)]) for value in (1.0, 0.0))
    assert Totals([up, up]).value(metrics.DATABASE_UP) == 1
    assert Totals([up, down]).value(metrics.DATABASE_UP) == 0


def test_an_ended_process_keeps_its_counts_and_loses_its_gauges() -> None:
    ended = report_of("logstream_pending_bytes", [("logstream_pending_bytes", {}, 512)])
    families = {**ended.families, **landing(1, 2).families}
    kept = Report(families, ended.lines_per_second).without_gauges()
    assert list(kept.families) == ["logstream_land_seconds"]


@pytest.fixture
def own() -> Iterator[Report]:
    before = metrics.BODY_BYTES.labels("a test")
    before.inc(40)
    yield report()
    metrics.BODY_BYTES.remove("a test")


def test_two_processes_are_exposed_as_one_with_twice_the_counts(own: Report) -> None:
    text = generate_latest(Totals([own, own])).decode()  # type: ignore[arg-type]
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["logstream_body_bytes_total", "a test"] == 80
    assert samples[("logstream_processes",)] == 2
    assert Totals([Totals([own, own]).as_report()]).value(metrics.PROCESSES) == 2

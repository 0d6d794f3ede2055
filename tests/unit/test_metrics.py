"""The numbers LogStream tells about itself."""

from prometheus_client import CollectorRegistry, Histogram, generate_latest

from logstream import metrics


def test_observing_many_values_equals_observing_each() -> None:
    # On a bound, between bounds, below the first and beyond the last.
    values = [0.5, 1.0, 1.5, 2.0, 2.0, 7.0, 0.0]
    texts = []
    for observe in (
        lambda histogram: [histogram.observe(value) for value in values],
        lambda histogram: metrics.observe_all(histogram, values),
    ):
        registry = CollectorRegistry()
        observe(Histogram("seconds", "", buckets=(1.0, 2.0, 5.0), registry=registry))
        texts.append(
            [line for line in generate_latest(registry).splitlines() if b"_created" not in line]
        )
    assert texts[0] == texts[1]


def test_a_quantile_lies_in_the_bucket_its_rank_falls_into() -> None:
    histogram = Histogram("s", "", buckets=(1.0, 2.0), registry=CollectorRegistry())
    assert metrics.quantile(histogram, 0.5) is None
    metrics.observe_all(histogram, [0.5, 1.5, 1.5, 1.5])
    # Rank 2 of 4: the first of three in (1, 2].
    assert metrics.quantile(histogram, 0.5) == 1.0 + 1 / 3

"""Random traces under random filters: list and shape mean what the predicate means."""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

import msgspec
import pytest

from logstream.durations import step_of
from logstream.filter import Choice, LogFilter
from logstream.model import NANOS_PER_SECOND, Span, to_datetime
from logstream.query.trace_reader import PostgresTraceReader
from logstream.trace_port import TraceSummary
from tests.records import NOON, a_span
from tests.trace_predicate import is_meant
from tests.trace_store import Lines, TraceStore

SERVICES = ("checkout", "cart", "payment-gateway", "café", "50%")
NAMES = ("GET /cart", "POST /pay", "charge card", "SELECT orders", "50% off_x", "ΟΔΟΣ İst")
ENVIRONMENTS = ("production", "staging")
SORTS = ("newest", "longest", "errors", "spans")
TERMS = (
    *("duration>20", "duration>=20ms", "duration<1s", "duration:20", "spans>2", "spans:1"),
    *("errors>0", "status:error", "status:ok", 'root:"GET /cart"', "root:*card", "root:checkout"),
    *("root:*", "trace:abc123", "env:staging", "service:cart", "service:c*", "service:cart,50%"),
    *('operation:"charge card"', "operation:GET*", "name:*off_x", "kind:server", "kind:CLIENT"),
    *("latency>10", "latency<=0", "http.status_code:500", "http.status_code>=404", "region:eu"),
    *("http.route:/cart/*", "order.id:*", "card", "50%", "off_x", "declined", "18", "1841"),
    *('"charge card"', "/decl.ned/", "/^get/", "οδος", "eu", "no-such-word", "nested:1"),
)


def a_random_trace(generator: random.Random, number: int) -> Iterator[Span]:
    trace_id = generator.choice(("abc123", f"{number:032x}", f"{number:016x}"))
    environment = generator.choice(ENVIRONMENTS)
    start_ms = -1_000 * generator.choice((0, 30, 90, 900, generator.uniform(0, 90_000)))
    for place in range(generator.choice((1, 1, 2, 3, 8))):
        attributes: dict[str, object] = {}
        if generator.random() < 0.6:
            attributes["http.status_code"] = generator.choice((200, 404, 500, "500", 500.0))
        if generator.random() < 0.3:
            attributes["http.route"] = generator.choice(("/cart/{id}", "/pay"))
        if generator.random() < 0.3:
            attributes["region"] = generator.choice(("eu", "EU", "us", None, True))
        if generator.random() < 0.3:
            attributes["order.id"] = generator.choice((1841, "18", 'a "b" \\ c', ["x", 18]))
        if generator.random() < 0.1:
            attributes["nested"] = {"a": 1, "eu": [1, 2]}
        yield msgspec.structs.replace(
            a_span(
                f"{number:08x}{place:08x}",
                parent=generator.choice((None, "f" * 16)) if place else None,
                name=generator.choice(NAMES),
                start_ms=start_ms + generator.choice((0, 1, 2.5)) * place,
                duration_ms=generator.choice((0, -1, 5, 20, 20, 700, 2_000)),
                service=generator.choice(SERVICES),
                kind=generator.choice(("server", "client", "internal")),
                environment=environment,
                trace_id=trace_id,
                nanos=generator.choice((0, 1, 999)),
                attributes=json.dumps(attributes, ensure_ascii=False).encode(),
            ),
            status=generator.choice(("unset", "ok", "error")),
            status_message=generator.choice((None, "card declined", "50% DECLINED")),
        )


def a_random_query(generator: random.Random, depth: int = 0) -> str:
    parts = []
    for _ in range(generator.choice((1, 1, 2, 3)) if depth else generator.choice((0, 1, 1, 2))):
        part = generator.choice(TERMS)
        if depth < 2 and generator.random() < 0.3:
            part = f"({a_random_query(generator, depth + 1)})"
        parts.append(f"-{part}" if generator.random() < 0.2 else part)
    return generator.choice((" ", " ", " OR ")).join(parts)


def a_random_filter(generator: random.Random) -> LogFilter:
    def choice(values: tuple[str, ...], chance: float) -> Choice:
        if generator.random() > chance:
            return Choice()
        picked = generator.sample(values, k=generator.randrange(1, 3))
        cut = generator.randrange(len(picked) + 1)
        return Choice(tuple(picked[:cut]), tuple(picked[cut:]))

    seconds = sorted(generator.choice((0, -30, -90, -900, -40_000)) for _ in range(2))
    start, end = (to_datetime(NOON + one * NANOS_PER_SECOND) for one in seconds)
    has_bounds = generator.random() < 0.3 and start < end
    return LogFilter(
        environment=choice(ENVIRONMENTS, 0.2),
        service=choice(SERVICES, 0.3),
        severity=choice(("error", "fatal", "warn"), 0.2),
        trace_id=generator.choice(("", "", "", "", "abc123", f"{7:016x}")),
        q=a_random_query(generator),
        range_text=generator.choice(("", "", "90s", "15m", "1h")) if not has_bounds else "",
        start=start if has_bounds else None,
        end=end if has_bounds else None,
    )


def ordered(traces: list[TraceSummary], sort: str) -> list[TraceSummary]:
    values: dict[str, Callable[[TraceSummary], int]] = {
        "newest": lambda trace: 0,
        "longest": lambda trace: trace.duration_nano,
        "errors": lambda trace: trace.error_count + trace.error_line_count,
        "spans": lambda trace: trace.span_count,
    }
    return sorted(
        traces,
        key=lambda one: (values[sort](one), one.start_unix_nano, one.trace_id, one.environment),
        reverse=True,
    )


@pytest.mark.parametrize("seed", [3, 17])
def test_random_questions_mean_the_same_traces_as_the_predicate(
    traces: TraceStore, trace_reader: PostgresTraceReader, seed: int
) -> None:
    print("seed", seed)
    generator = random.Random(seed)
    spans = [span for number in range(300) for span in a_random_trace(generator, number)]
    generator.shuffle(spans)
    lines = [
        Lines(
            f"{number:032x}",
            "production",
            NOON - generator.randrange(90_000) * NANOS_PER_SECOND,
            generator.choice((0, 5_000_000)),
            generator.randrange(1, 9),
            generator.choice((0, 0, 1)),
            generator.sample(SERVICES, 2),
        )
        for number in range(0, 400, 5)
    ]
    stored = traces.store(spans, lines)
    of_trace: dict[tuple[str, str], list[Span]] = {}
    for span in spans:
        of_trace.setdefault((span.trace_id, span.environment), []).append(span)
    sizes: Counter[bool] = Counter()
    for _ in range(200):
        wanted = a_random_filter(generator)
        meant = [
            one
            for one in stored
            if is_meant(wanted, one, of_trace.get((one.trace_id, one.environment), []), NOON)
        ]
        sizes[bool(meant)] += 1
        sort = generator.choice(SORTS)
        page = trace_reader.traces(wanted, sort=sort, limit=1_000, now_unix_nano=NOON)
        assert page.traces == ordered(meant, sort), (wanted.q, wanted)
        assert (page.cursor, page.is_complete) == (None, True)
        found: list[TraceSummary] = []
        cursor = None
        while True:
            page = trace_reader.traces(
                wanted, sort=sort, limit=40, now_unix_nano=NOON, cursor=cursor
            )
            found += page.traces
            cursor = page.cursor
            if cursor is None:
                break
        assert found == ordered(meant, sort), (wanted.q, wanted)
        shape = trace_reader.trace_shape(wanted, points=50, now_unix_nano=NOON)
        failed = [one for one in meant if one.error_count + one.error_line_count]
        assert (shape.total, shape.error_total) == (len(meant), len(failed))
        assert shape.steps == Counter(step_of(one.duration_nano) for one in meant)
        assert len(shape.points) == min(50, len(meant))
        durations = sorted(one.duration_nano for one in meant)
        if durations:
            # The first duration that half of them, or 99 %, do not exceed.
            assert shape.p50_nano == durations[-(-len(durations) // 2) - 1]
            assert shape.p99_nano == durations[-(-99 * len(durations) // 100) - 1]
        assert replace(wanted, q=wanted.q.strip()) == LogFilter.from_url(wanted.to_url())
    assert min(sizes[True], sizes[False]) > 10, sizes

"""Random lines under random filters: every question means what the predicate means."""

import random
from collections import Counter
from dataclasses import replace

import pytest

from logstream.filter import Choice, LogFilter
from logstream.model import NANOS_PER_SECOND, LogRecord, Severity, to_datetime
from logstream.query.reader import PostgresReader
from logstream.text_query import folded
from tests.contract.conftest import Store
from tests.random_searches import is_readable
from tests.records import NOON, a_record

WORDS = (
    *(
        "card",
        "Card",
        "50%",
        "a_b",
        "a\\b",
        "'quoted'",
        '"said"',
        "\\",
        "%",
        "_",
        "--",
        "tab\there",
    ),
    *("İstanbul", "istanbul", "ISTANBUL", "ıstanbul", "straße", "STRASSE", "ẞ", "ΟΔΟΣ", "οδος"),
    *("οδοσ", "K", "k", "Å", "å", "É", "é", "e\u0301", "ǅ", "ЗАКАЗ", "заказ", "😀", "ﬁ", "\u00a0"),
    *("line\nbreak", "$1", "{}", "[x]", "(y)", "*", "?", "^", "Ⅷ", "ⅷ", "Ａ", "ａ", "𐐀", "𐐨"),
)
SERVICES = ("checkout", "Checkout", "a,b", "-dash", "back\\slash", "50%", "café")
ENVIRONMENTS = ("production", "staging", "pr-7")
TRACES = ("abc123", "00f067aa0ba902b7", "4bf92f3577b34da6a3ce929d0e0e4736", "with space")


def a_random_record(generator: random.Random) -> LogRecord:
    # Many on a whole second or minute, where bounds are.
    ago = generator.choice((0, 30, 60, 90, 900, 930, 3600, generator.uniform(-90_000, 7200)))
    return a_record(
        " ".join(generator.choices(WORDS, k=generator.randrange(4))),
        seconds_ago=ago,
        nanos=generator.choice((0, 0, 1, 999, 1000)),
        service=generator.choice(SERVICES),
        severity=generator.randrange(1, 25),
        environment=generator.choice(ENVIRONMENTS),
        trace_id=generator.choice((None, *TRACES)),
    )


def a_random_choice(generator: random.Random, values: tuple[str, ...]) -> Choice:
    if generator.random() < 0.6:
        return Choice()
    picked = generator.sample(values, k=min(len(values), generator.randrange(1, 4)))
    cut = generator.randrange(len(picked) + 1)
    return Choice(tuple(picked[:cut]), tuple(picked[cut:]))


def a_random_filter(generator: random.Random) -> LogFilter:
    words = generator.choices([word for word in WORDS if '"' not in word], k=2)
    q = generator.choice(
        (
            *("", "", words[0], f"-{words[0]}", f'"{words[0]} {words[1]}"', words[0][:1]),
            *("service:checkout,café", "-env:staging severity:err", "trace:abc123"),
            *(f'"{words[0]}" OR "{words[1]}"', f'-("{words[0]}" OR service:checkout)'),
            *("severity>=error OR trace:abc123", "(env:staging OR severity<warn) -service:c*"),
            f'(service:checkout "{words[0]}") OR (env:staging "{words[1]}")',
        )
    )
    if not is_readable(q):
        q = f'"{q}"'
    times = sorted(
        NOON
        + generator.choice((0, -30, -60, -90, -900, generator.uniform(-7200, 60)))
        * NANOS_PER_SECOND
        for _ in range(2)
    )
    start, end = (to_datetime(int(moment)) for moment in times)
    kind = generator.randrange(5)
    asked = LogFilter(
        environment=a_random_choice(generator, ENVIRONMENTS),
        service=a_random_choice(generator, SERVICES),
        severity=a_random_choice(generator, tuple(severity.word for severity in Severity)),
        trace_id=generator.choice(("", "", "", *TRACES)),
        q=q,
        range_text=generator.choice(("90s", "2m", "15m", "1h", "1d")) if kind == 0 else "",
        start=start if kind in (1, 2) and start < end else None,
        end=end if kind in (1, 3) and start < end else None,
    )
    return replace(asked, q=asked.q.strip())  # a URL's values have no blank ends


@pytest.mark.parametrize("seed", [3, 17])
async def test_random_questions_mean_the_same_lines_as_the_predicate(
    store: Store, reader: PostgresReader, seed: int
) -> None:
    generator = random.Random(seed)
    await store.land(*(a_random_record(generator) for _ in range(500)))
    lines = reader.recent(LogFilter(), limit=10_000, now_unix_nano=NOON)
    assert len(lines) == 500
    for _ in range(120):
        asked = a_random_filter(generator)
        meant = [line for line in lines if asked.matches(line, NOON)]
        found = reader.recent(asked, limit=1_000, now_unix_nano=NOON)
        assert [line.id for line in found] == [line.id for line in meant], asked
        first_page = reader.recent(asked, limit=7, now_unix_nano=NOON)
        assert first_page == meant[:7], asked
        by_word = Counter(Severity.of(line.severity_number).word for line in meant)
        breakdown = dict(reader.severity_breakdown(asked, now_unix_nano=NOON))
        assert {word: count for word, count in breakdown.items() if count} == by_word, asked
        for field, value in (("service", "service_name"), ("env", "environment")):
            wider = asked.without(field)
            counts = Counter(getattr(line, value) for line in lines if wider.matches(line, NOON))
            assert dict(reader.facet(asked, field, limit=50, now_unix_nano=NOON)) == counts, asked
        if asked.range_text or asked.start is not None:
            for seconds in (60, 300):
                buckets = reader.trend(asked, bucket_seconds=seconds, now_unix_nano=NOON)
                assert sum(bucket.total for bucket in buckets) == len(meant), asked
                assert sum(b.error for b in buckets) == by_word["error"] + by_word["fatal"], asked
        assert LogFilter.from_url(asked.to_url()) == asked


async def test_letters_are_folded_one_by_one(store: Store, reader: PostgresReader) -> None:
    await store.land(*(a_record(word) for word in WORDS))
    lines = reader.recent(LogFilter(), limit=1_000, now_unix_nano=NOON)
    for word in WORDS:
        asked = LogFilter(q=f'"{word}"' if '"' not in word else word)
        found = {line.body for line in reader.recent(asked, limit=1_000, now_unix_nano=NOON)}
        assert found == {
            line.body for line in lines if folded(word.strip('"')) in folded(line.body)
        }

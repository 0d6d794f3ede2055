"""The shop's ordinary days: coherent requests, a lifelike mix, the same again for one seed."""

import re
from collections import Counter, defaultdict
from datetime import datetime
from random import Random
from statistics import mean

import msgspec
import pytest

from logstream.model import NANOS_PER_SECOND, to_unix_nano
from logstream.ports import Arrival
from logstream.receive.native_json import decode
from logstream.simulate.journeys import OPERATIONS
from logstream.simulate.rhythm import daily_rhythm
from logstream.simulate.shop import Shop
from logstream.simulate.stack_traces import stack_trace
from logstream.simulate.templates import load_templates, parse_templates
from logstream.simulate.vocabulary import DRAWS, shopper

START = 1_790_000_000 * NANOS_PER_SECOND  # 2026-09-21 14:13:20 UTC


def seconds(count: float) -> int:
    return START + int(count * NANOS_PER_SECOND)


def unix_nano(record: dict) -> int:
    text = record["createdAt"].removesuffix("Z")
    whole, _, decimals = text.partition(".")
    base = to_unix_nano(datetime.fromisoformat(whole + "+00:00"))
    return base + int(decimals.ljust(9, "0"))


@pytest.fixture(scope="module")
def quiet_lines() -> list[dict]:
    """About 50,000 lines without an incident: 250 s at 200 lines a second."""
    return Shop(11, START, 200, is_steady=True).lines_until(seconds(255))


@pytest.fixture(scope="module")
def spans(quiet_lines: list[dict]) -> dict[str, tuple[int, int, dict]]:
    """(start, end, metadata) by span id, from the lines that end a span."""
    found = {}
    for record in quiet_lines:
        metadata = record["metadata"]
        if "latency" in metadata:
            end = unix_nano(record)
            start = end - round(metadata["latency"] * 1_000_000)
            found[metadata["spanId"]] = (start, end, {**metadata, "source": record["source"]})
    return found


def test_the_same_seed_and_start_give_the_same_records_however_often_asked() -> None:
    at_once = Shop(5, START, 100).lines_until(seconds(20))
    shop, in_pieces = Shop(5, START, 100), []
    for tenth in range(1, 201):
        in_pieces += shop.lines_until(seconds(tenth / 10))
    assert len(at_once) > 1_000
    assert in_pieces == at_once


def test_another_seed_gives_other_records() -> None:
    one = Shop(5, START, 100).lines_until(seconds(5))
    other = Shop(6, START, 100).lines_until(seconds(5))
    assert {line["message"] for line in one} != {line["message"] for line in other}


def test_lines_come_in_the_order_of_their_time_and_never_before_it() -> None:
    shop, last = Shop(5, START, 200), START
    for step in range(1, 101):
        for record in shop.lines_until(seconds(step / 10)):
            # Times are cut to the microsecond, so a line may look a microsecond older.
            assert last - 1_000 <= unix_nano(record) < seconds(step / 10)
            last = unix_nano(record)


def test_the_rate_is_the_mean_asked_for(quiet_lines: list[dict]) -> None:
    # 255 s at 200 a second = 51,000; one request writes tens of lines, hence the 5 %.
    assert 51_000 * 0.95 < len(quiet_lines) < 51_000 * 1.05


def test_there_are_about_200_distinct_templates() -> None:
    assert 180 <= len(load_templates().distinct_texts()) <= 260


def test_a_template_line_that_cannot_be_read_is_named() -> None:
    with pytest.raises(ValueError, match="line 2: 'done loud Shouting'"):
        parse_templates("[cart]\ndone loud Shouting\n")


def test_every_place_in_every_template_can_be_filled() -> None:
    of_any_line = {"service", "pod", "version", "language", "trace"}
    of_a_request = {*DRAWS, *shopper(Random(1), 1), *of_any_line}
    of_a_span = {
        *("operation", "method", "route", "path", "status", "ms", "expected", "timeout"),
        *("upstream", "peer", "attempt", "retries", "reason", "call_ms"),
    }
    without_a_span = {
        *("boot", "deploy", "pool-exhausted", "campaign", "scale", "killed", "idle", "overload"),
        *("lock-wait", "deadlock", "blocker"),
    }
    of_an_incident = {
        **{moment: set() for moment in without_a_span},
        "heap": {"heap", "entries"},
        "gc-pressure": {"heap", "gc_share", "heap_mb", "heap_after"},
        "oom": {"entries"},
        "rollback": {"bad_version"},
        "circuit-open": {"peer"},
    }
    templates = load_templates()
    for section in templates:
        for moment, found in templates[section].items():
            known = of_a_request | of_an_incident.get(moment, of_a_span)
            for template in found:
                places = re.findall(r"\{(\w+)\}", template.text + template.exception)
                assert set(places) <= known, (section, moment, template.text)


def test_every_operation_has_words_for_its_end() -> None:
    templates = load_templates()
    for operation in OPERATIONS.values():
        for moment in ("done", "refused", "fail", "stalled", "gave-up"):
            assert templates[operation.name][moment]


def test_the_severity_mix_is_like_productions(quiet_lines: list[dict]) -> None:
    counts = Counter(record["severity"] for record in quiet_lines)
    percent = {word: 100 * count / len(quiet_lines) for word, count in counts.items()}
    bounds = {
        "trace": (0.6, 1.6),
        "debug": (9, 15),
        "info": (75, 83),
        "warn": (4.5, 7.5),
        "error": (1.2, 2.4),
        "fatal": (0.002, 0.06),
    }
    for word, (low, high) in bounds.items():
        assert low <= percent.get(word, 0) <= high, (word, percent)


def test_all_services_of_the_shop_write_lines(quiet_lines: list[dict]) -> None:
    assert len({record["source"] for record in quiet_lines}) == 18


def test_ids_have_the_form_of_the_trace_context(quiet_lines: list[dict]) -> None:
    for record in quiet_lines:
        metadata = record["metadata"]
        if "traceId" in metadata:
            assert re.fullmatch(r"[0-9a-f]{32}", metadata["traceId"])
            assert re.fullmatch(r"[0-9a-f]{16}", metadata["spanId"])
            assert re.fullmatch(r"[0-9a-f]{16}", metadata.get("parentSpanId", "0" * 16))
        assert metadata["host.name"].startswith(record["source"])
        assert re.fullmatch(r"\d+\.\d+\.\d+", metadata["service.version"])


def test_every_parent_exists_and_holds_its_children(
    quiet_lines: list[dict], spans: dict[str, tuple[int, int, dict]]
) -> None:
    # Requests still under way at the end have parents that have not spoken yet.
    last_root_start = seconds(220)
    checked = 0
    for start, end, metadata in spans.values():
        if "parentSpanId" not in metadata or start > last_root_start:
            continue
        parent_start, parent_end, parent = spans[metadata["parentSpanId"]]
        assert parent["traceId"] == metadata["traceId"]
        # Each end is cut to the microsecond, and so is each latency.
        assert parent_start - 2_000 <= start
        assert end <= parent_end + 2_000
        checked += 1
    assert checked > 5_000


def test_calls_made_one_after_the_other_add_up_inside_their_caller(
    spans: dict[str, tuple[int, int, dict]],
) -> None:
    children = defaultdict(list)
    for _, _, metadata in spans.values():
        children[metadata.get("parentSpanId")].append(metadata["latency"])
    own_ms = [
        metadata["latency"] - sum(children[span_id])
        for span_id, (_, _, metadata) in spans.items()
        if metadata["source"] == "orders" and metadata["latency"] < 50
    ]
    assert len(own_ms) > 200
    assert min(own_ms) > 0
    # create 9 ms and status 4 ms of work of their own, plus statements that wrote no line.
    assert 4 < mean(own_ms) < 16


def test_every_line_of_a_span_lies_inside_it(
    quiet_lines: list[dict], spans: dict[str, tuple[int, int, dict]]
) -> None:
    for record in quiet_lines:
        span = spans.get(record["metadata"].get("spanId", ""))
        if span is not None:
            assert span[0] - 2_000 <= unix_nano(record) <= span[1] + 2_000


def test_a_few_users_are_seen_far_more_often_than_the_rest(quiet_lines: list[dict]) -> None:
    traces = {(r["metadata"].get("traceId"), r["metadata"].get("user.id")) for r in quiet_lines}
    visits = sorted(Counter(user for _, user in traces if user).values(), reverse=True)
    assert visits[0] > 10 * visits[len(visits) // 2]


def test_a_placed_order_is_confirmed_to_the_same_customer(quiet_lines: list[dict]) -> None:
    placed, confirmed = {}, {}
    for record in quiet_lines:
        metadata = record["metadata"]
        if record["message"].startswith("Order ORD-") and "placed by" in record["message"]:
            placed[metadata["order.id"]] = metadata["user.id"]
        elif record["message"].startswith("E-mail order_confirmation"):
            confirmed[metadata["order.id"]] = metadata["user.id"]
    assert len(confirmed) > 100
    assert all(placed[order] == user for order, user in confirmed.items())


def test_http_lines_carry_opentelemetry_names(quiet_lines: list[dict]) -> None:
    record = next(r for r in quiet_lines if r["message"].startswith("method=GET path=/v1/products"))
    metadata = record["metadata"]
    assert metadata["http.request.method"] == "GET"
    assert metadata["http.route"] == "/v1/products/:sku"
    assert metadata["http.response.status_code"] in (200, 500, 502, 504)
    assert metadata["span.name"] == "GET /v1/products/:sku"


def test_our_own_decoder_takes_every_line(quiet_lines: list[dict]) -> None:
    lines = quiet_lines[:5_000]
    body = b"\n".join(map(msgspec.json.encode, lines))
    decoded = decode(Arrival(body, START, "production"))
    assert decoded.rejects == []
    assert [record.service_name for record in decoded.records] == [r["source"] for r in lines]
    assert {record.environment for record in decoded.records} == {"demo"}


def test_the_daily_rhythm_averages_out_to_one() -> None:
    day = [daily_rhythm(1_790_000_000 + minute * 60, seed=3) for minute in range(1_440)]
    assert abs(mean(day) - 1) < 0.01
    assert min(day) >= 0.6
    assert max(day) <= 1.4


@pytest.mark.parametrize(
    ("language", "mark"),
    [
        ("java", "\n\tat com.shop.cart."),
        ("python", "Traceback (most recent call last):\n"),
        ("node", "\n    at async "),
        ("go", "goroutine 4117 [running]:"),
    ],
)
def test_stack_traces_look_like_their_language(language: str, mark: str) -> None:
    rng = Random(1)
    for _ in range(50):
        trace = stack_trace(language, "cart", "Broken: it broke", rng)
        assert mark in trace
        assert "Broken: it broke" in trace
        assert 5 <= len(trace.splitlines()) <= 40


def test_a_user_always_lives_in_the_same_place() -> None:
    rng, places = Random(2), defaultdict(set)
    for number in range(2_000):
        facts = shopper(rng, number)
        places[facts["user"]].add((facts["city"], facts["ip"], facts["currency"]))
    assert all(len(found) == 1 for found in places.values())

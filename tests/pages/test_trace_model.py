"""What the waterfall makes of a trace, in a real Chromium without a page around its scripts."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from logstream.show.traces.waterfall import WATERFALL

pytestmark = pytest.mark.browser
BEGIN = 1_795_425_000_000_000_000  # Monday 2026-11-23 09:10 UTC, in nanoseconds
MS = 1_000_000


@pytest.fixture(scope="module")
def scripts(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    page.add_script_tag(content=WATERFALL.script().replace("export default", "void"))
    yield page
    page.close()


def span(
    key: str, parent: str | None, start: float, duration: float, **told: Any
) -> dict[str, Any]:
    return {
        "spanId": key,
        "parentSpanId": parent,
        "service": "shop",
        "environment": "production",
        "name": key,
        "kind": "internal",
        "startUnixNano": str(BEGIN + int(start * MS)),
        "durationNano": int(duration * MS),
        "selfTimeNano": int(duration * MS),
        "status": "unset",
        "statusMessage": None,
        "derived": False,
        "warnings": [],
        **told,
    }


def tree(page: Page, *spans: dict[str, Any], then: str = "", **answer: Any) -> list[str]:
    """The rows as `··name`, two dots a level; `then` is run with `trace` and `rows` first."""
    told = {"traceId": "ab12", "spans": spans, "logs": [], "warnings": [], **answer}
    drawn: list[str] = page.evaluate(
        f"""told => {{
            const trace = new Trace(told);
            const rows = new VisibleRows();
            rows.use(trace);
            {then};
            const nameOf = (row) => row.item?.line?.message ?? row.item?.message ?? (row.node.name
                || `${{row.kind}} ${{row.node.id}}`);
            return rows.rows.map((row) => "··".repeat(row.depth) + nameOf(row));
        }}""",
        json.loads(json.dumps(told)),
    )
    return drawn


def test_children_stand_under_their_parents_in_the_order_of_their_starts(scripts: Page) -> None:
    rows = tree(
        scripts,
        span("a", None, 0, 100),
        span("c", "a", 50, 10),
        span("b", "a", 10, 30),
        span("b1", "b", 12, 5),
    )
    assert rows == ["a", "··b", "····b1", "··c"]


def test_a_parent_that_has_not_arrived_is_a_row_of_its_own(scripts: Page) -> None:
    rows = tree(
        scripts,
        span("a", None, 0, 100),
        span("x", "gone", 20, 5),
        span("y", "gone", 10, 5),
    )
    assert rows == ["a", "unknown gone", "··y", "··x"]


def test_several_roots_are_all_there(scripts: Page) -> None:
    rows = tree(scripts, span("b", None, 5, 1), span("a", None, 0, 1), span("b1", "b", 5, 1))
    assert rows == ["a", "b", "··b1"]


def test_a_circle_of_parents_is_cut_at_its_earliest_span(scripts: Page) -> None:
    rows = tree(
        scripts,
        span("c", "b", 30, 10),
        span("a", "c", 10, 10),
        span("b", "a", 20, 10),
        span("self", "self", 40, 10),
        then="if (!trace.byKey.get('a').warnings[0].includes('in a circle')) throw new Error()",
    )
    assert rows == ["a", "··b", "····c", "self"]


def test_two_halves_of_a_call_with_one_id_are_caller_and_callee(scripts: Page) -> None:
    rows = tree(
        scripts,
        span("1", None, 0, 50, kind="client", name="calls", service="shop"),
        span("1", None, 5, 30, kind="server", name="is called", service="stock"),
        span("2", "1", 10, 5, name="asks the database", service="stock"),
        span("3", "1", 40, 5, name="writes it down", service="shop"),
    )
    # The child of each half is of its own service.
    assert rows == ["calls", "··is called", "····asks the database", "··writes it down"]


def test_spans_with_one_id_keep_apart_by_their_keys(scripts: Page) -> None:
    keys = "rows.rows.forEach((row) => (row.node.name = row.node.key))"
    assert tree(scripts, span("1", None, 0, 5), span("1", None, 9, 5), then=keys) == ["1", "1~2"]


def test_zero_and_negative_durations_end_where_they_start(scripts: Page) -> None:
    then = """
        const { start, end } = trace.byKey.get('back');
        if (end !== start || trace.duration !== 10e6) throw new Error(`${start} ${end}`)"""
    rows = tree(
        scripts,
        span("a", None, 0, 10),
        span("zero", "a", 2, 0),
        span("back", "a", 5, -3),
        then=then,
    )
    assert rows == ["a", "··zero", "··back"]


def test_lines_and_exceptions_stand_among_the_children_by_time(scripts: Page) -> None:
    def line(at: float, message: str, key: str | None) -> dict[str, Any]:
        return {
            "id": 1,
            "message": message,
            "source": "shop",
            "severity": "info",
            "spanId": key,
            # BEGIN is 09:10:00.
            "createdAt": f"2026-11-23T09:10:00.{int(at * MS):09d}Z",
        }

    thrown = {"timeUnixNano": str(BEGIN + 40 * MS), "type": "KeyError", "message": "no price"}
    spans = (span("a", None, 0, 100, exceptions=[thrown]), span("b", "a", 20, 10))
    lines = [line(5, "early", "a"), line(30, "between", "a"), line(60, "alone", None)]
    assert tree(scripts, *spans, logs=lines) == [
        "a",
        "··early",
        "··b",
        "··between",
        "··no price",
        "lines ",
        "··alone",
    ]
    without = "rows.withLines = false; rows.renew()"
    assert tree(scripts, *spans, logs=lines, then=without) == ["a", "··b", "··no price", "lines "]


def test_levels_fold_and_unfold_the_whole_tree(scripts: Page) -> None:
    spans = (
        span("a", None, 0, 100),
        span("b", "a", 10, 30),
        span("c", "b", 12, 5),
        span("d", "c", 12, 1),
    )
    assert tree(scripts, *spans, then="rows.foldFrom(0)") == ["a"]
    assert tree(scripts, *spans, then="rows.foldFrom(2)") == ["a", "··b", "····c"]
    one_less = "rows.foldFrom(Math.min(rows.deepest, rows.level) - 1)"
    assert tree(scripts, *spans, then=one_less) == ["a", "··b", "····c"]
    assert tree(scripts, *spans, then="rows.foldFrom(1); rows.reveal(trace.byKey.get('d'))") == [
        "a",
        "··b",
        "····c",
        "······d",
    ]


def test_correcting_clocks_moves_spans_with_their_part_of_the_critical_path(scripts: Page) -> None:
    # The server's clock is 10 ms ahead: it ends at 35, after the client's 30.
    spans = (
        span("client", None, 0, 30, kind="client"),
        {**span("server", "client", 15, 20, kind="server"), "shiftNano": -10 * MS},
    )
    path = [
        {
            "spanId": "server",
            "startUnixNano": str(BEGIN + 15 * MS),
            "endUnixNano": str(BEGIN + 30 * MS),
        }
    ]
    skew = [{"spanId": "server", "shiftNano": -10 * MS}]
    told = {"traceId": "ab12", "spans": spans, "logs": [], "criticalPath": path, "clockSkew": skew}
    seen = scripts.evaluate(
        """told => [false, true].map((isCorrected) => {
            const trace = new Trace(told);
            trace.correct(isCorrected);
            const server = trace.byKey.get('server');
            const critical = server.start + server.critical[0][0];
            return [server.start, trace.to, critical].map((nanos) => nanos / 1e6);
        })""",
        told,
    )
    assert seen == [[15, 35, 15], [5, 30, 5]]


def test_a_chain_of_fifty_thousand_calls_is_drawn_without_running_out_of_stack(
    scripts: Page,
) -> None:
    count = scripts.evaluate(
        f"""() => {{
            const spans = Array.from({{length: 50_000}}, (_, n) => ({{
                spanId: `s${{n}}`, parentSpanId: n ? `s${{n - 1}}` : null, service: "deep",
                name: "call", kind: "internal", startUnixNano: String({BEGIN}n + BigInt(n)),
                durationNano: 100_000 - n, selfTimeNano: 1, status: "unset", warnings: [],
            }}));
            const rows = new VisibleRows();
            const trace = new Trace({{traceId: "ab", spans, logs: []}});
            rows.use(trace);
            mergedCalls(trace);
            return rows.rows.length;
        }}"""
    )
    assert count == 50_000


@pytest.mark.parametrize(
    ("nanos", "words"),
    [
        (0, "0 ns"),
        (950, "950 ns"),
        (1_500, "1.5 µs"),
        (12_345_678, "12.3 ms"),
        (842 * MS, "842 ms"),
        (999_960_000, "1 s"),
        (61_000 * MS, "1 min 1 s"),
        (3_600_000 * MS, "1 h"),
        (90_000_000 * MS, "1 d 1 h"),
        (-3 * MS, "−3 ms"),
    ],
)
def test_durations_in_words(scripts: Page, nanos: int, words: str) -> None:
    assert scripts.evaluate("durationWords", nanos) == words


def test_statistics_add_up_by_service_and_operation(scripts: Page) -> None:
    spans = [
        span("a", None, 0, 100, selfTimeNano=40 * MS),
        span("b", "a", 10, 30, name="ask", service="db"),
        span("c", "a", 50, 30, name="ask", service="db", status="error"),
    ]
    told = {"traceId": "ab", "spans": spans, "logs": []}
    by = scripts.evaluate(
        """told => groupsOf(new Trace(told).spans, "operation").map(
            (g) => [g.service, g.operation, g.count, g.errors,
                ...[g.total, g.self, g.p95, g.ofAll].map((nanos) => nanos / 1e6)])""",
        told,
    )
    # Own time of all: 40 + 30 + 30.
    assert by == [["shop", "a", 1, 0, 100, 40, 100, 100], ["db", "ask", 2, 1, 60, 60, 30, 100]]


def test_the_flame_graph_merges_the_same_way_down(scripts: Page) -> None:
    spans = [
        span("a", None, 0, 100, selfTimeNano=10 * MS),
        span("b", "a", 0, 60, name="ask", service="db"),
        span("c", "a", 0, 60, name="ask", service="db"),
    ]
    told = {"traceId": "ab", "spans": spans, "logs": []}
    top = scripts.evaluate(
        """told => {
            const [a] = mergedCalls(new Trace(told)).children.values();
            const [ask] = a.children.values();
            return [a.value / 1e6, a.self / 1e6, ask.count, ask.value / 1e6];
        }""",
        told,
    )
    # 10 of its own and 60 + 60 below, which ran at the same time.
    assert top == [130, 10, 2, 120]


def test_longer_than_its_kind_counts_whole_steps(scripts: Page) -> None:
    # 1 ms is step 39 (4 · log2(1000) = 39.9): 60 of 80 lie in steps below.
    words = scripts.evaluate("longerThan({10: 40, 38: 20, 39: 15, 50: 5}, 1e6)")
    assert words == "longer than 75 % of its kind in 24 h (80 spans)"
    assert scripts.evaluate("longerThan({10: 4}, 1e6)") == ""
    assert scripts.evaluate("longerThan(null, 1e6)") == ""


def test_a_span_years_away_leaves_the_others_their_room(scripts: Page) -> None:
    year = 365 * 86_400_000.0
    spans = [span(f"s{n}", None, n, 5) for n in range(4)]
    seen = scripts.evaluate(
        """(all) => all.map((spans) => {
            const trace = new Trace({traceId: "ab", spans, logs: []});
            const { from, to } = crowdOf(trace);
            return (to - from) / 1e6;
        })""",
        [
            spans,
            [*spans, span("old", None, -56 * year, 5)],
            [*spans, span("an hour", None, 100, 5)],
        ],
    )
    # From 0 to 3 + 5; a span that is only a tenth of a second later belongs to them.
    assert seen == [8, 8, 105]


def test_an_event_whose_time_is_none_does_no_harm(scripts: Page) -> None:
    thrown = [{"timeUnixNano": time, "type": "E", "message": "m"} for time in ("soon", 1.5, None)]
    assert tree(scripts, span("a", None, 0, 9, exceptions=thrown)) == ["a", "··m", "··m", "··m"]

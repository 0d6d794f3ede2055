"""How what is told about traces agrees with Jaeger, CRISP and Zipkin.

    python scripts/eval/traces.py [FOLDER]

FOLDER (or LOGSTREAM_EVAL_DATA; else ../shared/data beside the repository) holds `traces`:
Jaeger UI's test cases of the critical path, CRISP's with exclusive times, Zipkin's traces with
the links its own DependencyLinker gives, and traces of TrainTicket and Online Boutique with the
spans CRISP finds critical.

Jaeger and CRISP disagree on one thing: a child that still runs when the next one begins. To
Jaeger nobody waited for it; CRISP forgives an overlap of up to 1 % of their parent. We follow
Jaeger, so every disagreement with CRISP must have such an overlap, or it is a mistake of ours.
"""

import json
import lzma
import os
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from logstream.model import Span
from logstream.ports import Arrival
from logstream.query.critical_path import critical_path
from logstream.query.service_links import service_links
from logstream.query.span_tree import SpanTree, end_of, tree_of, without_copies
from logstream.receive.zipkin import decode

FORGIVEN_SHARE = 0.01
MICRO = 1_000


def jaeger_spans(trace: dict[str, Any]) -> list[Span]:
    """The spans of a trace in Jaeger's JSON."""
    spans = []
    for one in trace["spans"]:
        tags = {tag["key"]: tag["value"] for tag in one.get("tags") or ()}
        references = one.get("references") or ()
        spans.append(
            Span(
                trace_id=trace["traceID"],
                span_id=one["spanID"],
                parent_span_id=references[0]["spanID"] if references else None,
                environment="",
                service_name=trace["processes"][one["processID"]]["serviceName"],
                name=one["operationName"],
                kind=tags.get("span.kind", "internal"),
                start_unix_nano=one["startTime"] * MICRO,
                duration_nano=one["duration"] * MICRO,
                observed_unix_nano=0,
            )
        )
    return spans


def sections(tree: SpanTree) -> list[tuple[str, int, int]]:
    """The critical path as Jaeger writes it: (span, start, end), microseconds."""
    return [
        (tree.spans[one.place].span_id, one.start_unix_nano // MICRO, one.end_unix_nano // MICRO)
        for one in critical_path(tree)
    ]


def exclusive_times(trees: Iterable[SpanTree]) -> dict[str, int]:
    """Microseconds on the critical path by operation, as CRISP writes it."""
    times: Counter[str] = Counter()
    for tree in trees:
        for one in critical_path(tree):
            span = tree.spans[one.place]
            nanos = one.end_unix_nano - one.start_unix_nano
            times[f"[{span.service_name}] {span.name}"] += nanos // MICRO
    return dict(times)


class Overlap(NamedTuple):
    """A span that runs on into its next sibling, for so short that CRISP forgives it."""

    name: str
    sibling: str
    nanos: int
    share: float


def forgiven_overlap(tree: SpanTree, at: int) -> Overlap | None:
    """That of the span, or of one above it; None when there is none."""
    place: int | None = at
    while place is not None and (parent := tree.parents[place]) is not None:
        span, above = tree.spans[place], tree.spans[parent]
        for other in tree.children[parent]:
            sibling = tree.spans[other]
            nanos = min(end_of(span), end_of(above)) - sibling.start_unix_nano
            is_next = span.start_unix_nano < sibling.start_unix_nano
            if is_next and 0 <= nanos < FORGIVEN_SHARE * above.duration_nano:
                return Overlap(span.name, sibling.name, nanos, nanos / above.duration_nano)
        place = parent
    return None


def in_words(overlaps: Sequence[Overlap]) -> str:
    """Each pair of operations once, with the longest of its overlaps."""
    longest: dict[tuple[str, str], Overlap] = {}
    for one in sorted(overlaps, key=lambda overlap: overlap.nanos):
        longest[one.name, one.sibling] = one
    return "; ".join(
        f"{one.name} runs up to {one.nanos / 1e6:g} ms ({one.share:.2%}) into {one.sibling}"
        for one in longest.values()
    )


def _spans(count: int) -> str:
    return f"{count} span" if count == 1 else f"{count} spans"


def evaluate_jaeger(folder: Path) -> tuple[int, int, list[str]]:
    """Cases with exactly Jaeger's sections, all cases, and what differs."""
    cases, differing = json.loads((folder / "jaeger-ui-critical-path.json").read_text()), []
    for case in cases:
        ours = sections(tree_of(jaeger_spans(case["trace"])))
        theirs = [(s["spanID"], s["sectionStart"], s["sectionEnd"]) for s in case["sections"]]
        if ours != theirs:
            differing.append(f"Jaeger case {case['case']}: ours {ours}, Jaeger's {theirs}")
    return len(cases) - len(differing), len(cases), differing


def evaluate_crisp(folder: Path) -> tuple[int, int, list[str], list[str]]:
    """Cases with exactly CRISP's times, all cases, differences explained and not."""
    cases = json.loads((folder / "crisp-cases.json").read_text())
    explained, unexplained = [], []
    for case in cases:
        trees = [tree_of(jaeger_spans(trace)) for trace in case["data"]]
        said = case["testing"][0] if isinstance(case["testing"], list) else case["testing"]
        theirs = {name: time for name, time in said.get("opTimeExclusive", said).items() if time}
        ours = exclusive_times(trees)
        if ours == theirs:
            continue
        differing = {name for name in ours.keys() | theirs if ours.get(name) != theirs.get(name)}
        reasons = [
            reason
            for tree in trees
            for at, span in enumerate(tree.spans)
            if f"[{span.service_name}] {span.name}" in differing
            if (reason := forgiven_overlap(tree, at))
        ]
        text = f"CRISP case {case['case']}: ours {ours}, CRISP's {theirs}"
        if reasons:
            explained.append(f"{text}: {in_words(reasons)}")
        else:
            unexplained.append(text)
    return len(cases) - len(explained) - len(unexplained), len(cases), explained, unexplained


def evaluate_nezha(folder: Path) -> tuple[int, int, int, int, list[str], list[str]]:
    """Traces with exactly CRISP's spans, all; spans that both find, that either does; reasons."""
    cases = json.loads(lzma.decompress((folder / "nezha-traces-crisp-oracle.json.xz").read_bytes()))
    same, both, either = 0, 0, 0
    explained, unexplained = [], []
    for number, case in enumerate(cases):
        tree = tree_of(jaeger_spans(case["trace"]))
        by_id = {span.span_id: at for at, span in enumerate(tree.spans)}
        ours = {tree.spans[one.place].span_id for one in critical_path(tree)}
        theirs = set(case["critical_path_span_ids"])
        same += ours == theirs
        both, either = both + len(ours & theirs), either + len(ours | theirs)
        reasons = []
        for span_id in theirs - ours:
            reason = forgiven_overlap(tree, by_id[span_id])
            if reason:
                reasons.append(reason)
            else:
                unexplained.append(f"trace {number}: only CRISP has {span_id}")
        unexplained += [f"trace {number}: only we have {span_id}" for span_id in ours - theirs]
        if reasons:
            explained.append(f"trace {number}, {_spans(len(reasons))}: {in_words(reasons)}")
    return same, len(cases), both, either, explained, unexplained


def evaluate_zipkin(folder: Path) -> tuple[int, int, list[str]]:
    """Links with exactly Zipkin's counts, all links, and what differs."""
    expected = json.loads((folder / "zipkin" / "expected-links.json").read_text())
    same, total, differing = 0, 0, []
    for name, links in expected.items():
        decoded = decode(Arrival((folder / "zipkin" / name).read_bytes(), 1, ""))
        ours: dict[tuple[str, str], list[int]] = {}
        for link in service_links(without_copies(decoded.spans)):
            if link.source:
                counts = ours.setdefault((link.source, link.target), [0, 0])
                counts[0] += 1
                counts[1] += link.is_error
        theirs = {
            (link["parent"], link["child"]): [link["callCount"], link.get("errorCount", 0)]
            for link in links
        }
        for pair in sorted(ours.keys() | theirs):
            total += 1
            if ours.get(pair) == theirs.get(pair):
                same += 1
            else:
                told = f"ours {ours.get(pair)}, Zipkin's {theirs.get(pair)}"
                differing.append(f"{name} {' → '.join(pair)}: {told} (calls, errors)")
    return same, total, differing


def main(arguments: Sequence[str]) -> int:
    """Prints the table and every disagreement; 1 when one has no explanation."""
    beside = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    data = Path(*arguments[:1] or [os.environ.get("LOGSTREAM_EVAL_DATA", beside)])
    folder = data / "traces"
    if not folder.is_dir():
        print(f"traces: {folder} is not there, so nothing is evaluated; give the data folder")
        return 0
    jaeger_same, jaeger_all, jaeger_differing = evaluate_jaeger(folder)
    crisp_same, crisp_all, crisp_explained, crisp_open = evaluate_crisp(folder)
    same, traces, both, either, nezha_explained, nezha_open = evaluate_nezha(folder)
    links_same, links, links_differing = evaluate_zipkin(folder)
    print("traces: what we say beside what others say")
    print()
    rows = (
        ("Jaeger UI, critical path, sections exact", jaeger_same, jaeger_all, "all"),
        ("CRISP, exclusive times exact", crisp_same, crisp_all, "all, or an overlap it forgives"),
        ("CRISP on TrainTicket and Boutique, traces", same, traces, "as above"),
        ("CRISP on TrainTicket and Boutique, spans", both, either, "as above"),
        ("Zipkin, links with calls and errors exact", links_same, links, "all"),
    )
    for name, ours, of_all, mark in rows:
        print(f"  {name:<44}{ours:>6} of {of_all:<6} mark: {mark}")
    explained = crisp_explained + nezha_explained
    unexplained = jaeger_differing + crisp_open + nezha_open + links_differing
    print()
    print(
        f"  {len(explained)} disagreements with CRISP where Jaeger is on our side: the earlier of"
    )
    print(f"  two children still runs, for less than {FORGIVEN_SHARE:.0%} of their parent's time,")
    print("  when the later one begins; to Jaeger nobody waited for the earlier one.")
    for text in explained:
        print(f"    {text}")
    print(f"  {len(unexplained)} disagreements without an explanation")
    for text in unexplained:
        print(f"    {text}")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

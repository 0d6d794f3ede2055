"""How well patterns group messages: grouping accuracy on the loghub systems, and at what cost.

    python scripts/eval/patterns.py [FOLDER]

FOLDER (or LOGSTREAM_EVAL_DATA; else ../shared/data beside the repository) holds `loghub-2k`:
for each system 2,000 raw lines and the table of their messages with the true event of each.
One configuration for all. Messages come in portions, as they do in a running system, and only
what the worker has is used: up to five examples of each skeleton.

GA is the share of lines whose group holds exactly the lines of their event; FGA is the F1 of
groups that do (Khan et al., ICSE 2022; Jiang et al., ISSTA 2024).
"""

import csv
import os
import sys
import time
from collections import defaultdict
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import NamedTuple

from logstream.explain.patterns.grouping import Skeleton, grouped
from logstream.explain.patterns.words import read
from logstream.receive.text_shapes.header import without_colours
from logstream.receive.text_shapes.shapes import SHAPES, shape_of
from logstream.receive.text_shapes.times import Times
from logstream.skeleton import HEXADECIMAL_DIGITS, skeleton_id, skeleton_key

SYSTEMS = ("HDFS", "HPC", "HealthApp", "Mac", "OpenSSH", "OpenStack", "Spark", "Windows")
MARKS = {"GA": 0.91, "FGA": 0.93, "GA raw": 0.75, "lines": 1_000_000}
PEERS = (
    ("drain3, defaults", 0.694, 0.697),
    ("drain3, generic masks", 0.746, 0.799),
    ("Brain, in batch", 0.890, 0.894),
)
PORTIONS = 4
EXAMPLES = 5
MEASURED_SECONDS = 1.0


class Score(NamedTuple):
    """Both accuracies, and how many groups there are and should be."""

    ga: float
    fga: float
    groups: int
    events: int


def score(found: Sequence[Hashable], truth: Sequence[Hashable]) -> Score:
    """How the groups of lines compare with their events."""
    groups: dict[Hashable, set[int]] = defaultdict(set)
    events: dict[Hashable, set[int]] = defaultdict(set)
    for line, (group, event) in enumerate(zip(found, truth, strict=True)):
        groups[group].add(line)
        events[event].add(line)
    right = [lines for lines in groups.values() if lines == events[truth[min(lines)]]]
    fga = 2 * len(right) / (len(groups) + len(events))
    return Score(sum(map(len, right)) / len(truth), fga, len(groups), len(events))


def group_lines(messages: Sequence[str]) -> tuple[list[int], float]:
    """The pattern of each message, and the CPU seconds that grouping took."""
    examples: dict[int, list[str]] = {}
    keys: list[int] = []
    pattern_of: dict[int, int] = {}
    seconds = 0.0
    read.cache_clear()
    portion = -(-len(messages) // PORTIONS)
    for start in range(0, len(messages), portion):
        for message in messages[start : start + portion]:
            skeleton = skeleton_id(skeleton_key(message.encode()))
            keys.append(skeleton)
            known = examples.setdefault(skeleton, [])
            if len(known) < EXAMPLES and message not in known:
                known.append(message)
        started = time.process_time()
        skeletons = [Skeleton(one, known, pattern_of.get(one)) for one, known in examples.items()]
        for group in grouped(skeletons):
            pattern_of.update(dict.fromkeys(group.skeleton_ids, group.id))
        seconds += time.process_time() - started
    return [pattern_of[key] for key in keys], seconds


def bodies_of(lines: Sequence[str]) -> list[str]:
    """What is left of raw lines when their headers are read as the import reads them."""
    times = Times(time.time_ns())
    parse = SHAPES[shape_of(lines[:200], times)]
    headers = [parse(without_colours(line), times) for line in lines]
    return [
        line if header is None else header.body for line, header in zip(lines, headers, strict=True)
    ]


def landing_rate(messages: Sequence[str]) -> float:
    """Lines a CPU second: a message's skeleton key and its look-up, as landing does it."""
    known = {
        skeleton_key(one.encode()): skeleton_id(skeleton_key(one.encode())) for one in messages
    }
    encoded = [message.encode() for message in messages]
    look_up = known.get
    lines, started = 0, time.process_time()
    while (spent := time.process_time() - started) < MEASURED_SECONDS:
        for body in encoded:
            look_up(body.translate(None, HEXADECIMAL_DIGITS))
        lines += len(encoded)
    return lines / spent


def main(arguments: Sequence[str]) -> int:
    """Print the table; 0 also when there is no data."""
    beside = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    given = arguments[0] if arguments else os.environ.get("LOGSTREAM_EVAL_DATA", beside)
    folder = Path(given) / "loghub-2k"
    if not folder.is_dir():
        print(f"patterns: {folder} is not there; give the folder that holds loghub-2k")
        return 0
    print(f"{'system':<12}{'GA':>7}{'FGA':>7}{'groups':>8}{'events':>8}{'ms':>7}{'GA raw':>8}")
    rows: list[tuple[Score, float]] = []
    everything: list[str] = []
    for system in SYSTEMS:
        path = folder / system / f"{system}_2k.log_structured_corrected.csv"
        with path.open(encoding="utf-8-sig", newline="") as opened:
            table = list(csv.DictReader(opened))
        messages, truth = [row["Content"] for row in table], [row["EventId"] for row in table]
        raw = (folder / system / f"{system}_2k.log").read_text("utf-8-sig").splitlines()
        found, seconds = group_lines(messages)
        own = score(found, truth)
        from_raw = score(group_lines(bodies_of(raw))[0], truth).ga
        rows.append((own, from_raw))
        everything += messages
        print(
            f"{system:<12}{own.ga:>7.3f}{own.fga:>7.3f}{own.groups:>8}{own.events:>8}"
            f"{seconds * 1000:>7.0f}{from_raw:>8.3f}"
        )
    means = {
        "GA": sum(own.ga for own, _ in rows) / len(rows),
        "FGA": sum(own.fga for own, _ in rows) / len(rows),
        "GA raw": sum(raw for _, raw in rows) / len(rows),
        "lines": landing_rate(everything),
    }
    for name, ga, fga in PEERS:
        print(f"{name:<24} GA {ga:.3f} FGA {fga:.3f} (measured before)")
    for name, mark in MARKS.items():
        what = "lines per CPU second at landing" if name == "lines" else f"mean {name}"
        verdict = "met" if means[name] >= mark else "MISSED"
        print(f"{what}: {means[name]:,.3f}, mark {mark:,}: {verdict}".replace(".000,", ","))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

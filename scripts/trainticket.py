"""Send recorded requests of the TrainTicket system (about 45 services) to a running LogStream.

    python scripts/trainticket.py FOLDER [--url http://127.0.0.1:8000] [--environment NAME] [--now]

FOLDER is a day of the Nezha data set (github.com/IntelligentDDS/Nezha): files
HH_MM_log.csv(.xz) and HH_MM_trace.csv(.xz), in it or below. Everything goes over OTLP with its own
times, or, with `--now`, moved so that the last of it happens now. The recordings do not say what
kind a span is: it is told from its neighbours (called by another service: server; calling one:
client).
"""

import argparse
import csv
import json
import lzma
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

BATCH = 2_000
INTERNAL, SERVER, CLIENT = 1, 2, 3
SEVERITY_NUMBERS = {"TRACE": 1, "DEBUG": 5, "INFO": 9, "WARN": 13, "ERROR": 17, "FATAL": 21}

Row = dict[str, str]


def rows(path: Path) -> list[Row]:
    """The rows of one table, compressed or not."""
    opened = lzma.open if path.suffix == ".xz" else open
    with opened(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def service_of(pod: str) -> str:
    """A pod's name ends with those of its replica set and of itself."""
    return pod.rsplit("-", 2)[0]


def kinds(spans: Iterable[Row]) -> dict[tuple[str, str], int]:
    """The kind of each span that is not internal, by trace and span id."""
    by_id = {(span["TraceID"], span["SpanID"]): span for span in spans}
    found = {}
    for key, span in by_id.items():
        caller = by_id.get((span["TraceID"], span["ParentID"]))
        if caller is None:
            found[key] = SERVER
        elif service_of(caller["PodName"]) != service_of(span["PodName"]):
            found[key] = SERVER
            found.setdefault((caller["TraceID"], caller["SpanID"]), CLIENT)
    return found


def otlp_span(span: Row, kind: int, shift: int) -> dict[str, Any]:
    """The span as OTLP has it in JSON."""
    made = {
        "traceId": span["TraceID"],
        "spanId": span["SpanID"],
        "name": span["OperationName"],
        "kind": kind,
        "startTimeUnixNano": str(int(span["StartTimeUnixNano"]) + shift),
        "endTimeUnixNano": str(int(span["EndTimeUnixNano"]) + shift),
    }
    return made if span["ParentID"] == "root" else {**made, "parentSpanId": span["ParentID"]}


def written(time_text: str) -> int:
    """When the container wrote a line; the column TimeUnixNano of some rows holds nonsense."""
    whole, _, decimals = time_text.removesuffix("Z").partition(".")
    seconds = datetime.fromisoformat(f"{whole}+00:00").timestamp()
    return int(seconds) * 1_000_000_000 + int(decimals.ljust(9, "0"))


def otlp_line(line: Row, shift: int) -> dict[str, Any]:
    """The log line as OTLP has it in JSON; its text begins `HH:MM:SS.mmm LEVEL logger#line`."""
    logged = json.loads(line["Log"])
    text = logged["log"].rstrip("\n")
    parts = text.split(maxsplit=3)
    made: dict[str, Any] = {
        "timeUnixNano": str(written(logged["time"]) + shift),
        "traceId": line["TraceID"],
        "spanId": line["SpanID"],
        "body": {"stringValue": text},
    }
    if len(parts) == 4 and parts[1] in SEVERITY_NUMBERS:
        made["body"] = {"stringValue": parts[3]}
        made["severityText"], made["severityNumber"] = parts[1], SEVERITY_NUMBERS[parts[1]]
        made["attributes"] = [{"key": "logger", "value": {"stringValue": parts[2]}}]
    return made


def requests(
    records: Iterable[tuple[str, dict[str, Any]]], signal: str, environment: str
) -> Iterator[dict[str, Any]]:
    """Export requests of up to BATCH records, given as (pod, record)."""
    outer, inner, member = {
        "spans": ("resourceSpans", "scopeSpans", "spans"),
        "lines": ("resourceLogs", "scopeLogs", "logRecords"),
    }[signal]
    by_pod: dict[str, list[dict[str, Any]]] = defaultdict(list)
    waiting = 0

    def request() -> dict[str, Any]:
        return {
            outer: [
                {"resource": {"attributes": _resource(pod, environment)}, inner: [{member: some}]}
                for pod, some in by_pod.items()
            ]
        }

    for pod, record in records:
        by_pod[pod].append(record)
        waiting += 1
        if waiting == BATCH:
            yield request()
            by_pod.clear()
            waiting = 0
    if waiting:
        yield request()


def _resource(pod: str, environment: str) -> list[dict[str, Any]]:
    values = {
        "service.name": service_of(pod),
        "k8s.pod.name": pod,
        "deployment.environment.name": environment,
    }
    return [{"key": key, "value": {"stringValue": value}} for key, value in values.items()]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--environment", default="trainticket")
    parser.add_argument("--now", action="store_true", help="move the times: the last is now")
    args = parser.parse_args()
    tables = {
        name: [row for path in sorted(args.folder.rglob(f"*_{name}.csv*")) for row in rows(path)]
        for name in ("trace", "log")
    }
    spans, lines = tables["trace"], tables["log"]
    if not spans and not lines:
        print(f"{args.folder} holds no HH_MM_trace.csv or HH_MM_log.csv", file=sys.stderr)
        return 2
    last = max(
        [int(span["EndTimeUnixNano"]) for span in spans]
        + [written(json.loads(line["Log"])["time"]) for line in lines]
    )
    shift = time.time_ns() - last if args.now else 0
    kind_of = kinds(spans)
    made_spans = (
        (span["PodName"], otlp_span(span, kind_of.get((span["TraceID"], span["SpanID"]), 1), shift))
        for span in spans
    )
    made_lines = ((line["PodName"], otlp_line(line, shift)) for line in lines)
    with httpx.Client(base_url=args.url, timeout=60) as client:
        for path, signal, made in (
            ("/v1/logs", "lines", made_lines),
            ("/v1/traces", "spans", made_spans),
        ):
            for request in requests(made, signal, args.environment):
                reply = client.post(path, json=request)
                reply.raise_for_status()
                if reply.json():
                    print(f"{path}: {reply.text}", file=sys.stderr)
    print(f"sent {len(lines):,} lines and {len(spans):,} spans of {args.folder} to {args.url}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

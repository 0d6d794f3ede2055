"""`make bench`: every bench, one table each, and all figures as JSON."""

import argparse
from pathlib import Path

from scripts.bench import (
    ask,
    explore,
    export,
    history,
    landing,
    live_latency,
    memory,
    protocols,
    questions,
    services,
    spans,
    stages,
    traces,
    viewers,
    waterfall,
)
from scripts.bench.report import Row, machine_words, table, write_json

BENCHES = {
    "Landing": landing.run,
    "Workers": landing.run_workers,
    "Protocols": protocols.run,
    "Spans": spans.run,
    "Stages": stages.run,
    "Questions": questions.run,
    "Explore": explore.run,
    "History": history.run,
    "Ask": ask.run,
    "Export": export.run,
    "Traces": traces.run,
    "Services": services.run,
    "Live": live_latency.run,
    "Viewers": viewers.run,
    "Waterfall": waterfall.run,
    "Memory": memory.run,
}


def main() -> None:
    """Run the benches named, all by default."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("benches", nargs="*", metavar="NAME", help=", ".join(BENCHES))
    parser.add_argument("--json", type=Path, default=Path("build/bench.json"))
    arguments = parser.parse_args()
    chosen = [name for name in BENCHES if not arguments.benches or name in arguments.benches]
    print(machine_words())
    tables: dict[str, list[Row]] = {}
    for name in chosen:
        tables[name] = BENCHES[name]()
        print(f"\n{table(name, tables[name])}", flush=True)
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    write_json(arguments.json, tables)
    print(f"\nwritten to {arguments.json}")


if __name__ == "__main__":
    main()

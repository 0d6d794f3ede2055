"""POST /ai/search without a model: how long an answer takes, beside an empty reply.

The shop's lines with a few hundred services, asked over HTTP as a program asks. The bound is an
empty reply of the same service; the goal is 50 ms for 95 in 100 questions.
"""

import argparse
import itertools
import statistics
import time

import httpx

from scripts.bench.lines import SERVICES, each_line
from scripts.bench.machine import Machine, machine
from scripts.bench.report import Row, table

LINES = 200_000
LINES_PER_BATCH = 10_000
DAY_SECONDS = 86_400.0
ROUNDS = 40
GOAL_MS = 50.0
QUESTIONS = (
    f"errors of {SERVICES[0]} in the last hour",
    "payment failures yesterday between 2 and 3 pm",
    "top 5 services by errors today",
    "how many warnings since 14:05",
    f"{SERVICES[1]} slower than 500 ms but not health checks",
    "timeouts of user u-4711 in the last 20 min",
    "what happened before the invoice was declined",
    "new kinds of messages in production this week",
)


def fill(running: Machine) -> None:
    """Land the lines over a day."""
    lines = each_line(LINES, span_seconds=DAY_SECONDS)
    with httpx.Client(base_url=running.base, timeout=60) as client:
        while batch := list(itertools.islice(lines, LINES_PER_BATCH)):
            reply = client.post("/logs/ingest", content=b"[" + b",".join(batch) + b"]")
            assert reply.status_code == 201, reply.text


def run() -> list[Row]:
    """p50 and p95 of an answer and of an empty reply, their ratio, and the first answer of all."""
    answers: list[float] = []
    empty: list[float] = []
    with machine() as running:
        fill(running)
        with httpx.Client(base_url=running.base, timeout=60) as client:
            first = _ask(client, QUESTIONS[0])
            for _ in range(ROUNDS):
                for question in QUESTIONS:
                    answers.append(_ask(client, question))
                    started = time.perf_counter()
                    assert client.get("/health/live").status_code == 200
                    empty.append((time.perf_counter() - started) * 1000)
    answers.sort()
    empty.sort()
    return [
        Row("the first question, which reads all names", "ms", first),
        Row("a question, no model", "p50 ms", statistics.median(answers)),
        Row("a question, no model", f"p95 ms (goal {GOAL_MS:.0f})", _p95(answers)),
        Row("an empty reply", "p50 ms", statistics.median(empty)),
        Row("an empty reply", "p95 ms", _p95(empty)),
        Row("a question", "empty replies", statistics.median(answers) / statistics.median(empty)),
    ]


def _ask(client: httpx.Client, question: str) -> float:
    started = time.perf_counter()
    reply = client.post("/ai/search", json={"query": question, "interpreter": "rules"})
    elapsed = (time.perf_counter() - started) * 1000
    assert reply.status_code == 200 and reply.json()["understood"], (question, reply.text)
    return elapsed


def _p95(values: list[float]) -> float:
    return values[int(len(values) * 0.95)]


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    print(table("Ask", run()))

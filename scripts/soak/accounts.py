"""What was acknowledged against what is stored: nothing lost, nothing doubled, counts equal."""

import json
import re
import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import IsolationLevel

from logstream.land.count_check import compare_levels

MOST_PROBLEMS_TOLD = 20
_LINE = re.compile(rb"soak (\S+) (\d+) ")


@dataclass
class Account:
    """The outcome; `problems` says in words what is wrong, and is empty when nothing is."""

    acknowledged: int = 0
    stored: int = 0
    lost: int = 0
    doubled: int = 0
    # Acknowledged from the spool; stored although no answer came; refused as told.
    spooled: int = 0
    unanswered: int = 0
    rejected: int = 0
    longest_silence_seconds: float = 0.0
    problems: list[str] = field(default_factory=list)

    def complain(self, problem: str) -> None:
        if len(self.problems) < MOST_PROBLEMS_TOLD:
            self.problems.append(problem)


@dataclass
class _Sent:
    """One request as its sender remembers it."""

    first: int
    lines: int
    bad: frozenset[int]
    answers: list[dict[str, object]] = field(default_factory=list)


@dataclass
class _Run:
    """One sender's log, and what the database holds of it."""

    name: str
    sent: dict[int, _Sent]
    odd: list[str]
    answered_at: list[float]
    ids: "array[int]"
    rejected: "array[int]"


def account(database_url: str, logs: Sequence[Path]) -> Account:
    """Compare the senders' logs (named after their runs) with the database, in one snapshot."""
    outcome = Account()
    # The logs first: what is acknowledged by then must be in the snapshot.
    runs = {run.name.encode(): run for run in map(_read, logs)}
    with psycopg.connect(database_url) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.execute("SET TIME ZONE 'UTC'")
        connection.execute("SET statement_timeout = 0")
        _read_stored(connection, runs, outcome)
        _read_rejects(connection, runs, outcome)
        _compare_counts(connection, outcome)
    for run in runs.values():
        _compare(run, outcome)
    return outcome


def settled(database_url: str, logs: Sequence[Path], within_seconds: float = 60) -> Account:
    """The account once all that was acknowledged is stored (the spool empties by itself)."""
    deadline = time.monotonic() + within_seconds
    while True:
        try:
            outcome = account(database_url, logs)
        except psycopg.OperationalError as error:
            outcome = Account(problems=[f"the database does not answer: {error}"])
        if not outcome.problems or time.monotonic() > deadline:
            return outcome
        time.sleep(0.5)


def acknowledged_lines(log: Path) -> int:
    """Lines acknowledged so far in a sender's log."""
    if not log.exists():
        return 0
    found = re.findall(rb'"status":201,.*?"accepted":(\d+)', log.read_bytes())
    return sum(map(int, found))


def _read(log: Path) -> _Run:
    sent: dict[int, _Sent] = {}
    odd: list[str] = []
    answered_at: list[float] = []
    last = 0
    # What a kill has cut off has no line end.
    for line in log.read_bytes().split(b"\n")[:-1]:
        entry = json.loads(line)
        if "send" in entry:
            sent[entry["send"]] = _Sent(entry["first"], entry["lines"], frozenset(entry["bad"]))
            last = max(last, entry["first"] + entry["lines"])
        elif "odd" in entry:
            odd.append(f"request {entry['odd']} was answered {entry['status']}: {entry['reply']}")
        else:
            sent[entry["done"]].answers.append(entry)
            if entry["status"] == 201:
                answered_at.append(entry["at"])
    empty = bytes(8 * (last + 1))
    return _Run(log.stem, sent, odd, answered_at, array("q", empty), array("q", empty))


def _read_stored(connection: psycopg.Connection, runs: dict[bytes, _Run], outcome: Account) -> None:
    query = "COPY (SELECT id, left(body, 60) FROM logs WHERE body LIKE 'soak %') TO STDOUT"
    with connection.cursor().copy(query) as rows:
        for row in rows:
            line_id, _, body = bytes(row).partition(b"\t")
            found = _LINE.match(body)
            run = runs.get(found[1]) if found else None
            if found is None or run is None:
                outcome.complain(f"line {int(line_id)} was sent by nobody: {body!r}")
                continue
            number = int(found[2])
            outcome.stored += 1
            if run.ids[number]:
                outcome.doubled += 1
                outcome.complain(
                    f"run {run.name}: line {number} is stored as {run.ids[number]}"
                    f" and as {int(line_id)}"
                )
            run.ids[number] = int(line_id)


def _read_rejects(
    connection: psycopg.Connection, runs: dict[bytes, _Run], outcome: Account
) -> None:
    for (raw,) in connection.execute("SELECT raw FROM rejects"):
        found = _LINE.search(raw)
        if found is not None and found[1] in runs:
            outcome.rejected += 1
            runs[found[1]].rejected[int(found[2])] += 1


def _compare_counts(connection: psycopg.Connection, outcome: Account) -> None:
    for check in compare_levels(connection):
        if check.differing:
            outcome.complain(
                f"counts by {check.level}: {check.expected} lines expected, {check.counted} "
                f"counted, {check.differing} groups differ: {'; '.join(check.examples)}"
            )


def _compare(run: _Run, outcome: Account) -> None:
    for problem in run.odd:
        outcome.complain(f"run {run.name}: {problem}")
    for number, sent in run.sent.items():
        numbers = range(sent.first, sent.first + sent.lines)
        good = [line for line in numbers if line not in sent.bad]
        answers = [answer for answer in sent.answers if answer["status"] in (201, 400)]
        for answer in sent.answers:
            if answer["status"] not in (0, 201, 400, 408, 429, 503):
                outcome.complain(f"run {run.name}: request {number} was answered {answer}")
        if any(run.ids[line] for line in sent.bad):
            outcome.complain(f"run {run.name}: a record of request {number} should be rejected")
        if any(run.rejected[line] > 1 or (answers and not run.rejected[line]) for line in sent.bad):
            outcome.complain(f"run {run.name}: rejects of request {number} are not kept once each")
        stored = [line for line in good if run.ids[line]]
        if not answers:
            outcome.unanswered += len(stored)
            if stored and len(stored) < len(good):
                outcome.complain(f"run {run.name}: half of request {number} is stored")
            continue
        _compare_answered(run, number, sent, good, answers, outcome)
    gaps = zip(sorted(run.answered_at), sorted(run.answered_at)[1:], strict=False)
    outcome.longest_silence_seconds = max(
        [outcome.longest_silence_seconds, *(later - earlier for earlier, later in gaps)]
    )


def _compare_answered(
    run: _Run,
    number: int,
    sent: _Sent,
    good: list[int],
    answers: list[dict[str, object]],
    outcome: Account,
) -> None:
    outcome.acknowledged += len(good)
    missing = [line for line in good if not run.ids[line]]
    if missing:
        outcome.lost += len(missing)
        outcome.complain(
            f"run {run.name}: {len(missing)} lines of request {number} are lost, "
            f"the first is {missing[0]}; it was answered {answers[0]}"
        )
        return
    if good and any(answer.get("durable") == "spool" for answer in answers):
        outcome.spooled += len(good)
    for answer in answers:
        if answer["status"] != (201 if good else 400) or answer.get("accepted") != len(good):
            outcome.complain(f"run {run.name}: request {number} was answered {answer}")
        rejected = [sent.first + reject["index"] for reject in answer["rejected"]]  # type: ignore[attr-defined]
        if rejected != sorted(sent.bad):
            outcome.complain(f"run {run.name}: request {number} names the wrong rejects: {answer}")
        ids = answer.get("ids")
        if ids is None:
            continue
        first, last = ids  # type: ignore[misc]
        if [run.ids[line] for line in good] != list(range(first, last + 1)):
            outcome.complain(
                f"run {run.name}: request {number} was answered ids {ids}, "
                f"it has {run.ids[good[0]]} to {run.ids[good[-1]]}"
            )

"""Who calls whom, and how often, with what errors and how long, from the counted calls.

    (outside) ──▶ web ──call──▶ orders ──database──▶ postgresql
                   │                └──messaging──▶ kafka/orders ──▶ mailer   reports (alone)
                   └──call──▶ users

A node's figures are those of the calls that come in, from outside too. A service that nobody
calls is told by what it does itself; one without any call stands alone, but is there.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import msgspec
import sqlalchemy as sa

from logstream.durations import percentile_nano
from logstream.filter import Choice, LogFilter
from logstream.query.conditions import Condition, choice_conditions
from logstream.query.known_services import known_services
from logstream.query.service_counts import Counted, count_services
from logstream.query.whole_time import WholeTime, counted_rows, whole_time
from logstream.tables import call_counts, call_counts_hourly
from logstream.trace_port import ServiceEdge, ServiceMap, ServiceNode

OUTSIDE = ""
_NODE_KINDS = {"database": "database", "messaging": "queue"}


@dataclass
class _Calls:
    """Calls that belong together."""

    errors: int = 0
    steps: Counter[int] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        return self.steps.total()

    def add(self, other: "_Calls") -> None:
        self.errors += other.errors
        self.steps.update(other.steps)


# Source, target, kind.
_Way = tuple[str, str, str]


def service_map(
    connection: sa.Connection, log_filter: LogFilter, *, now_unix_nano: int
) -> ServiceMap:
    """See TraceReader.service_map. Without a time range the last 15 minutes are meant."""
    time = whole_time(log_filter, now_unix_nano)
    ways = _ways(connection, log_filter, time)
    everybody = replace(log_filter, service=Choice())
    known = known_services(connection, log_filter.environment)
    own, _ = count_services(connection, everybody, known, time)
    incoming: dict[str, _Calls] = defaultdict(_Calls)
    for (_, target, _), calls in ways.items():
        incoming[target].add(calls)
    is_drawn = _Drawn(log_filter.service)
    edges = [
        ServiceEdge(source, target, kind, calls.count, calls.errors, _p95(calls))
        for (source, target, kind), calls in ways.items()
        if source != OUTSIDE and is_drawn.edge(source, target)
    ]
    edges.sort(key=lambda one: (-one.calls, one.source, one.target, one.kind))
    names = {end for edge in edges for end in (edge.source, edge.target)}
    names |= {target for source, target, _ in ways if source == OUTSIDE and is_drawn.node(target)}
    names |= {name for name, counts in own.items() if counts.is_anything and is_drawn.node(name)}
    kinds = _kinds(ways, own)
    nodes = [
        msgspec.structs.replace(
            _node(name, kinds.get(name, "service"), incoming.get(name), own),
            is_known=name in known,
        )
        for name in names
    ]
    nodes.sort(key=lambda one: (-one.calls, one.service))
    return ServiceMap(nodes, edges)


@dataclass(frozen=True)
class _Drawn:
    """What a choice of services leaves on the map: those chosen and whom they are in touch with."""

    choice: Choice

    def node(self, name: str) -> bool:
        return self.choice.allows(name)

    def edge(self, source: str, target: str) -> bool:
        if source in self.choice.excluded or target in self.choice.excluded:
            return False
        return self.choice.allows(source) or self.choice.allows(target)


def _ways(
    connection: sa.Connection, log_filter: LogFilter, time: WholeTime
) -> Mapping[_Way, _Calls]:
    def conditions(table: sa.Table) -> list[Condition]:
        return choice_conditions(table.c.environment, log_filter.environment)

    names = ("source", "target", "kind", "is_error", "duration_step")
    rows = sa.union_all(
        *counted_rows(call_counts, call_counts_hourly, names, conditions, time)
    ).subquery()
    key = [rows.c[name] for name in names]
    total = sa.cast(sa.func.sum(rows.c["count"]), sa.BigInteger).label("total")
    statement = sa.select(*key, total).group_by(*key).having(total != 0)
    ways: dict[_Way, _Calls] = defaultdict(_Calls)
    for row in connection.execute(statement):
        calls = ways[row.source, row.target, row.kind]
        calls.steps[row.duration_step] += row.total
        if row.is_error:
            calls.errors += row.total
    return {way: calls for way, calls in ways.items() if calls.count > 0}


def _kinds(ways: Iterable[_Way], own: Counted) -> dict[str, str]:
    """What is no service: it sends no spans, and all it does is keep data or pass messages on.

    A database may well send its log.
    """
    seen_as: dict[str, set[str]] = defaultdict(set)
    for source, target, kind in ways:
        seen_as[target].add(_NODE_KINDS.get(kind, "service"))
        seen_as[source].add("queue" if kind == "messaging" else "service")
    return {
        name: kinds.pop()
        for name, kinds in seen_as.items()
        if len(kinds) == 1 and not (name in own and own[name].sends_spans)
    }


def _node(name: str, kind: str, incoming: _Calls | None, own: Counted) -> ServiceNode:
    if incoming is not None:
        return ServiceNode(name, kind, incoming.count, incoming.errors, _p95(incoming))
    counts = own[name]
    calls = counts.calls(counts.told_by)
    return ServiceNode(name, kind, calls.calls, calls.errors, percentile_nano(calls.steps, 0.95))


def _p95(calls: _Calls) -> float | None:
    return percentile_nano(calls.steps, 0.95)

"""Services: rate, errors and durations of each, and who calls whom."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request

from ingest_service.replies import JsonReply
from ingest_service.routes.logs import FILTER_PARAMETERS, asked_filter
from logstream.errors import NotFound
from logstream.filter import Choice, LogFilter
from logstream.model import NANOS_PER_SECOND, iso_time
from logstream.trace_port import OperationFacts, ServiceFacts, Services, TraceReader

MAX_BUCKETS = 200
MAX_OPERATIONS = 1_000
MAX_REQUESTS = 5_000
_NAMES = ("env", "service", "range", "from", "to")
_DOCUMENTED = {"parameters": [one for one in FILTER_PARAMETERS if one["name"] in _NAMES]}
_OF_ONE = {"parameters": [one for one in _DOCUMENTED["parameters"] if one["name"] != "service"]}
# A name may hold slashes, and may be empty: what stands before the last part of the path.
ServiceName = Annotated[str, Path(max_length=1_000)]
_Buckets = Annotated[int, Query(ge=1, le=MAX_BUCKETS, description="Of a trend, at most.")]
_Zone = Annotated[str, Query(max_length=100, description="IANA name: cuts the days of a trend.")]

router = APIRouter(tags=["services"])


@router.get(
    "/services", openapi_extra=_DOCUMENTED, summary="Every service: rate, errors and durations"
)
def services(request: Request, buckets: _Buckets = 30, tz: _Zone = "UTC") -> JsonReply:
    """`{"services": [{"service", "toldBy", "calls", "errors", …}], "bucketSeconds", "starts"}`.

    Busiest first, those that send only log lines too. `calls` are server and consumer spans, or
    all spans of a service without those, or its lines (`toldBy`: `spans` or `lines`); `errors`
    likewise. `p50Ms`, `p95Ms`, `p99Ms` are within 19 %. `callsBefore`, `errorsBefore` and
    `p95BeforeMs` are of the same time 24 hours earlier, null where too little is stored.
    `trend` and `errorTrend` count by pieces of `bucketSeconds` that begin at `starts`.

    Only environment, service and time narrow. Without a time the last 15 minutes are meant.
    More: docs/services.md.
    """
    found = _reader(request).services(
        asked_filter(request), buckets=buckets, now_unix_nano=time.time_ns(), zone=tz
    )
    return JsonReply({"services": [_facts(one) for one in found.services], **_trend_times(found)})


@router.get("/services/map", openapi_extra=_DOCUMENTED, summary="Who calls whom")
def service_map(request: Request) -> JsonReply:
    """`{"nodes": [{"service", "kind", "calls", …}], "edges": [{"source", "target", "kind", …}]}`.

    A node's `kind` is `service`, `database` or `queue`; its figures are of the calls that come
    in, or its own where none do. An edge's `kind` is `call`, `messaging`, `database` or
    `derived` (guessed). With `service` those chosen and whom they are in touch with. Services
    without any call are nodes too.
    """
    found = _reader(request).service_map(asked_filter(request), now_unix_nano=time.time_ns())
    return JsonReply(
        {
            "nodes": [
                {
                    "service": one.service,
                    "kind": one.kind,
                    "calls": one.calls,
                    "errors": one.errors,
                    "p95Ms": _ms(one.p95_nano),
                }
                for one in found.nodes
            ],
            "edges": [
                {
                    "source": one.source,
                    "target": one.target,
                    "kind": one.kind,
                    "calls": one.calls,
                    "errors": one.errors,
                    "p95Ms": _ms(one.p95_nano),
                }
                for one in found.edges
            ],
        }
    )


@router.get(
    "/services/{service:path}/operations",
    openapi_extra=_OF_ONE,
    summary="The operations of a service",
)
def operations(
    request: Request,
    service: ServiceName,
    limit: Annotated[int, Query(ge=1, le=MAX_OPERATIONS)] = 100,
) -> JsonReply:
    """`{"operations": [{"operation", "kind", "calls", "errors", "p50Ms", …, "totalMs"}]}`.

    An operation is a span's name and kind; those that took the most time in all (`totalMs`)
    first. Log lines that carry a latency are one of kind `line`. 404 for an unknown service.
    """
    service, log_filter = find_service(request, service)
    found = _reader(request).operations(
        log_filter, service, limit=limit, now_unix_nano=time.time_ns()
    )
    return JsonReply({"operations": [_operation(one) for one in found]})


@router.get(
    "/services/{service:path}/latency",
    openapi_extra=_OF_ONE,
    summary="What slow requests have more of than fast ones",
)
def latency(
    request: Request,
    service: ServiceName,
    operation: Annotated[str, Query(max_length=1_000, description="Name of a span.")],
    limit: Annotated[int, Query(ge=20, le=MAX_REQUESTS)] = 2_000,
    share: Annotated[float, Query(ge=0.01, le=0.5, description="Counted as slow.")] = 0.1,
) -> JsonReply:
    """`{"slowMs", "slow", "fast", "looked", "total", "differences": [{"field", "value", …}]}`.

    The slowest `share` of the newest requests of an operation beside the others: attributes,
    calls, errors and patterns of log lines whose shares differ by more than chance. Looked at
    are `looked` of `total`. 404 for an unknown service.
    """
    service, log_filter = find_service(request, service)
    found = _reader(request).slow_and_fast(
        log_filter,
        service,
        operation.replace("\x00", "\ufffd"),
        slow_share=share,
        limit=limit,
        now_unix_nano=time.time_ns(),
    )
    return JsonReply(
        {
            "slowMs": _ms(found.slow_nano),
            "slow": found.slow,
            "fast": found.fast,
            "looked": found.looked,
            "total": found.total,
            "differences": [
                {
                    "field": one.field,
                    "value": one.value,
                    "label": one.label,
                    "count": one.count,
                    "share": one.share,
                    "baselineCount": one.baseline_count,
                    "baselineShare": one.baseline_share,
                    # JSON knows no infinity: nothing of the fast ones has it.
                    "lift": one.lift if one.baseline_count else None,
                    "pValue": one.p_value,
                }
                for one in found.differences
            ],
        }
    )


def find_service(request: Request, name: str) -> tuple[str, LogFilter]:
    """The service and the filter for it alone, in the caller's environment.

    Raises NotFound, with the names nearest to it, when nothing of it was ever received there.
    """
    log_filter = asked_filter(request)
    # No stored name holds a NUL, and the database takes no question with one.
    name = name.replace("\x00", "\ufffd")
    known = known_services(request, log_filter)
    if name not in known:
        shown = name if len(name) <= 100 else f"{name[:100]}…"
        raise NotFound(f"no service '{shown}' is known", _nearest(name, known))
    return name, replace(log_filter, service=Choice((name,)))


def known_services(request: Request, log_filter: LogFilter) -> Mapping[str, int]:
    """Every service ever heard of in the filter's environments, and since when."""
    return _reader(request).known_services(log_filter.environment)


def _nearest(name: str, known: Mapping[str, int]) -> str:
    by_folded = {one.casefold(): one for one in sorted(known, reverse=True)}
    near = get_close_matches(name[:100].casefold(), by_folded, n=3, cutoff=0.5)
    if near:
        names = " or ".join(f"'{by_folded[one]}'" for one in near)
        return f"perhaps {names} is meant; GET /services lists those of a time"
    return "GET /services lists those of a time; range=7d those of a week"


@router.get(
    "/services/{service:path}", openapi_extra=_OF_ONE, summary="One service with its operations"
)
def service(
    request: Request, service: ServiceName, buckets: _Buckets = 30, tz: _Zone = "UTC"
) -> JsonReply:
    """`{"service", "firstSeen", "facts", "operations", "bucketSeconds", "starts"}`.

    `facts` as in `/services`, null when it sent nothing in the time; at most 20 `operations`.
    `firstSeen` is when anything of it was first received. 404 for an unknown service.
    """
    service, log_filter = find_service(request, service)
    reader, now = _reader(request), time.time_ns()
    found = reader.services(log_filter, buckets=buckets, now_unix_nano=now, zone=tz)
    facts: Sequence[ServiceFacts] = found.services
    return JsonReply(
        {
            "service": service,
            "firstSeen": iso_time(known_services(request, log_filter)[service]),
            "facts": _facts(facts[0]) if facts else None,
            "operations": [
                _operation(one)
                for one in reader.operations(log_filter, service, limit=20, now_unix_nano=now)
            ],
            **_trend_times(found),
        }
    )


def _facts(one: ServiceFacts) -> dict[str, Any]:
    return {
        "service": one.service,
        "toldBy": one.told_by,
        "calls": one.calls,
        "errors": one.errors,
        "lines": one.lines,
        "errorLines": one.error_lines,
        "p50Ms": _ms(one.p50_nano),
        "p95Ms": _ms(one.p95_nano),
        "p99Ms": _ms(one.p99_nano),
        "callsBefore": one.calls_before,
        "errorsBefore": one.errors_before,
        "p95BeforeMs": _ms(one.p95_before_nano),
        "trend": one.trend,
        "errorTrend": one.error_trend,
    }


def _trend_times(found: Services) -> dict[str, Any]:
    return {
        "bucketSeconds": found.bucket_seconds,
        "starts": [iso_time(start * NANOS_PER_SECOND) for start in found.starts_unix_seconds],
    }


def _operation(one: OperationFacts) -> dict[str, Any]:
    return {
        "operation": one.operation,
        "kind": one.kind,
        "calls": one.calls,
        "errors": one.errors,
        "p50Ms": _ms(one.p50_nano),
        "p95Ms": _ms(one.p95_nano),
        "p99Ms": _ms(one.p99_nano),
        "totalMs": _ms(one.total_nano),
    }


def _ms(nano: float | None) -> float | None:
    """Milliseconds, to the microsecond."""
    return None if nano is None else round(nano / 1_000_000, 3)


def _reader(request: Request) -> TraceReader:
    reader: TraceReader = request.app.state.traces
    return reader

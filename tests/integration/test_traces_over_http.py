"""Traces over HTTP: the list, its shape, one of them, and what is refused."""

import base64
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psycopg
import pytest

from logstream.land.embedded import EmbeddedPostgres
from logstream.model import iso_time
from logstream.wiring import migrate
from tests.integration.test_keys import guarded_service
from tests.records import NOON, a_span
from tests.service_thread import running_service, settings_for
from tests.trace_store import Lines, TraceStore

CART, PAY, LINES = "4bf92f3577b34da6a3ce929d0e0e4736", "463ac35c9f6413ad", "abc123"
DAY = {"from": "2026-03-01T00:00:00Z", "to": "2026-03-02T00:00:00Z"}


@pytest.fixture
def seeded(database_url: str, service: str) -> str:
    """Three traces: two spans in 30 ms, one failed span a second later, and one of lines only."""
    fill(database_url)
    return service


def fill(database_url: str) -> None:
    failed = msgspec.structs.replace(
        a_span(
            "c",
            trace_id=PAY,
            name="POST /pay",
            start_ms=1_000,
            duration_ms=200,
            environment="staging",
            attributes=b'{"http.response.status_code":500}',
        ),
        status="error",
        status_message="card declined",
    )
    with psycopg.connect(database_url, autocommit=True) as connection:
        TraceStore(connection).store(
            [
                a_span("a", trace_id=CART, name="GET /cart", service="web", duration_ms=30),
                a_span("b", trace_id=CART, name="SELECT", service="cart", start_ms=5, parent="a"),
                failed,
            ],
            [Lines(LINES, "production", NOON - 10**9, 4_000_000, 3, 1, ("search",))],
        )


def get(base: str, path: str, **parameters: str) -> httpx.Response:
    return httpx.get(base + path, params=parameters)


def ids(reply: httpx.Response) -> list[str]:
    assert reply.status_code == 200, reply.text
    return [trace["traceId"] for trace in reply.json()["traces"]]


def test_the_list_is_in_the_contract_shape(seeded: str) -> None:
    reply = get(seeded, "/traces", **DAY).json()
    assert (reply["cursor"], reply["complete"]) == (None, True)
    assert reply["traces"][1] == {
        "traceId": CART,
        "environment": "production",
        "rootService": "web",
        "rootName": "GET /cart",
        "start": iso_time(NOON),
        "durationMs": 30.0,
        "spanCount": 2,
        "errorCount": 0,
        "lineCount": 0,
        "errorLineCount": 0,
        "services": ["cart", "web"],
        "derived": False,
    }
    of_lines = reply["traces"][2]
    assert of_lines["derived"] and of_lines["rootService"] is None
    assert (of_lines["lineCount"], of_lines["errorLineCount"], of_lines["durationMs"]) == (3, 1, 4)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, [PAY, CART, LINES]),
        ({"sort": "longest"}, [PAY, CART, LINES]),
        ({"sort": "spans"}, [CART, PAY, LINES]),
        ({"sort": "errors"}, [PAY, LINES, CART]),
        ({"env": "production"}, [CART, LINES]),
        ({"service": "cart"}, [CART]),
        ({"service": "-cart"}, [PAY, LINES]),
        ({"severity": "error"}, [PAY, LINES]),
        ({"severity": "info"}, [PAY, CART, LINES]),
        ({"trace": PAY.upper()}, [PAY]),
        ({"trace": "0" * 16 + PAY}, [PAY]),
        ({"q": "duration>25"}, [PAY, CART]),
        ({"q": "declined"}, [PAY]),
        ({"q": "-declined"}, [CART, LINES]),
        ({"q": "operation:SELECT service:web"}, []),
        ({"q": "http.response.status_code>=500"}, [PAY]),
    ],
)
def test_the_filters_of_every_page_mean_traces(
    seeded: str, asked: dict[str, str], found: list[str]
) -> None:
    assert ids(get(seeded, "/traces", **DAY, **asked)) == found


def test_pages_follow_each_other(seeded: str) -> None:
    for sort in ("newest", "longest", "errors", "spans"):
        whole = ids(get(seeded, "/traces", sort=sort))
        found, cursor = [], ""
        while cursor is not None:
            page = get(seeded, "/traces", sort=sort, limit="1", cursor=cursor)
            found += ids(page)
            cursor = page.json()["cursor"]
        assert found == whole and len(whole) == 3


def test_the_shape_counts_every_trace(seeded: str) -> None:
    shape = get(seeded, "/traces/shape", points="2", **DAY).json()
    assert (shape["total"], shape["errorTotal"], shape["complete"]) == (3, 2, True)
    # 4 ms = 2^11.97 µs: step 47; 30 ms = 2^14.87 µs: 59; 200 ms = 2^17.61 µs: 70.
    assert shape["steps"] == {"47": 1, "59": 1, "70": 1}
    assert (shape["p50Nano"], shape["p95Nano"], shape["p99Nano"]) == (30e6, 200e6, 200e6)
    assert len(shape["points"]) == 2
    [point] = get(seeded, "/traces/shape", q="declined").json()["points"]
    assert point == {
        "traceId": PAY,
        "startUnixNano": str(NOON + 10**9),
        "durationNano": 200_000_000,
        "hasError": True,
        "rootService": "payment-gateway",
        "rootName": "POST /pay",
    }
    nothing = get(seeded, "/traces/shape", q="no-such-word").json()
    assert (nothing["total"], nothing["points"], nothing["p50Nano"]) == (0, [], None)


def a_cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).decode()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"q": "severity>=error"}, "severity at least error"),
        ({"q": "a OR -pattern:17"}, "pattern is 17"),
        ({"q": "status:500"}, "status is 500"),
        ({"q": "kind:servant"}, "kind is servant"),
        ({"q": "duration:soon"}, "duration is soon"),
        ({"q": "spans:3ms"}, "spans is 3ms"),
        ({"q": "root>5"}, "root over 5"),
        ({"q": "duration>5parsec"}, "parsec"),
        ({"q": "("}, "`)` is missing"),
        ({"q": "a\x00b"}, "NUL"),
        ({"trace": "a\x00b"}, "NUL"),
        ({"range": "soon"}, "range 'soon'"),
        ({"limit": "0"}, "limit=0"),
        ({"limit": "9" * 40}, "limit="),
        ({"sort": "prettiest"}, "sort=prettiest"),
        ({"points": "2001"}, "points=2001"),
        ({"cursor": "zzz"}, "zzz"),
        ({"cursor": "x" * 4_001}, "cursor="),
        ({"cursor": a_cursor('["newest",0,0,"a","b"')}, "none of ours"),
        ({"cursor": a_cursor('["newest",0,1e400,"a","b"]')}, "none of ours"),
        ({"cursor": a_cursor(f'["newest",0,{10**30},"a","b"]')}, "none of ours"),
        ({"cursor": a_cursor('["newest",0,0,"a\\u0000","b"]')}, "none of ours"),
        ({"cursor": a_cursor('["newest",0,0,"\\ud800","b"]')}, "none of ours"),
        ({"cursor": a_cursor('["spans",5,0,"a","b"]')}, "not 'newest'"),
    ],
)
def test_what_means_nothing_is_a_400_that_names_it(
    seeded: str, asked: dict[str, str], said: str
) -> None:
    path = "/traces/shape" if "points" in asked else "/traces"
    reply = get(seeded, path, **asked)
    assert reply.status_code == 400, reply.text
    error = reply.json()["error"]
    assert said in error["message"] and error["hint"]
    assert set(error) == {"code", "message", "hint"}


def test_hostile_values_are_values(seeded: str) -> None:
    for hostile in ("'; DROP TABLE spans; --", "%", "_", "\\\\", "<b>", "a" * 1_500, "${x}", "{}"):
        for name in ("service", "env", "trace"):
            assert ids(get(seeded, "/traces", **{name: hostile})) == []
        for q in (f'root:"{hostile}"', f'operation:"{hostile}"', f'a.b:"{hostile}"'):
            assert ids(get(seeded, "/traces", q=q)) == []
    assert len(ids(get(seeded, "/traces"))) == 3


def test_a_key_of_one_environment_sees_only_its_traces(database_url: str, tmp_path: Path) -> None:
    fill(database_url)
    with guarded_service(database_url, tmp_path) as guarded:
        key = guarded.key("read", "staging")
        assert ids(guarded.read("/traces", key)) == [PAY]
        shape = guarded.read("/traces/shape", key).json()
        assert (shape["total"], len(shape["points"])) == (1, 1)
        assert guarded.read(f"/traces/{CART}", key).status_code == 404
        assert guarded.read("/traces?env=production", key).status_code == 403
        assert guarded.read("/traces", guarded.key("ingest")).status_code == 403
        assert len(ids(guarded.read("/traces", guarded.key("read")))) == 3
        # A word of another environment's span is as good as none.
        assert ids(guarded.read("/traces?q=operation:SELECT", key)) == []


def test_what_a_sender_sends_is_listed_at_once(service: str) -> None:
    now_us = time.time_ns() // 1_000
    spans = [
        {
            "traceId": PAY,
            "id": "a",
            "kind": "SERVER",
            "name": "POST /pay",
            "timestamp": now_us,
            "duration": 20_000,
            "localEndpoint": {"serviceName": "web"},
            "tags": {"http.route": "/pay"},
        },
        {
            "traceId": PAY,
            "id": "b",
            "parentId": "a",
            "name": "charge card",
            "timestamp": now_us + 5_000,
            "duration": 40_000,
            "localEndpoint": {"serviceName": "payment"},
            "tags": {"error": "card declined"},
        },
    ]
    for span in reversed(spans):
        assert httpx.post(f"{service}/api/v2/spans", json=[span]).status_code == 202
    [trace] = get(service, "/traces", range="15m").json()["traces"]
    assert (trace["traceId"], trace["rootService"], trace["rootName"]) == (PAY, "web", "POST /pay")
    # From the first start to the end of the second span: 5 + 40 ms.
    assert (trace["durationMs"], trace["spanCount"], trace["errorCount"]) == (45, 2, 1)
    assert trace["services"] == ["payment", "web"]
    for q in ('http.route:"/pay"', "service:payment errors>0", "operation:charge* latency>=40"):
        assert ids(get(service, "/traces", q=q, range="15m")) == [PAY]
    assert len(get(service, f"/traces/{PAY}").json()["spans"]) == 2


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(tmp_path / "server", "the tests") as server:
        migrate(server.url)
        yield server


def test_while_the_database_is_away_the_answer_is_503(
    own_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    fill(own_server.url)
    with running_service(settings_for(own_server.url, tmp_path / "data")) as base:
        assert len(ids(get(base, "/traces"))) == 3
        own_server.stop()
        for path in ("/traces?q=x", "/traces/shape", f"/traces/{CART}"):
            reply = httpx.get(base + path, timeout=30)
            assert reply.status_code == 503, path
            error: dict[str, Any] = reply.json()["error"]
            assert error["code"] == "store_unavailable" and reply.headers["Retry-After"]
            assert "away since" in error["message"]

"""The GET endpoints, their errors, the docs and the push channel."""

import json
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from tests.service_thread import running_service, settings_for


@pytest.fixture
def seeded(service: str) -> str:
    records = [
        {"source": "checkout", "message": "Order 17 placed", "severity": "info"},
        {"source": "checkout", "message": "Card declined", "severity": "error"},
        {"source": "search", "message": "Slow query", "severity": "warn", "environment": "staging"},
        {"source": "search", "message": "Out of memory", "severity": "critical"},
    ]
    assert httpx.post(f"{service}/logs/ingest", json=records).status_code == 201
    return service


def get(base: str, path: str, **parameters: str) -> httpx.Response:
    return httpx.get(base + path, params=parameters)


def test_recent_gives_the_newest_first_in_the_contract_shape(seeded: str) -> None:
    lines = get(seeded, "/logs/recent").json()
    assert [line["id"] for line in lines] == [4, 3, 2, 1]
    assert {"id", "source", "message", "severity", "metadata", "createdAt"} <= lines[0].keys()
    assert lines[0]["severity"] == "fatal"
    assert len(get(seeded, "/logs/recent", limit="2").json()) == 2


def test_filters_are_url_parameters_everywhere(seeded: str) -> None:
    errors = {"severity": "error,fatal", "env": "production"}
    assert [line["id"] for line in get(seeded, "/logs/recent", **errors).json()] == [4, 2]
    breakdown = get(seeded, "/logs/severity-breakdown", service="search").json()
    assert breakdown[0] == {"severity": "fatal", "count": 1}
    assert sum(entry["count"] for entry in breakdown) == 2
    trend = get(seeded, "/logs/trend", range="15m").json()
    assert trend["bucketSeconds"] == 60 and len(trend["buckets"]) == 15
    last_two = trend["buckets"][-2:]  # the minute may turn between sending and asking
    assert sum(b["total"] for b in last_two) == 4
    assert sum(b["error"] for b in last_two) == 2
    assert sum(b["warn"] for b in last_two) == 1
    facets = get(seeded, "/logs/facets", service="search").json()
    assert {"value": "checkout", "count": 2} in facets["service"]


def test_one_line_is_found_by_its_id_and_a_missing_one_is_said_so(seeded: str) -> None:
    assert get(seeded, "/logs/2").json()["message"] == "Card declined"
    gone = get(seeded, "/logs/999999999999")
    assert gone.status_code == 404
    assert "999999999999" in gone.json()["error"]["message"]
    assert get(seeded, "/logs/99999999999999999999999").status_code == 404


@pytest.mark.parametrize(
    ("path", "parameters", "said"),
    [
        ("/logs/recent", {"limit": "0"}, "limit=0"),
        ("/logs/recent", {"limit": "many"}, "limit=many"),
        ("/logs/recent", {"severity": "loud"}, "severity 'loud'"),
        ("/logs/recent", {"range": "soon"}, "range 'soon'"),
        ("/logs/recent", {"fromId": "9", "toId": "3"}, "fromId=9"),
        ("/logs/trend", {"bucket": "90"}, "bucket=90"),
        ("/logs/trend", {"bucket": "60", "range": "90d"}, "pieces"),
        ("/logs/abc", {}, "abc"),
    ],
)
def test_a_wrong_parameter_is_a_400_that_names_it(
    seeded: str, path: str, parameters: dict[str, str], said: str
) -> None:
    reply = get(seeded, path, **parameters)
    assert reply.status_code == 400
    assert said in reply.json()["error"]["message"]


@pytest.mark.parametrize(
    ("q", "said"),
    [
        ('order "17', 'order "17'),
        ("(card OR", "(card OR"),
        ("severity>=wran", "severity>=wran"),
        ("a" * 60_000, "the limit is 2,000"),
        ("(" * 200 + "a" + ")" * 200, "("),
        ("/(a+)+$/", "/(a+)+$/"),
    ],
)
def test_a_search_that_cannot_be_read_is_a_400_that_shows_the_place(
    seeded: str, q: str, said: str
) -> None:
    for path in ("recent", "search", "trend", "facets", "patterns", "fields", "export", "sql"):
        reply = get(seeded, f"/logs/{path}", q=q)
        assert reply.status_code == 400, path
        error = reply.json()["error"]
        assert error["code"] == "bad_filter" and error["hint"]
        assert said in error["message"] and error["message"].rstrip().endswith("^")


def test_unknown_paths_and_methods_have_the_same_error_shape(service: str) -> None:
    for reply in (get(service, "/nowhere"), httpx.delete(f"{service}/logs/recent")):
        assert reply.status_code in (404, 405)
        assert set(reply.json()["error"]) == {"code", "message", "hint"}


def test_the_service_says_what_it_is_and_how_it_is(seeded: str) -> None:
    assert get(seeded, "/").json()["name"] == "LogStream"
    assert get(seeded, "/health/live").status_code == 200
    assert get(seeded, "/health/ready").json()["status"] == "ready"
    text = get(seeded, "/metrics").text
    assert "logstream_lines_accepted_total{" in text
    assert "logstream_commit_rows_bucket" in text
    assert 'logstream_segments{state="open"} 2.0' in text
    assert "logstream_seal_waiting_lines 0.0" in text
    facts = get(seeded, "/system").json()
    assert facts["service"]["linesAccepted"] >= 4
    assert facts["store"]["lines"] == 4
    assert facts["store"]["segments"][0]["name"] == "logs_000001"
    assert len(facts["service"]["linesPerSecond"]) == 600
    service = facts["service"]
    for name in ("landingBuckets", "commitRowsBuckets"):
        bounds = [upper for upper, _ in service[name]]
        assert bounds[-1] is None and bounds[:-1] == sorted(bounds[:-1])
    # Each bucket holds its own samples alone, so together they are the samples.
    assert sum(count for _, count in service["commitRowsBuckets"]) == service["commitRows"]["count"]
    assert sum(service["acceptedByEnvironment"].values()) == service["linesAccepted"]


def test_the_docs_need_nothing_from_outside(service: str) -> None:
    page = get(service, "/docs").text
    assert "http://" not in page and "https://" not in page
    described = get(service, "/openapi.json").json()["paths"]
    assert {"/logs/ingest", "/logs/recent", "/logs/severity-breakdown"} <= described.keys()


def test_a_landed_line_is_pushed_to_a_viewer_of_its_environment(service: str) -> None:
    asked = httpx.post(f"{service}/realtime/negotiate", json={"env": ["staging"]}).json()
    assert asked["groups"] == ["logs.staging"]
    with connect(asked["url"], subprotocols=["json.webpubsub.azure.v1"]) as viewer:  # type: ignore[list-item]
        assert json.loads(viewer.recv(5))["event"] == "connected"
        records = [
            {"source": "a", "message": "not for staging"},
            {
                "source": "b",
                "message": "for staging",
                "severity": "error",
                "environment": "staging",
            },
        ]
        httpx.post(f"{service}/logs/ingest", json=records)
        message = json.loads(viewer.recv(5))
    frame = message["data"]
    assert message["group"] == "logs.staging"
    assert (frame["sequence"], frame["total"], frame["firstId"], frame["lastId"]) == (1, 1, 2, 2)
    [counted] = frame["counts"]
    assert counted.pop("minute") % 60 == 0
    assert counted == {"source": "b", "severity": "error", "count": 1}
    [line] = frame["lines"]
    stored = httpx.get(f"{service}/logs/2").json()
    assert stored["patternId"] > 0
    assert line == stored


@pytest.mark.parametrize("ends", [{"to": "0001-01-01T00:00:00Z"}, {"from": "9999-12-31T23:59:59Z"}])
@pytest.mark.parametrize("path", ["/logs/recent", "/logs/severity-breakdown", "/logs/facets"])
def test_the_ends_of_the_calendar_are_times_like_others(
    seeded: str, path: str, ends: dict[str, str]
) -> None:
    assert get(seeded, path, **ends).status_code == 200


def test_a_trend_needs_some_time_within_the_calendar(seeded: str) -> None:
    assert get(seeded, "/logs/trend", **{"from": "9999-12-31T23:59:59Z"}).status_code == 200
    assert get(seeded, "/logs/trend", to="0001-01-01T00:00:00Z").status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"env": "x"}',
        b'{"env": [""]}',
        b'{"env":[1]}',
        b'{"env": ["\\ud800"]}',
        b"[" * 60_000,
    ],
)
def test_a_bad_negotiation_is_refused(service: str, body: bytes) -> None:
    reply = httpx.post(f"{service}/realtime/negotiate", content=body)
    assert reply.status_code == 400
    assert "env" in reply.json()["error"]["hint"]


def test_only_our_own_pages_may_read_across_origins(database_url: str, tmp_path: Path) -> None:
    allowed = "https://logs.example.com"
    settings = settings_for(database_url, tmp_path, allowed_origins=allowed)
    with running_service(settings) as service:

        def allows(origin: str) -> str | None:
            return httpx.get(f"{service}/logs/recent", headers={"Origin": origin}).headers.get(
                "access-control-allow-origin"
            )

        assert allows("http://127.0.0.1:8501") == "http://127.0.0.1:8501"
        assert allows(allowed) == allowed
        assert allows("https://evil.example") is None
        assert allows("null") is None
        preflight = httpx.options(
            f"{service}/realtime/negotiate",
            headers={
                "Origin": "http://127.0.0.1:8501",
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "content-type",
            },
        )
        assert preflight.status_code == 204
        assert "content-type" in preflight.headers["access-control-allow-headers"]


def test_search_pages_through_all_matches_and_ends_with_no_cursor(service: str) -> None:
    records = [{"source": "checkout", "message": f"Order {n} placed"} for n in range(25)]
    assert httpx.post(f"{service}/logs/ingest", json=records).status_code == 201
    seen: list[str] = []
    cursor = ""
    while True:
        page = get(service, "/logs/search", q="order", limit="10", cursor=cursor).json()
        assert page.keys() == {"logs", "cursor", "searchedTo", "complete"}
        assert page["complete"]
        seen += [line["message"] for line in page["logs"]]
        if page["cursor"] is None:
            break
        cursor = page["cursor"]
        assert cursor.replace("-", "").replace("_", "").isalnum()
        assert page["searchedTo"] == page["logs"][-1]["createdAt"]
    assert len(seen) == len(set(seen)) == 25


@pytest.mark.parametrize("cursor", ["nonsense", "MTIzLjQ1Ng==extra", "é", "LTE", "OTk5.OTk5", "A"])
def test_a_cursor_that_is_none_of_ours_is_said_so(seeded: str, cursor: str) -> None:
    reply = get(seeded, "/logs/search", cursor=cursor)
    assert reply.status_code == 400
    assert cursor in reply.json()["error"]["message"]


def test_context_gives_the_neighbours_of_the_same_service(service: str) -> None:
    records = [
        {
            "source": ("checkout", "search")[n % 2],
            "message": f"line {n}",
            "createdAt": f"2026-03-01T12:00:{n:02d}Z",
        }
        for n in range(20)
    ]
    first, _ = httpx.post(f"{service}/logs/ingest", json=records).json()["ids"]
    middle = first + 10
    found = get(service, f"/logs/{middle}/context", before="2", after="3").json()
    assert [line["message"] for line in found["before"]] == ["line 8", "line 6"]
    assert found["line"]["message"] == "line 10"
    assert [line["message"] for line in found["after"]] == ["line 16", "line 14", "line 12"]
    wide = get(service, f"/logs/{middle}/context", before="1", after="1", scope="all").json()
    assert [wide[side][0]["message"] for side in ("before", "after")] == ["line 9", "line 11"]
    narrow = get(
        service, f"/logs/{middle}/context", before="1", after="0", scope="all", service="search"
    ).json()
    assert [line["message"] for line in narrow["before"]] == ["line 9"]
    none = get(service, f"/logs/{middle}/context", scope="all", env="elsewhere").json()
    assert none["before"] == none["after"] == [] and none["line"]["message"] == "line 10"
    assert get(service, "/logs/999999999999/context").status_code == 404
    assert get(service, f"/logs/{middle}/context", scope="moon").status_code == 400


def test_a_line_far_ahead_of_its_receipt_is_flagged_and_no_other(service: str) -> None:
    records = [
        {"source": "checkout", "message": "clock gone", "createdAt": "2999-01-01T00:00:00Z"},
        {"source": "checkout", "message": "clock fine"},
    ]
    assert httpx.post(f"{service}/logs/ingest", json=records).status_code == 201
    gone, fine = get(service, "/logs/search").json()["logs"]
    assert gone["ahead"] is True
    assert "ahead" not in fine


def test_what_was_sent_is_seen_at_once_although_answers_are_shared(service: str) -> None:
    for number in range(1, 6):
        sent = httpx.post(f"{service}/logs/ingest", json={"source": "a", "message": "x"})
        assert sent.status_code == 201
        assert len(get(service, "/logs/search").json()["logs"]) == number

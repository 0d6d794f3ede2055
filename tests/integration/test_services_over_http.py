"""Services over HTTP: figures, map, operations, and what people note of a service."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import httpx
import psycopg
import pytest

from logstream.api_keys import make_key
from logstream.land import key_table
from tests.counted_services import CountedServices
from tests.service_thread import running_service, settings_for

RUN_BOOK = {"title": "Run book", "url": "https://wiki.example/checkout?page=1#top"}


@pytest.fixture
def counted(database_url: str) -> Iterator[CountedServices]:
    with psycopg.connect(database_url, autocommit=True, options="-c timezone=UTC") as connection:
        yield CountedServices(connection)


def recently() -> datetime:
    """Within the last fifteen minutes, and of the minute before."""
    return datetime.now(UTC) - timedelta(minutes=3)


def ask(service: str, path: str, **parameters: str) -> dict[str, object]:
    reply = httpx.get(f"{service}{path}", params={"range": "15m", **parameters})
    assert reply.status_code == 200, reply.text
    found: dict[str, object] = reply.json()
    return found


def test_every_service_is_told_with_its_figures(service: str, counted: CountedServices) -> None:
    at = recently()
    counted.spans(at, "checkout", "POST /orders", 9, ms=100)
    counted.spans(at, "checkout", "POST /orders", 1, ms=100, is_error=True)
    counted.lines(at, "mailer", 4, severity=17)
    reply = httpx.get(f"{service}/services", params={"range": "15m"}).json()
    checkout, mailer = reply["services"]
    assert {name: checkout[name] for name in ("service", "toldBy", "calls", "errors", "lines")} == {
        "service": "checkout", "toldBy": "spans", "calls": 10, "errors": 1, "lines": 0,
    }  # fmt: skip
    # The step of 100 ms is from 92.7 ms to 110.2 ms.
    assert 92 < checkout["p50Ms"] < checkout["p95Ms"] < checkout["p99Ms"] < 111
    assert (checkout["callsBefore"], checkout["p95BeforeMs"]) == (None, None)
    assert (sum(checkout["trend"]), sum(checkout["errorTrend"])) == (10, 1)
    assert (mailer["toldBy"], mailer["errors"], mailer["errorLines"]) == ("lines", 4, 4)
    assert mailer["p50Ms"] is None
    assert reply["bucketSeconds"] == 60
    assert len(reply["starts"]) == len(checkout["trend"]) >= 15
    assert reply["starts"][0].endswith(":00.000Z")


def test_the_map_has_nodes_and_edges(service: str, counted: CountedServices) -> None:
    counted.calls(recently(), "web", "checkout", 5, is_error=True)
    counted.calls(recently(), "checkout", "postgresql/shop", 7, kind="database")
    counted.lines(recently(), "legacy-erp", 1)
    found = httpx.get(f"{service}/services/map", params={"range": "15m"}).json()
    assert [(one["service"], one["kind"], one["calls"]) for one in found["nodes"]] == [
        ("postgresql/shop", "database", 7),
        ("checkout", "service", 5),
        ("legacy-erp", "service", 1),
        ("web", "service", 0),
    ]
    assert found["edges"][1] == {
        "source": "web", "target": "checkout", "kind": "call", "calls": 5, "errors": 5,
        "p95Ms": found["edges"][1]["p95Ms"],
    }  # fmt: skip


@pytest.mark.parametrize(
    "name", ["checkout", "api/v2/orders", "übersetzer ☂", "a?b#c%2F", "", "map"]
)
def test_one_service_of_any_name_has_its_operations(
    service: str, counted: CountedServices, name: str
) -> None:
    counted.spans(recently(), name, "GET /a/b", 3, ms=10)
    counted.spans(recently(), name, "SELECT", 8, ms=1, kind="client")
    counted.spans(recently(), "other", "GET /", 70)
    path = f"/services/{quote(name, safe='')}"
    found = httpx.get(f"{service}{path}/operations", params={"range": "15m"}).json()
    assert [(one["operation"], one["kind"], one["calls"]) for one in found["operations"]] == [
        ("GET /a/b", "server", 3),
        ("SELECT", "client", 8),
    ]
    if name == "map":
        return  # that path is the map's
    whole = httpx.get(f"{service}{path}", params={"range": "15m"}).json()
    assert (whole["service"], whole["facts"]["calls"]) == (name, 3)
    assert whole["operations"] == found["operations"]
    assert whole["firstSeen"][:4] == str(recently().year)


def test_a_service_that_is_silent_in_the_time_is_known_all_the_same(
    service: str, counted: CountedServices
) -> None:
    counted.spans(recently() - timedelta(hours=5), "nightly", "run", 1)
    found = ask(service, "/services/nightly")
    assert (found["facts"], found["operations"]) == (None, [])


def test_an_unknown_service_is_answered_with_the_names_nearest_to_it(
    service: str, counted: CountedServices
) -> None:
    for name in ("checkout", "Checkout-v2", "search"):
        counted.lines(recently(), name, 1)
    for path in ("/services/chekout", "/services/chekout/operations", "/services/chekout/notes"):
        reply = httpx.get(f"{service}{path}")
        assert reply.status_code == 404
        error = reply.json()["error"]
        assert error["message"] == "no service 'chekout' is known"
        assert "'checkout' or 'Checkout-v2'" in error["hint"]
    reply = httpx.get(f"{service}/services/%00{'x' * 900}")
    assert (reply.status_code, len(reply.json()["error"]["message"]) < 200) == (404, True)


def test_what_slow_requests_have_more_of_is_told(
    service: str, database_url: str, counted: CountedServices
) -> None:
    # One span in ten takes a second, and all of those are of one tier.
    spans = [
        {
            "traceId": f"{number:032x}", "id": f"{number:016x}", "kind": "SERVER",
            "name": "POST /orders", "localEndpoint": {"serviceName": "shop/checkout"},
            "timestamp": int(recently().timestamp() * 1_000_000),
            "duration": 1_000_000 if number % 10 == 0 else 40_000 + number,
            "tags": {"tier": "gold" if number % 10 == 0 else "basic"},
        }
        for number in range(1, 101)
    ]  # fmt: skip
    assert httpx.post(f"{service}/api/v2/spans", json=spans).is_success
    path = f"{service}/services/{quote('shop/checkout', safe='')}/latency"
    asked = {"range": "15m", "operation": "POST /orders"}
    found = httpx.get(path, params=asked).json()
    assert {name: found[name] for name in ("slow", "fast", "looked", "total", "slowMs")} == {
        # The longest of the others took 40,099 µs.
        "slow": 10, "fast": 90, "looked": 100, "total": 100, "slowMs": 40.099,
    }  # fmt: skip
    gold = next(one for one in found["differences"] if one["value"] == "gold")
    assert (gold["field"], gold["share"], gold["lift"]) == ("attribute:tier", 1.0, None)
    nothing = httpx.get(path, params={**asked, "operation": "GET \x00"}).json()
    assert (nothing["looked"], nothing["differences"]) == (0, [])
    assert httpx.get(path, params={"range": "15m"}).status_code == 400
    assert httpx.get(path, params={**asked, "limit": "9999"}).status_code == 400


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/services?buckets=0", "buckets"),
        ("/services?buckets=999", "buckets"),
        ("/services?tz=Mars/Olympus", "Mars"),
        ("/services?range=soon", "range"),
        ("/services/map?from=yesterday", "from"),
        ("/services?from=0001-01-01T00:00:00Z&to=0001-01-02T00:00:00Z", "reaches"),
    ],
)
def test_a_question_that_cannot_be_read_is_refused(service: str, path: str, parameter: str) -> None:
    reply = httpx.get(f"{service}{path}")
    assert reply.status_code == 400, reply.text
    assert parameter in reply.json()["error"]["message"]


def notes(service: str, name: str = "checkout", **headers: str) -> httpx.Response:
    return httpx.get(f"{service}/services/{quote(name, safe='')}/notes", headers=headers)


def put(service: str, body: object, name: str = "checkout", **headers: str) -> httpx.Response:
    path = f"{service}/services/{quote(name, safe='')}/notes"
    return httpx.put(path, json=body, headers=headers)


def test_owner_and_links_are_noted_corrected_and_emptied(
    service: str, counted: CountedServices
) -> None:
    counted.lines(recently(), "checkout", 1)
    assert notes(service).json() == {
        "service": "checkout", "owner": "", "links": [], "updatedAt": None,
    }  # fmt: skip
    reply = put(service, {"owner": "  Team Kasse ☂ ", "links": [RUN_BOOK, {"url": "http://git"}]})
    assert reply.status_code == 200, reply.text
    kept = notes(service).json()
    assert kept == reply.json()
    assert kept["owner"] == "Team Kasse ☂"
    assert kept["links"] == [RUN_BOOK, {"title": "git", "url": "http://git"}]
    assert kept["updatedAt"] is not None
    assert put(service, {"owner": "Team Checkout"}).json()["links"] == []
    assert put(service, {}).json()["updatedAt"] is None
    assert notes(service).json()["owner"] == ""


def test_a_name_with_slashes_and_an_empty_one_have_notes(
    service: str, counted: CountedServices
) -> None:
    for name in ("api/v2", ""):
        counted.lines(recently(), name, 1)
    for name in ("api/v2", ""):
        assert put(service, {"owner": f"owner of '{name}'"}, name).status_code == 200
        assert notes(service, name).json()["owner"] == f"owner of '{name}'"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ([], "no JSON object"),
        ({"owner": 7}, "owner is no text"),
        ({"owner": "x" * 201}, "cannot be an owner"),
        ({"owner": "a\x00b"}, "cannot be an owner"),
        ({"links": "https://wiki.example"}, "links is no list"),
        ({"links": ["https://wiki.example"]}, "no object with a title and a url"),
        ({"links": [{"title": "Wiki"}]}, "no object with a title and a url"),
        ({"links": [{"title": 1, "url": "https://wiki.example"}]}, "no object with a title"),
        ({"links": [{"url": "javascript:alert(1)"}]}, "cannot be a link"),
        ({"links": [{"url": "JAVASCRIPT:alert(1)//http://x"}]}, "cannot be a link"),
        ({"links": [{"url": "data:text/html,hi"}]}, "cannot be a link"),
        ({"links": [{"url": "//wiki.example"}]}, "cannot be a link"),
        ({"links": [{"url": "https://user:secret@wiki.example"}]}, "cannot be a link"),
        ({"links": [{"url": "https://wiki.example/\n"}, {"url": "http://[::1"}]}, "cannot be a"),
        ({"links": [{"url": 'https://wiki.example/"><script>'}]}, "cannot be a link"),
        ({"links": [{"url": "https://wiki.example/" + "x" * 1_000}]}, "cannot be a link"),
        ({"links": [{"title": "x" * 101, "url": "https://wiki.example"}]}, "title of a link"),
        ({"links": [RUN_BOOK] * 11}, "11 links are too many"),
    ],
)
def test_what_cannot_be_noted_is_refused_with_a_remedy(
    service: str, counted: CountedServices, body: object, said: str
) -> None:
    counted.lines(recently(), "checkout", 1)
    reply = put(service, body)
    assert reply.status_code == 400, reply.text
    assert said in reply.json()["error"]["message"] and reply.json()["error"]["hint"]
    assert notes(service).json()["updatedAt"] is None


def test_notes_of_an_unknown_service_and_of_too_much_are_refused(
    service: str, counted: CountedServices
) -> None:
    assert put(service, {"owner": "nobody"}, "ghost").status_code == 404
    counted.lines(recently(), "checkout", 1)
    assert put(service, {"owner": "x" * 20_000}).status_code == 413


def test_a_key_sees_the_services_of_its_environment_and_only_admins_note(
    database_url: str, tmp_path: Path, counted: CountedServices
) -> None:
    for environment, name in (("production", "checkout"), ("staging", "trial")):
        counted.spans(recently(), name, "GET /", 3, environment=environment)
        counted.calls(recently(), "", name, 3, environment=environment)
    keys = {}
    with psycopg.connect(database_url, autocommit=True) as connection:
        for name, role, environment in (
            ("reader", "read", "staging"),
            ("everywhere", "read", None),
            ("admin", "admin", None),
            ("staging admin", "admin", "staging"),
        ):
            key, stored = make_key(role, environment)  # type: ignore[arg-type]
            key_table.add(connection, stored)
            keys[name] = {"Authorization": f"Bearer {key}"}
    settings = settings_for(database_url, tmp_path, require_keys=True)
    with running_service(settings) as service:

        def names(key: str, path: str = "/services", **parameters: str) -> set[str]:
            reply = httpx.get(
                f"{service}{path}", params={"range": "15m", **parameters}, headers=keys[key]
            )
            assert reply.status_code == 200, reply.text
            found = reply.json()
            return {one["service"] for one in found.get("services") or found["nodes"]}

        assert names("everywhere") == {"checkout", "trial"}
        assert names("reader") == {"trial"}
        assert names("reader", "/services/map") == {"trial"}
        elsewhere = f"{service}/services?env=production"
        assert httpx.get(elsewhere, headers=keys["reader"]).status_code == 403
        hidden = httpx.get(f"{service}/services/checkout", headers=keys["reader"])
        assert hidden.status_code == 404
        assert "checkout" not in hidden.json()["error"]["hint"]
        assert notes(service, "checkout", **keys["reader"]).status_code == 404
        assert notes(service, "trial", **keys["reader"]).status_code == 200
        owner = {"owner": "Team Trial"}
        assert put(service, owner, "trial", **keys["everywhere"]).status_code == 403
        assert put(service, owner, "trial", **keys["staging admin"]).status_code == 403
        assert put(service, owner, "trial", **keys["admin"]).status_code == 200
        assert notes(service, "trial", **keys["reader"]).json()["owner"] == "Team Trial"

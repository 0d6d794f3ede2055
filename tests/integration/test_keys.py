"""API keys over HTTP, with a real database behind."""

import base64
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from logstream.api_keys import Role, make_key
from logstream.land import key_table
from tests.service_thread import running_service, settings_for

LINE = {"source": "checkout", "severity": "info", "message": "Order 17 placed"}


class Guarded:
    """A service that needs keys, and its database."""

    def __init__(self, base: str, database_url: str) -> None:
        self.base = base
        self.database_url = database_url

    def key(self, role: Role, environment: str | None = None, **more: Any) -> str:
        """A fresh key, stored."""
        key, stored = make_key(role, environment, **more)
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            key_table.add(connection, stored)
        return key

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """What a statement gives."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            return connection.execute(statement).fetchall()

    def send(self, key: str, line: dict[str, Any] | None = None) -> httpx.Response:
        """Send one line with a key as Bearer."""
        return httpx.post(
            f"{self.base}/logs/ingest",
            json=line or LINE,
            headers={"Authorization": f"Bearer {key}"},
        )

    def read(self, path: str, key: str) -> httpx.Response:
        """Ask with a key as Bearer."""
        return httpx.get(f"{self.base}{path}", headers={"Authorization": f"Bearer {key}"})


@contextmanager
def guarded_service(database_url: str, data_dir: Path, **settings: Any) -> Iterator[Guarded]:
    """A running service that needs keys."""
    with running_service(
        settings_for(database_url, data_dir, **{"require_keys": True, **settings})
    ) as base:
        yield Guarded(base, database_url)


@pytest.fixture
def guarded(database_url: str, tmp_path: Path) -> Iterator[Guarded]:
    with guarded_service(database_url, tmp_path) as one:
        yield one


def eventually(is_so: Any, seconds: float = 10) -> None:
    """Wait for what happens in the background."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


def test_without_a_key_only_health_and_the_root_answer(guarded: Guarded) -> None:
    for path in ("/", "/health/live", "/health/ready"):
        assert httpx.get(guarded.base + path).status_code == 200, path
    refused = httpx.post(f"{guarded.base}/logs/ingest", json=LINE)
    assert refused.status_code == 401
    assert refused.json()["error"]["code"] == "unauthorized"
    assert "logstream keys create" in refused.json()["error"]["hint"]
    for path in (
        *("/logs/recent", "/logs/search", "/logs/facets", "/logs/trend", "/logs/1"),
        *("/logs/severity-breakdown", "/logs/1/context", "/metrics", "/system", "/docs"),
        *("/openapi.json", "/static-offline-docs/favicon.png", "/no/such/path"),
    ):
        assert httpx.get(guarded.base + path).status_code == 401, path
    assert httpx.post(f"{guarded.base}/realtime/negotiate").status_code == 401
    # A browser asks the person for it; the page's own fetches must not make it ask.
    assert "Basic" in httpx.get(f"{guarded.base}/docs").headers["www-authenticate"]
    assert "www-authenticate" not in httpx.get(f"{guarded.base}/logs/recent").headers


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_every_kind_of_client_has_its_place_for_the_key(guarded: Guarded) -> None:
    key = guarded.key("ingest", "prod")
    encoded = base64.b64encode(f"id:{key}".encode()).decode()
    for headers in (
        {"Authorization": f"Bearer {key}"},
        {"Authorization": f"bearer  {key}"},
        {"Authorization": f"Splunk {key}"},
        {"Authorization": f"ApiKey {encoded}"},
        {"Authorization": f"ApiKey {key}"},
        {"Authorization": basic("anybody", key)},
        {"Authorization": basic(key, "")},
        {"Authorization": f"Sentry sentry_version=7, sentry_key={key}"},
        {"Authorization": key},
        {"DD-API-KEY": key},
        {"X-Seq-ApiKey": key},
        {"X-API-Key": key},
        {"X-Insert-Key": key},
        {"X-Sentry-Auth": f"Sentry sentry_version=7, sentry_client=js/8, sentry_key={key}"},
        # A dummy in one place does not hide the key in another.
        {"Authorization": "Splunk 00000000-0000-0000-0000-000000000000", "X-API-Key": key},
    ):
        reply = httpx.post(f"{guarded.base}/logs/ingest", json=LINE, headers=headers)
        assert reply.status_code == 201, headers
    for name in ("dd-api-key", "api_key", "apiKey", "token", "sentry_key"):
        reply = httpx.post(f"{guarded.base}/logs/ingest", json=LINE, params={name: key})
        assert reply.status_code == 201, name


def test_a_role_is_held_to_what_it_may(guarded: Guarded) -> None:
    ingest, read = guarded.key("ingest", "prod"), guarded.key("read")
    admin = guarded.key("admin")
    assert guarded.send(ingest).status_code == 201
    assert guarded.read("/logs/recent", read).status_code == 200
    assert guarded.send(admin).status_code == 201
    assert guarded.read("/system", admin).status_code == 200
    for refused in (guarded.send(read), guarded.read("/logs/recent", ingest)):
        assert refused.status_code == 403
        assert refused.json()["error"]["code"] == "forbidden"


def test_a_key_writes_to_its_environment_only_and_the_senders_word_is_kept(
    guarded: Guarded,
) -> None:
    key = guarded.key("ingest", "prod")
    guarded.send(key)
    guarded.send(key, {**LINE, "environment": "staging", "metadata": {"order": 17}})
    guarded.send(key, {**LINE, "environment": "staging", "metadata": {"environment": "their own"}})
    lines = guarded.read("/logs/recent", guarded.key("read")).json()
    assert {line["environment"] for line in lines} == {"prod"}
    assert [line["metadata"] for line in reversed(lines)] == [
        {},
        {"order": 17, "environment": "staging"},
        {"environment": "their own"},
    ]


def test_a_read_key_with_an_environment_sees_nothing_of_another(guarded: Guarded) -> None:
    ids = {}
    for environment in ("prod", "staging"):
        reply = guarded.send(guarded.key("ingest", environment))
        ids[environment] = reply.json()["ids"][0]
    key = guarded.key("read", "prod")
    assert [line["environment"] for line in guarded.read("/logs/recent", key).json()] == ["prod"]
    assert len(guarded.read("/logs/recent?env=prod", key).json()) == 1
    assert len(guarded.read("/logs/recent?env=-staging", key).json()) == 1
    assert guarded.read("/logs/recent?env=-prod", key).json() == []
    received = "received?from=2020-01-01&to=2020-01-01T01:00:00Z&"
    questions = (
        *("recent?", "search?", "facets?", "trend?", "severity-breakdown?", received),
        *("fields?", "trend?by=severity&", "differences?range=1h&"),
    )
    for path in questions:
        refused = guarded.read(f"/logs/{path}env=staging", key)
        assert refused.status_code == 403, path
        assert "'staging'" in refused.json()["error"]["message"]
    assert [one["value"] for one in guarded.read("/logs/facets", key).json()["env"]] == ["prod"]
    offered = guarded.read("/logs/complete?q=env:", key).json()["suggestions"]
    assert [one["label"] for one in offered] == ["prod"]
    assert "env" not in guarded.read("/logs/facets?fields=pattern,service", key).json()
    assert guarded.read(f"/logs/{ids['staging']}/context?scope=host", key).status_code == 404
    assert guarded.read(f"/logs/{ids['prod']}", key).status_code == 200
    foreign, missing = (
        guarded.read(f"/logs/{one}", key).json()["error"]["message"]
        for one in (ids["staging"], 10**6)
    )
    assert foreign.replace(str(ids["staging"]), "N") == missing.replace(str(10**6), "N")
    assert guarded.read(f"/logs/{ids['staging']}/context", key).status_code == 404
    around = guarded.read(f"/logs/{ids['prod']}/context?scope=all", key).json()
    assert around["before"] == around["after"] == []
    id_range = f"/logs/recent?fromId=1&toId={max(ids.values())}"
    assert len(guarded.read(id_range, key).json()) == 1
    for path in ("/metrics", "/system"):
        assert guarded.read(path, key).status_code == 403
    headers = {"Authorization": f"Bearer {key}"}
    negotiate = f"{guarded.base}/realtime/negotiate"
    own = httpx.post(negotiate, headers=headers).json()["groups"]
    assert own == httpx.post(negotiate, json={"env": ["prod"]}, headers=headers).json()["groups"]
    refused = httpx.post(negotiate, json={"env": ["prod", "staging"]}, headers=headers)
    assert refused.status_code == 403


def test_a_key_that_is_revoked_or_over_is_refused_within_seconds(guarded: Guarded) -> None:
    revoked, expired = guarded.key("ingest", "prod"), guarded.key("ingest", "prod")
    assert guarded.send(revoked).status_code == guarded.send(expired).status_code == 201
    guarded.rows(
        f"UPDATE api_keys SET revoked_at = now() WHERE prefix = '{revoked[:11]}' RETURNING prefix"
    )
    guarded.rows(
        f"UPDATE api_keys SET expires_at = now() WHERE prefix = '{expired[:11]}' RETURNING prefix"
    )
    eventually(lambda: guarded.send(revoked).status_code == 401, 5)
    eventually(lambda: guarded.send(expired).status_code == 401, 5)
    assert "was revoked" in guarded.send(revoked).json()["error"]["message"]
    assert "has expired" in guarded.send(expired).json()["error"]["message"]


def test_what_comes_with_a_key_is_counted(guarded: Guarded) -> None:
    key = guarded.key("ingest", "prod")
    guarded.send(key)
    bad = guarded.send(key, {"source": "checkout"})
    assert bad.status_code == 400
    counted = (
        "SELECT line_count, rejected_count, byte_count > 60, last_used_at IS NOT NULL"
        f" FROM api_keys WHERE prefix = '{key[:11]}'"
    )
    eventually(lambda: guarded.rows(counted) == [(1, 1, True, True)])


def test_a_wrong_key_is_repeated_nowhere_and_soon_slowed_down(
    guarded: Guarded, caplog: pytest.LogCaptureFixture
) -> None:
    right = guarded.key("ingest", "prod")
    assert guarded.send(right).status_code == 201
    wrong = right[:-8] + "AAAAAAAA"
    secret = wrong[12:]
    with caplog.at_level(logging.DEBUG):
        for reply in (
            guarded.send(wrong),
            httpx.post(f"{guarded.base}/logs/ingest", json=LINE, params={"api_key": wrong}),
            httpx.post(f"{guarded.base}/logs/ingest", json=LINE, headers={"DD-API-KEY": wrong}),
            httpx.get(f"{guarded.base}/logs/{wrong}", headers={"X-API-Key": right}),
            httpx.delete(f"{guarded.base}/v1/input/{wrong}"),
            httpx.put(f"{guarded.base}/logs/ingest?token={wrong}", json=LINE),
        ):
            assert reply.status_code >= 400
            assert secret not in reply.text
    assert secret not in "".join(
        record.getMessage() for record in caplog.records if record.name.startswith("ingest_service")
    )
    replies = [guarded.send(wrong) for _ in range(40)]
    assert replies[0].status_code == 401
    # One a second is still looked at, so which ones are refused is a matter of speed.
    slowed = [reply for reply in replies if reply.status_code == 429]
    assert slowed
    assert int(slowed[0].headers["retry-after"]) >= 1
    assert guarded.send(right).status_code == 201, "a key that is known goes on working"
    other = guarded.key("ingest", "prod")
    eventually(lambda: guarded.send(other).status_code == 201)


def test_without_a_need_for_keys_dummies_pass_and_keys_are_held_to_their_word(
    database_url: str, tmp_path: Path
) -> None:
    with guarded_service(database_url, tmp_path, require_keys=None) as service:
        for headers in (
            {},
            {"Authorization": "Splunk 00000000-0000-0000-0000-000000000000"},
            {"Authorization": basic("elastic", "changeme")},
            {"Authorization": "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln"},
            {"DD-API-KEY": "0123456789abcdef"},
        ):
            reply = httpx.post(f"{service.base}/logs/ingest", json=LINE, headers=headers)
            assert reply.status_code == 201, headers
        assert service.send("ls_abc").status_code == 401
        assert service.send("ls_abcdefgh_" + "0" * 33).status_code == 401
        assert service.send(service.key("read")).status_code == 403
        assert httpx.get(f"{service.base}/system").status_code == 200


def test_known_keys_work_while_the_database_is_away_and_unknown_ones_are_asked_to_wait(
    guarded: Guarded, postgres_url: str
) -> None:
    key, unknown = guarded.key("ingest", "prod"), "ls_abcdefgh_" + "0" * 33
    assert guarded.send(key).status_code == 201
    name = urlsplit(guarded.database_url).path.lstrip("/")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
        eventually(lambda: guarded.send(unknown).status_code == 503)
        assert int(guarded.send(unknown).headers["retry-after"]) >= 1
        reply = guarded.send(key)
        assert (reply.status_code, reply.json()["durable"]) == (201, "spool")
        connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    eventually(lambda: guarded.send(unknown).status_code == 401)


def test_a_keys_lines_and_an_addresss_requests_are_limited(
    database_url: str, tmp_path: Path
) -> None:
    with guarded_service(database_url, tmp_path, rate_limit_per_second=30) as service:
        key = service.key("ingest", "prod", rate_per_second=10)
        batch = [LINE] * 600
        headers = {"Authorization": f"Bearer {key}"}
        first = httpx.post(f"{service.base}/logs/ingest", json=batch, headers=headers)
        assert (first.status_code, first.json()["accepted"]) == (201, 600)
        held = httpx.post(f"{service.base}/logs/ingest", json=batch, headers=headers)
        assert held.status_code == 429
        assert 50 < int(held.headers["retry-after"]) <= 60
        other = service.key("ingest", "prod")
        with httpx.Client(headers={"Authorization": f"Bearer {other}"}) as client:
            replies = [client.post(f"{service.base}/logs/ingest", json=LINE) for _ in range(100)]
            limited = [reply for reply in replies if reply.status_code == 429]
            assert limited
            assert limited[0].json()["error"]["code"] == "rate_limited"
            assert limited[0].headers["retry-after"] == "1"
            # A trusted proxy says whose request it is: somebody else's is not held back.
            elsewhere = client.post(
                f"{service.base}/logs/ingest",
                json=LINE,
                headers={"X-Forwarded-For": "203.0.113.7"},
            )
            assert elsewhere.status_code == 201
        assert httpx.get(f"{service.base}/health/live").status_code == 200


def test_what_must_not_be_stored_is_masked_and_the_line_says_so(
    database_url: str, tmp_path: Path
) -> None:
    with guarded_service(
        database_url,
        tmp_path,
        require_keys=None,
        redact=r"email,card,bearer,ticket=/T-\d{4}/",
        max_attributes=5,
    ) as service:
        lines = [
            {**LINE, "message": "mail bob@example.com", "metadata": {"deep": [{"to": "T-1234"}]}},
            {**LINE, "message": "nothing here"},
            {**LINE, "metadata": {f"key number {number}": number for number in range(9)}},
            {"message": "no source, but bob@example.com"},
        ]
        reply = httpx.post(f"{service.base}/logs/ingest", json=lines).json()
        assert reply["accepted"] == 2
        assert [reject["index"] for reject in reply["rejected"]] == [2, 3]
        assert "LOGSTREAM_MAX_ATTRIBUTES" in reply["rejected"][0]["error"]
        plain, masked = httpx.get(f"{service.base}/logs/recent").json()
        assert plain["metadata"] == {}
        assert masked["message"] == "mail [redacted:email]"
        assert masked["metadata"] == {
            "deep": [{"to": "[redacted:ticket]"}],
            "logstream.redacted": ["email", "ticket"],
        }
        raw = service.rows("SELECT raw FROM rejects ORDER BY record_index")[1][0]
        assert b"[redacted:email]" in raw
        assert b"bob" not in raw


def test_every_answer_has_the_headers_that_browsers_heed(database_url: str, tmp_path: Path) -> None:
    origin = "https://shop.example.com"
    with guarded_service(
        database_url, tmp_path, require_keys=None, allowed_origins=origin
    ) as service:
        for reply in (
            httpx.post(f"{service.base}/logs/ingest", json=LINE),
            httpx.post(f"{service.base}/logs/ingest", content=b"{"),
            httpx.get(f"{service.base}/logs/recent"),
            httpx.get(f"{service.base}/no/such/path"),
            httpx.get(f"{service.base}/docs"),
        ):
            assert reply.headers["x-content-type-options"] == "nosniff", reply.url
            assert reply.headers["cache-control"] == "no-store"
            assert reply.headers["referrer-policy"] == "no-referrer"
        docs = httpx.get(f"{service.base}/docs").headers
        assert docs["content-security-policy"] == "frame-ancestors 'none'"
        asked = {
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type,x-api-key",
        }
        url = f"{service.base}/logs/ingest"
        allowed = httpx.options(url, headers={"Origin": origin, **asked})
        assert allowed.status_code == 204
        assert allowed.headers["access-control-allow-origin"] == origin
        assert "x-api-key" in allowed.headers["access-control-allow-headers"]
        sent = httpx.post(url, json=LINE, headers={"Origin": origin})
        assert sent.headers["access-control-allow-origin"] == origin
        for other in ("https://evil.example.com", "null", service.base):
            refused = httpx.options(url, headers={"Origin": other, **asked})
            assert "access-control-allow-origin" not in refused.headers
            sent = httpx.post(url, json=LINE, headers={"Origin": other})
            assert "access-control-allow-origin" not in sent.headers

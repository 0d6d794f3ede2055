"""Aliases over HTTP: taught, read, forgotten, each within the environment of a key."""

from pathlib import Path

import httpx
import psycopg
import pytest

from logstream.api_keys import make_key
from logstream.land import key_table
from logstream.land.alias_table import MOST_ALIASES
from tests.service_thread import running_service, settings_for


def aliases(service: str, **headers: str) -> list[tuple[str, str, str | None]]:
    reply = httpx.get(f"{service}/ai/aliases", headers=headers)
    assert reply.status_code == 200, reply.text
    return [(a["word"], a["value"], a["environment"]) for a in reply.json()["aliases"]]


def put(service: str, body: object, **headers: str) -> httpx.Response:
    return httpx.put(f"{service}/ai/aliases", json=body, headers=headers)


def test_a_word_is_taught_corrected_and_forgotten(service: str) -> None:
    assert aliases(service) == []
    reply = put(service, {"word": "  Payment\u3000 System ", "value": " payment-gateway "})
    assert reply.status_code == 200
    taught = reply.json()
    assert (taught["word"], taught["kind"], taught["value"]) == (
        "payment system",
        "service",
        "payment-gateway",
    )
    put(service, {"word": "payment system", "value": "pay-v2"})
    put(service, {"word": "payment system", "value": "pay-test", "environment": "staging"})
    put(service, {"word": "boom", "kind": "term", "value": '"out of memory"'})
    assert aliases(service) == [
        ("boom", '"out of memory"', None),
        ("payment system", "pay-v2", None),
        ("payment system", "pay-test", "staging"),
    ]
    gone = httpx.delete(f"{service}/ai/aliases", params={"word": "Payment system"})
    assert gone.json() == {"removed": "payment system"}
    assert ("payment system", "pay-test", "staging") in aliases(service)
    again = httpx.delete(f"{service}/ai/aliases", params={"word": "payment system"})
    assert again.status_code == 404
    assert "'payment system' is no alias" in again.json()["error"]["message"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ([], "no JSON object"),
        ({"value": "cart"}, "word is missing"),
        ({"word": "", "value": "cart"}, "cannot be an alias"),
        ({"word": "x" * 61, "value": "cart"}, "cannot be an alias"),
        ({"word": "a\x00b", "value": "cart"}, "cannot be an alias"),
        ({"word": "basket", "value": " "}, "cannot be what an alias means"),
        ({"word": "basket", "value": "cart", "kind": "spell"}, "kind 'spell' is not known"),
        ({"word": "basket", "value": 3}, "value is missing or no text"),
        ({"word": "basket", "value": "cart", "environment": "a\x00"}, "NUL"),
    ],
)
def test_what_cannot_be_an_alias_is_refused_with_a_remedy(
    service: str, body: object, said: str
) -> None:
    reply = put(service, body)
    assert reply.status_code == 400
    assert said in reply.json()["error"]["message"] and reply.json()["error"]["hint"]
    assert aliases(service) == []


def test_there_is_an_end_to_aliases_but_not_to_correcting_them(
    service: str, database_url: str
) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO aliases (word, kind, value)"
            " SELECT 'word ' || n, 'service', 'cart' FROM generate_series(1, %s) n",
            [MOST_ALIASES],
        )
    assert "1,000 aliases already" in put(service, {"word": "more", "value": "x"}).text
    assert put(service, {"word": "word 7", "value": "checkout"}).status_code == 200


def test_a_key_of_one_environment_sees_and_changes_its_own(
    database_url: str, tmp_path: Path
) -> None:
    keys = {}
    with psycopg.connect(database_url) as connection:
        for name, role, environment in (
            ("all", "admin", None),
            ("own", "admin", "staging"),
            ("reader", "read", "staging"),
        ):
            key, stored = make_key(role, environment)  # type: ignore[arg-type]
            key_table.add(connection, stored)
            keys[name] = {"Authorization": f"Bearer {key}"}
    settings = settings_for(database_url, tmp_path, require_keys=True)
    with running_service(settings) as service:
        everywhere = {"word": "pay", "value": "payment-gateway"}
        assert put(service, everywhere, **keys["all"]).status_code == 200
        put(service, {**everywhere, "environment": "production"}, **keys["all"])
        refused = put(service, everywhere, **keys["own"])
        assert refused.status_code == 403 and "'staging' only" in refused.text
        assert put(service, {**everywhere, "environment": "staging"}, **keys["own"]).is_success
        seen = [("pay", "payment-gateway", None), ("pay", "payment-gateway", "staging")]
        assert aliases(service, **keys["own"]) == aliases(service, **keys["reader"]) == seen
        assert put(service, everywhere, **keys["reader"]).status_code == 403
        assert httpx.get(f"{service}/ai/aliases").status_code == 401

"""Saved views over HTTP: made, opened by `view=`, changed, deleted, and guarded by keys."""

from pathlib import Path
from typing import Any

import httpx

from tests.integration.test_keys import guarded_service

ERRORS = {
    "name": "Payment errors",
    "owner": "Ada",
    "state": {"service": "payment-gateway", "severity": "error,fatal", "cols": "message"},
}


def saved(service: str, **more: Any) -> dict[str, Any]:
    answer = httpx.post(f"{service}/views", json={**ERRORS, **more})
    assert answer.status_code == 201, answer.text
    view: dict[str, Any] = answer.json()
    return view


def test_a_view_is_saved_listed_changed_and_deleted(service: str) -> None:
    view = saved(service)
    own = f"{service}/views/{view['id']}"
    assert view == {**view, **ERRORS, "team": True}
    assert httpx.get(own).json() == view
    assert httpx.get(f"{service}/views").json() == {"views": [view]}

    changed = httpx.put(own, json={"state": {"q": "declined"}}).json()
    assert (changed["name"], changed["state"]) == ("Payment errors", {"q": "declined"})

    assert httpx.delete(own).json() == {"deleted": view["id"]}
    for gone in (httpx.get(own), httpx.delete(own), httpx.put(own, json=ERRORS)):
        assert gone.status_code == 404
        assert view["id"] in gone.json()["error"]["message"]
    assert httpx.get(f"{service}/views").json() == {"views": []}


def test_a_personal_view_is_in_its_owners_list_only(service: str) -> None:
    team, own = saved(service), saved(service, name="Mine", team=False)
    ids = [one["id"] for one in httpx.get(f"{service}/views").json()["views"]]
    assert ids == [team["id"]]
    mine = httpx.get(f"{service}/views", params={"owner": "Ada"}).json()["views"]
    assert [one["id"] for one in mine] == [own["id"], team["id"]]
    # Its link opens for whoever has it.
    assert httpx.get(f"{service}/views/{own['id']}").json() == own


def test_a_question_may_name_a_view_and_say_what_differs(service: str) -> None:
    lines = [
        {"source": "payment-gateway", "severity": "error", "message": "card declined"},
        {"source": "payment-gateway", "severity": "info", "message": "card accepted"},
        {"source": "cart", "severity": "error", "message": "cart is full"},
    ]
    httpx.post(f"{service}/logs/ingest", json=lines).raise_for_status()
    view = saved(service)["id"]

    def found(**parameters: str) -> set[str]:
        answer = httpx.get(f"{service}/logs/search", params={"view": view, **parameters})
        assert answer.status_code == 200, answer.text
        return {line["message"] for line in answer.json()["logs"]}

    assert found() == {"card declined"}
    assert found(service="cart") == {"cart is full"}
    assert found(service="") == {"card declined", "cart is full"}
    assert found(severity="") == {"card declined", "card accepted"}
    assert found(q="accepted", severity="") == {"card accepted"}


def test_an_unknown_view_is_said_to_be_unknown(service: str) -> None:
    for path in ("/views/abcdefgh", "/logs/search?view=abcdefgh"):
        answer = httpx.get(service + path)
        assert answer.status_code == 404
        assert "no saved view 'abcdefgh'" in answer.json()["error"]["message"]
    answer = httpx.get(f"{service}/logs/search?view=../../etc")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "bad_filter"


def test_what_is_no_view_is_refused_in_words(service: str) -> None:
    for body, word in (
        ({"state": {}}, "name"),
        ({"name": "x", "state": {"api_key": "ls_1"}}, "api_key"),
        ({"name": "x", "state": {"severity": "loud"}}, "loud"),
        ({"name": "x", "state": {}, "id": "abcdefgh"}, "id"),
        ([], "dictionary"),
    ):
        answer = httpx.post(f"{service}/views", json=body)
        assert answer.status_code == 400, body
        assert word in answer.json()["error"]["message"]
    # What another site's page could send from somebody's browser.
    for content_type in ("text/plain", "application/x-www-form-urlencoded"):
        answer = httpx.post(
            f"{service}/views",
            content='{"name": "x", "state": {}}',
            headers={"content-type": content_type},
        )
        assert answer.status_code == 400
    assert httpx.get(f"{service}/views").json() == {"views": []}


def test_keys_read_views_or_write_them_and_keep_to_their_environment(
    database_url: str, tmp_path: Path
) -> None:
    with guarded_service(database_url, tmp_path) as guarded:

        def ask(method: str, path: str, key: str, body: Any = None) -> httpx.Response:
            headers = {"Authorization": f"Bearer {key}"}
            return httpx.request(method, guarded.base + path, headers=headers, json=body)

        admin, read = guarded.key("admin"), guarded.key("read")
        view = ask("POST", "/views", admin, ERRORS).json()
        staging = ask(
            "POST", "/views", admin, {"name": "Staging", "state": {"env": "staging"}}
        ).json()
        for method in ("POST", "PUT", "DELETE"):
            path = "/views" if method == "POST" else f"/views/{view['id']}"
            for key in (read, guarded.key("ingest")):
                assert ask(method, path, key, ERRORS).status_code == 403
            assert httpx.request(method, guarded.base + path, json=ERRORS).status_code == 401
        assert ask("GET", "/views", read).json()["views"] == [view, staging]

        # A key for one environment: its own views and those of none, each as its own.
        local = guarded.key("read", "production")
        assert ask("GET", "/views", local).json()["views"] == [view]
        assert ask("GET", f"/views/{staging['id']}", local).status_code == 404
        assert ask("GET", f"/logs/search?view={view['id']}", local).status_code == 200
        assert ask("GET", f"/logs/search?view={staging['id']}", local).status_code == 404
        chief = guarded.key("admin", "production")
        own = ask("POST", "/views", chief, ERRORS).json()
        assert own["state"]["env"] == "production"
        assert ask("PUT", f"/views/{own['id']}", chief, {"name": "Ours"}).status_code == 200
        assert ask("DELETE", f"/views/{view['id']}", chief).status_code == 403
        assert ask("DELETE", f"/views/{staging['id']}", chief).status_code == 404
        other = {"name": "x", "state": {"env": "staging"}}
        assert ask("POST", "/views", chief, other).status_code == 403

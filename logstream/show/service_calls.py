"""What people ask the ingest service to do from a page: read a body, keep a view or a word."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from logstream import wiring
from logstream.errors import LogStreamError, SettingsError, StoreUnavailable
from logstream.filter import LogFilter
from logstream.saved_view import ViewDraft
from logstream.show import session

TIMEOUT_SECONDS = 20.0
PASS_SECONDS = 60
_JSON = {"content-type": "application/json"}


class Declined(LogStreamError):
    """The service answered with an error, in its own words."""

    code = "declined"


def explain(body: str, format: str = "") -> Mapping[str, Any]:
    """How the service would read a body, see docs/ingest.md; raises Declined, StoreUnavailable."""
    return _post("/ingest/explain", body.encode(), {"format": format} if format else {})


def send_again(reject_id: int, body: str | None = None, path: str = "") -> Mapping[str, Any]:
    """Land a refused record, as it is kept or as `body` corrects it; raises as `explain`."""
    content = b"" if body is None else body.encode()
    return _post(f"/rejects/{reject_id}/resend", content, {"path": path} if path else {})


def save_view(draft: ViewDraft, view_id: str = "") -> str:
    """Save a view, or change the one with this id; its id. Raises as `explain`."""
    body = {
        "name": draft.name,
        "owner": draft.owner,
        "team": draft.is_team,
        "state": dict(draft.state),
    }
    content = msgspec.json.encode(body)
    if view_id:
        return str(_call("PUT", f"/views/{view_id}", content, {})["id"])
    return str(_post("/views", content, {})["id"])


def delete_view(view_id: str) -> None:
    """Delete a saved view; raises as `explain`."""
    _call("DELETE", f"/views/{view_id}", b"", {})


def ask(
    question: str, log_filter: LogFilter, timezone: str, *, is_refining: bool
) -> Mapping[str, Any]:
    """What a question in plain words means, see docs/ask.md; raises Declined, StoreUnavailable."""
    asked = {
        "query": question,
        "filter": log_filter.to_url(),
        "refine": is_refining,
        "timezone": timezone,
        "explain": True,
    }
    return _post("/ai/search", msgspec.json.encode(asked), {})


def aliases() -> Sequence[Mapping[str, Any]]:
    """What words mean in questions; raises as `ask`."""
    found: Sequence[Mapping[str, Any]] = _call("GET", "/ai/aliases", b"", {})["aliases"]
    return found


def teach(word: str, value: str, kind: str) -> None:
    """From now on the word means this; raises as `ask`."""
    content = msgspec.json.encode({"word": word, "value": value, "kind": kind})
    _call("PUT", "/ai/aliases", content, {})


def unteach(word: str, environment: str | None) -> None:
    """From now on the word means nothing of its own; raises as `ask`."""
    parameters = {"word": word, **({"environment": environment} if environment else {})}
    _call("DELETE", "/ai/aliases", b"", parameters)


def service_notes(service: str) -> Mapping[str, Any]:
    """Owner and links of a service; raises Declined, StoreUnavailable."""
    return _call("GET", _notes_of(service), b"", {})


def keep_service_notes(service: str, owner: str, links: Sequence[Mapping[str, str]]) -> None:
    """Note owner and links in place of those before; raises as `service_notes`."""
    content = msgspec.json.encode({"owner": owner, "links": list(links)})
    _call("PUT", _notes_of(service), content, {})


def _notes_of(service: str) -> str:
    return f"/services/{quote(service, safe='')}/notes"


def _post(path: str, content: bytes, parameters: Mapping[str, str]) -> Mapping[str, Any]:
    return _call("POST", path, content, parameters)


def _call(
    method: str, path: str, content: bytes, parameters: Mapping[str, str]
) -> Mapping[str, Any]:
    address = session.settings().url
    try:
        answer = httpx.request(
            method,
            f"{address}{path}",
            content=content,
            params=dict(parameters),
            headers={**_headers(), **(_JSON if path.startswith("/views") else {})},
            timeout=TIMEOUT_SECONDS,
        )
        facts: Mapping[str, Any] = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise StoreUnavailable(f"the ingest service at {address} does not answer") from error
    if answer.is_success:
        return facts
    said = facts.get("error") or {}
    raise Declined(str(said.get("message", answer.status_code)), str(said.get("hint", "")))


def _headers() -> dict[str, str]:
    """What lets this process in at the service; a browser never sees it."""
    try:
        own = wiring.passes(session.settings()).issue("admin", "dashboard", PASS_SECONDS)
    except SettingsError:
        return {}
    return {"Authorization": f"Bearer {own}"}

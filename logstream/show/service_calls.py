"""What people ask the ingest service to do from a page: read a body, take a record again."""

from collections.abc import Mapping
from typing import Any

import httpx

from logstream import wiring
from logstream.errors import LogStreamError, SettingsError, StoreUnavailable
from logstream.show import session

TIMEOUT_SECONDS = 20.0
PASS_SECONDS = 60


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


def _post(path: str, content: bytes, parameters: Mapping[str, str]) -> Mapping[str, Any]:
    address = session.settings().url
    try:
        answer = httpx.post(
            f"{address}{path}",
            content=content,
            params=dict(parameters),
            headers=_headers(),
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

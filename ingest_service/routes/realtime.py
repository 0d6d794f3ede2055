"""POST /realtime/negotiate: where a viewer's browser listens, and with which token."""

import time
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec
from fastapi import APIRouter, Request

from ingest_service.guard import read_body
from ingest_service.reading import caller_of
from ingest_service.replies import JsonReply
from logstream.errors import DecodeError, TooLarge
from logstream.notify.frames import group_of

router = APIRouter(tags=["realtime"])
TOKEN_MINUTES = 60
MAX_ENVIRONMENTS = 100
MAX_BODY_BYTES = 64 * 1024


@router.post("/realtime/negotiate", summary="Address and token for a Web PubSub client")
async def negotiate(request: Request) -> JsonReply:
    """Body (optional): `{"env": ["production"], "light": false}`; no `env` means every one.

    The connection is a member of its groups from the start; each message is one frame, with
    `light` a small one. `problem` says why none are sent now, if so.
    """
    environments, is_light = await _wanted(request)
    own = caller_of(request).environment
    if own is not None:
        caller_of(request).check_environments(environments)
        environments = [own]
    names: list[str | None] = [*environments] or [None]
    groups = [group_of(name, light=is_light) for name in names]
    state = request.app.state
    url, token, expires_at = await state.push.client_access("viewer", groups, TOKEN_MINUTES)
    if state.hub is not None:
        url = _as_reached(url, request)
    return JsonReply(
        {
            "url": url,
            "accessToken": token,
            "expiresAt": int(expires_at.timestamp()),
            "groups": groups,
            "nowUnixMs": time.time_ns() // 1_000_000,
            "problem": state.publisher.problem,
        }
    )


async def _wanted(request: Request) -> tuple[list[str], bool]:
    """The environments asked for, and whether in light frames."""
    length = request.headers.get("content-length", "").encode()
    try:
        body = await read_body(request.receive, length, MAX_BODY_BYTES)
    except TooLarge:
        limit = f"{MAX_BODY_BYTES // 1024} KiB"
        raise TooLarge(f"the body is over {limit}", 'send {"env": ["production"]}') from None
    if not body:
        asked = request.query_params
        listed = [name for name in asked.get("env", "").split(",") if name]
        return listed, asked.get("light", "").lower() in ("1", "true")
    try:
        content: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(
            f"the body is not JSON: {error}", 'send {"env": ["production"]}'
        ) from None
    names = content.get("env") or [] if isinstance(content, dict) else None
    if (
        not isinstance(names, list)
        or len(names) > MAX_ENVIRONMENTS
        or not all(isinstance(name, str) and name for name in names)
    ):
        raise DecodeError("env is not a list of environment names", 'send {"env": ["production"]}')
    is_light = content.get("light", False)
    if not isinstance(is_light, bool):
        raise DecodeError("light is not true or false", 'send {"light": true}')
    return names, is_light


def _as_reached(url: str, request: Request) -> str:
    """The built-in hub's address by the host name under which the viewer reached us."""
    parts = urlsplit(url)
    scheme = "wss" if request.url.scheme == "https" else "ws"
    return urlunsplit((scheme, request.url.netloc, parts.path, parts.query, ""))

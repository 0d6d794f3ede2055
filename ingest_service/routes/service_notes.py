"""Owners and links of services, read and edited."""

import asyncio
from typing import Any

import msgspec
from fastapi import APIRouter, Request

from ingest_service.guard import read_body
from ingest_service.reading import caller_of
from ingest_service.replies import JsonReply
from ingest_service.routes.services import ServiceName, find_service
from logstream.errors import DecodeError, Forbidden
from logstream.land.service_notes import ServiceNotes
from logstream.service_note import (
    LONGEST_OWNER,
    LONGEST_TITLE,
    LONGEST_URL,
    MOST_LINKS,
    ServiceNote,
    read_links,
    read_owner,
)

MAX_BODY_BYTES = 16 * 1024
_EXAMPLE = {
    "owner": "Team Checkout",
    "links": [{"title": "Run book", "url": "https://wiki.example/checkout"}],
}
_HINT = f"send {msgspec.json.encode(_EXAMPLE).decode()}"
_TEXT = {"type": "string"}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "owner": {**_TEXT, "maxLength": LONGEST_OWNER},
                        "links": {
                            "type": "array",
                            "maxItems": MOST_LINKS,
                            "items": {
                                "type": "object",
                                "required": ["url"],
                                "properties": {
                                    "title": {**_TEXT, "maxLength": LONGEST_TITLE},
                                    "url": {**_TEXT, "maxLength": LONGEST_URL},
                                },
                            },
                        },
                    },
                },
                "example": _EXAMPLE,
            }
        },
    }
}

router = APIRouter(tags=["services"])


@router.get("/services/{service:path}/notes", summary="Owner and links of a service")
def notes(request: Request, service: ServiceName) -> JsonReply:
    """`{"service", "owner", "links": [{"title", "url"}], "updatedAt"}`, the same everywhere.

    An empty owner and no links when nobody has noted any. 404 for an unknown service.
    """
    name, _ = find_service(request, service)
    return JsonReply(_notes(request).of(name).to_api())


@router.put("/services/{service:path}/notes", openapi_extra=_BODY, summary="Note owner and links")
async def put(request: Request, service: ServiceName) -> JsonReply:
    """In place of what was noted before; without an owner and links nothing is noted any more.

    For every environment, so not with a key for one. 404 for an unknown service.
    """
    caller = caller_of(request)
    if caller.environment is not None:
        raise Forbidden(
            f"notes are of every environment, key {caller.key} of '{caller.environment}' only",
            "use a key made with --environment all",
        )
    length = request.headers.get("content-length", "").encode()
    body = await read_body(request.receive, length, MAX_BODY_BYTES)
    name, _ = await asyncio.to_thread(find_service, request, service)
    kept = await asyncio.to_thread(_notes(request).put, _read(name, body))
    return JsonReply(kept.to_api())


def _read(service: str, body: bytes) -> ServiceNote:
    try:
        content: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(f"the body is not JSON: {error}", _HINT) from None
    if not isinstance(content, dict):
        raise DecodeError("the body is no JSON object", _HINT)
    owner, links = content.get("owner") or "", content.get("links") or []
    if not isinstance(owner, str):
        raise DecodeError("owner is no text", _HINT)
    if not isinstance(links, list):
        raise DecodeError("links is no list", _HINT)
    pairs = []
    for link in links:
        title = link.get("title") or "" if isinstance(link, dict) else None
        url = link.get("url") if isinstance(link, dict) else None
        if not isinstance(title, str) or not isinstance(url, str):
            raise DecodeError("a link is no object with a title and a url, both text", _HINT)
        pairs.append((title, url))
    return ServiceNote(service, read_owner(owner), read_links(pairs))


def _notes(request: Request) -> ServiceNotes:
    found: ServiceNotes = request.app.state.store.notes
    return found

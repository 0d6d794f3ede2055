"""Aliases over HTTP: what words mean in questions, read and edited."""

import asyncio
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request

from ingest_service.caller import Caller
from ingest_service.guard import read_body
from ingest_service.reading import caller_of
from ingest_service.replies import JsonReply
from logstream.alias import (
    KINDS,
    LONGEST_VALUE,
    LONGEST_WORD,
    Alias,
    alias_value,
    alias_word,
)
from logstream.errors import DecodeError, FilterError, Forbidden, NotFound
from logstream.explain.ask.asker import Asker
from logstream.land.alias_table import AliasTable

MAX_BODY_BYTES = 4 * 1024
_EXAMPLE = 'send {"word": "payment", "value": "payment-gateway"}'

_TEXT = {"type": "string"}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["word", "value"],
                    "properties": {
                        "word": {**_TEXT, "minLength": 1, "maxLength": LONGEST_WORD},
                        "value": {**_TEXT, "minLength": 1, "maxLength": LONGEST_VALUE},
                        "kind": {**_TEXT, "enum": list(KINDS)},
                        "environment": _TEXT,
                    },
                },
                "example": {"word": "payment", "value": "payment-gateway"},
            }
        },
    }
}

router = APIRouter(tags=["ask"])


@router.get("/ai/aliases", summary="What words mean in questions")
def aliases(request: Request) -> JsonReply:
    """`{"aliases": [{"word", "kind", "value", "environment", …}]}`; `environment` null: in all."""
    caller = caller_of(request)
    found = [one for one in _table(request).every() if _may_see(caller, one)]
    return JsonReply({"aliases": [one.to_api() for one in found]})


@router.put("/ai/aliases", openapi_extra=_BODY, summary="Teach what a word means")
async def put(request: Request) -> JsonReply:
    """Body: `{"word", "value", "kind": "service"|"term", "environment"}`, the last two optional.

    In place of what the word meant before in that environment (none: in all of them).
    """
    length = request.headers.get("content-length", "").encode()
    alias = _read(await read_body(request.receive, length, MAX_BODY_BYTES), caller_of(request))
    await asyncio.to_thread(_table(request).put, alias)
    _forget(request)
    return JsonReply(alias.to_api())


@router.delete("/ai/aliases", summary="Forget what a word means")
async def remove(
    request: Request,
    word: Annotated[str, Query(max_length=200)],
    environment: Annotated[str, Query(max_length=200)] = "",
) -> JsonReply:
    """404 when the word means nothing in that environment (none: in all of them)."""
    own = _own_environment(environment or None, caller_of(request))
    asked = alias_word(word)
    was_there = await asyncio.to_thread(_table(request).remove, asked, own)
    _forget(request)
    if not was_there:
        where = f" in environment '{own}'" if own else ""
        raise NotFound(f"'{asked}' is no alias{where}", "list them with GET /ai/aliases")
    return JsonReply({"removed": asked})


def _read(body: bytes, caller: Caller) -> Alias:
    try:
        content: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(f"the body is not JSON: {error}", _EXAMPLE) from None
    if not isinstance(content, dict):
        raise DecodeError("the body is no JSON object", _EXAMPLE)
    for name in ("word", "value"):
        if not isinstance(content.get(name), str):
            raise DecodeError(f"{name} is missing or no text", _EXAMPLE)
    kind = content.get("kind") or "service"
    if kind not in KINDS:
        raise FilterError(
            "kind", f"kind '{str(kind)[:40]}' is not known", f"use {', '.join(KINDS)}"
        )
    environment = content.get("environment") or None
    if environment is not None and not isinstance(environment, str):
        raise DecodeError("environment is no text", _EXAMPLE)
    return Alias(
        alias_word(content["word"]),
        kind,
        alias_value(content["value"]),
        _own_environment(environment, caller),
        created_by=caller.key,
    )


def _own_environment(asked: str | None, caller: Caller) -> str | None:
    """Where the caller may teach words; raises Forbidden for elsewhere."""
    if asked is not None and "\x00" in asked:
        raise FilterError("environment", "environment holds a NUL character", "remove it")
    if not caller.may_read(asked) if asked else caller.environment is not None:
        raise Forbidden(
            f"key {caller.key} may change aliases of environment '{caller.environment}' only",
            f'send {{"environment": "{caller.environment}"}}',
        )
    return asked


def _may_see(caller: Caller, alias: Alias) -> bool:
    return alias.environment is None or caller.may_read(alias.environment)


def _table(request: Request) -> AliasTable:
    table: AliasTable = request.app.state.store.aliases
    return table


def _forget(request: Request) -> None:
    """Questions asked from now on are read with what was changed."""
    asker: Asker = request.app.state.asker
    asker.forget()

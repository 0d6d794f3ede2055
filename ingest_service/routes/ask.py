"""POST /ai/search: a question in plain words, answered with the filter that it means."""

import time
from typing import Any, get_args

import msgspec
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool

from ingest_service.guard import read_body
from ingest_service.reading import caller_of
from ingest_service.replies import JsonReply
from ingest_service.routes.logs import MAX_LIMIT
from logstream.errors import DecodeError, FilterError
from logstream.explain.ask.answer import LONGEST_QUESTION, Interpreter, Question
from logstream.explain.ask.asker import Asker
from logstream.filter import LogFilter
from logstream.ports import LogReader
from logstream.zones import read_zone

MAX_BODY_BYTES = 64 * 1024
# What programs call the question.
TEXT_NAMES = ("query", "question", "q", "text", "prompt")
_EXAMPLE = 'send {"query": "payment errors in the last hour"}'
_INTERPRETERS: tuple[Interpreter, ...] = get_args(Interpreter)

_TEXT, _FLAG = {"type": "string"}, {"type": "boolean"}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["query"],
                    "properties": {
                        "query": {**_TEXT, "minLength": 1, "maxLength": LONGEST_QUESTION},
                        "timezone": _TEXT,
                        "filter": {"type": "object", "additionalProperties": _TEXT},
                        "refine": _FLAG,
                        "interpreter": {**_TEXT, "enum": list(_INTERPRETERS)},
                        "limit": {"type": "integer", "minimum": 0, "maximum": MAX_LIMIT},
                        "explain": _FLAG,
                    },
                },
                "example": {"query": "payment errors in the last hour"},
            }
        },
    }
}

router = APIRouter(tags=["ask"])


@router.post("/ai/search", openapi_extra=_BODY, summary="Plain words as a filter")
async def ask(request: Request) -> JsonReply:
    """Body: `{"query": "payment errors yesterday", "timezone": "Europe/Berlin"}`.

    Optional: `filter`, the one in force in URL names, and whether the question `refine`s it
    (absent: when it sounds like it; else only time and environment stay); `interpreter`: `auto`,
    `rules` or `model`; `limit`: so many of the newest lines found come along as `logs`;
    `explain`: the words sent to the model, as `sent`.

    The answer holds the filter in URL names (`severity`, `service` and `source`, `env`, `trace`,
    `q`, `range` or `from` and `to`), `understood`, `notUnderstood`, what to `show` of it, and
    which `interpreter` read the question. A model never reads more than the caller may.
    """
    length = request.headers.get("content-length", "").encode()
    asked = _read(await read_body(request.receive, length, MAX_BODY_BYTES))
    caller = caller_of(request)
    question = Question(
        asked.text,
        read_zone(asked.timezone or "UTC"),
        caller.narrowed(LogFilter.from_url(asked.filter)),
        asked.is_refining,
        caller.environment,
        "rules" if _is_from_elsewhere(request) else asked.interpreter,
    )
    asker: Asker = request.app.state.asker
    answer = await run_in_threadpool(asker.by_rules, question)
    answer = await asker.by_model(question, answer)
    reply = answer.to_api(timezone=asked.timezone, with_sent=asked.explain)
    if asked.limit:
        reader: LogReader = request.app.state.reader
        lines = await run_in_threadpool(
            reader.search,
            answer.reading.log_filter,
            limit=asked.limit,
            now_unix_nano=time.time_ns(),
        )
        reply["logs"] = [line.to_api() for line in lines.lines]
    return JsonReply(reply)


class _Asked(msgspec.Struct):
    text: str
    timezone: str = ""
    filter: dict[str, str] = {}
    is_refining: bool | None = None
    interpreter: Interpreter = "auto"
    explain: bool = False
    limit: int = 0


def _read(body: bytes) -> _Asked:
    """The question in a body: an object, or a text alone."""
    try:
        content: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(f"the body is not JSON: {error}", _EXAMPLE) from None
    if isinstance(content, str):
        return _Asked(content)
    if not isinstance(content, dict):
        raise DecodeError("the body is neither a JSON object nor a text", _EXAMPLE)
    text = next((content[name] for name in TEXT_NAMES if content.get(name) is not None), None)
    if text is None:
        raise FilterError("query", "there is no question in the body", _EXAMPLE)
    if not isinstance(text, str):
        raise FilterError("query", f"query is {type(text).__name__}, not text", _EXAMPLE)
    wanted = content.get("interpreter") or "auto"
    interpreter: Interpreter | None = next((one for one in _INTERPRETERS if one == wanted), None)
    if interpreter is None:
        raise FilterError(
            "interpreter",
            f"interpreter '{str(wanted)[:40]}' is not known",
            f"use {', '.join(_INTERPRETERS)}",
        )
    limit = content.get("limit") or 0
    if not isinstance(limit, int) or not 0 <= limit <= MAX_LIMIT:
        raise FilterError("limit", f"limit={limit} is not offered", f"use 0 to {MAX_LIMIT}")
    timezone = content.get("timezone") or content.get("tz") or ""
    if not isinstance(timezone, str):
        raise FilterError("timezone", "timezone is no text", "use a name such as Europe/Berlin")
    return _Asked(
        text,
        timezone,
        _filter(content),
        _flag(content, "refine"),
        interpreter,
        _flag(content, "explain") or False,
        limit,
    )


def _flag(content: dict[str, Any], name: str) -> bool | None:
    value = content.get(name)
    if value is not None and not isinstance(value, bool):
        raise FilterError(name, f"{name} is not true or false", f'send {{"{name}": true}}')
    return value


def _filter(content: dict[str, Any]) -> dict[str, str]:
    given = content.get("filter") or {}
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise FilterError(
            "filter", "filter is no object of texts", 'send {"filter": {"service": "checkout"}}'
        )
    if "source" in given:
        given = {"service": given["source"], **given}
    return given


def _is_from_elsewhere(request: Request) -> bool:
    """Whether a browser sends this for a page of another site, which must cost nobody tokens."""
    return request.headers.get("sec-fetch-site") == "cross-site"

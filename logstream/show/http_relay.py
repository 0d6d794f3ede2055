"""The ingest service's questions, asked through the dashboard's own port.

For browsers that reach the dashboard but not the service (a firewall, a page over https). Only
reading log lines and traces and negotiating with the push hub pass, and only with a page's pass,
which the service checks once more.
"""

import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import httpx
import streamlit as st
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from logstream import wiring
from logstream.errors import SettingsError
from logstream.show import session

MARK = {"x-logstream-relay": "1", "cache-control": "no-store"}
MAX_BODY_BYTES = 64 * 1024
TIMEOUT_SECONDS = 30.0
_LOGS = r"logs(?:/[A-Za-z0-9_-]+)+"
# Ids may be any text, but for the two names that mean a place in a path.
_ID = r"(?!\.{1,2}(?:/|$))[^/\x00-\x1f]{1,128}"
_TRACES = rf"traces(?:/{_ID}(?:/spans/{_ID})?)?|services/durations"
_QUESTION = re.compile(f"{_LOGS}|{_TRACES}")
_NEGOTIATE = "realtime/negotiate"
_KEPT_HEADERS = ("content-type", "x-logstream-source", "retry-after")
# An export is as long as it is: it passes through piece by piece, as it is encoded.
_EXPORT = "logs/export"
_EXPORT_HEADERS = (*_KEPT_HEADERS, "content-encoding", "content-disposition", "x-logstream-total")
# It may look for rare lines for long before the first piece.
_EXPORT_TIMEOUT = httpx.Timeout(10, read=300)


def relay_path() -> str:
    """Where the browser finds the relay, below the page's own host."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}/relay" if base else "/relay"


def relay_routes() -> list[Route]:
    """For `st.App`, which does not put its own base path before them."""
    return [Route(relay_path() + "/{path:path}", relayed, methods=["GET", "POST"])]


async def relayed(request: Request) -> Response:
    """The service's answer; 502 when it gives none, 404 for what is not relayed."""
    path = request.path_params["path"]
    is_question = request.method == "GET" and _QUESTION.fullmatch(path) is not None
    if not is_question and (request.method, path) != ("POST", _NEGOTIATE):
        return _refused(404, "not_found", f"{request.method} /{path} is not relayed")
    authorization = request.headers.get("authorization", "")
    if not _is_let_in(authorization):
        return _refused(401, "unauthorized", "the page's pass is missing or over", "reload")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            return _refused(413, "too_large", f"the body is over {MAX_BODY_BYTES // 1024} KiB")
    headers = {"content-type": "application/json"} if body else {}
    if authorization:
        headers["authorization"] = authorization
    if path == _EXPORT:
        headers["accept-encoding"] = request.headers.get("accept-encoding", "identity")
        return await _streamed(f"{session.settings().url}/{path}?{request.url.query}", headers)
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False) as http:
            answer = await http.request(
                request.method,
                f"{session.settings().url}/{quote(path)}?{request.url.query}".rstrip("?"),
                content=body or None,
                headers=headers,
            )
    except httpx.HTTPError:
        return _refused(502, "service_unreachable", "the ingest service does not answer")
    kept = {name: answer.headers[name] for name in _KEPT_HEADERS if name in answer.headers}
    return Response(answer.content, answer.status_code, headers={**kept, **MARK})


async def _streamed(url: str, headers: dict[str, str]) -> Response:
    http = httpx.AsyncClient(timeout=_EXPORT_TIMEOUT, trust_env=False)
    try:
        answer = await http.send(http.build_request("GET", url, headers=headers), stream=True)
    except httpx.HTTPError:
        await http.aclose()
        return _refused(502, "service_unreachable", "the ingest service does not answer")

    async def pieces() -> AsyncIterator[bytes]:
        try:
            # A cut of the service's raises here, and so cuts the browser's connection too.
            async for piece in answer.aiter_raw():
                yield piece
        finally:
            await answer.aclose()
            await http.aclose()

    kept = {name: answer.headers[name] for name in _EXPORT_HEADERS if name in answer.headers}
    return StreamingResponse(pieces(), answer.status_code, headers={**kept, **MARK})


def _is_let_in(authorization: str) -> bool:
    try:
        passes = wiring.passes(session.settings())
    except SettingsError:
        return True  # then pages have no pass either, and the service decides alone
    return passes.read(authorization.removeprefix("Bearer ").strip()) is not None


def _refused(status: int, code: str, message: str, hint: str = "") -> JSONResponse:
    error: dict[str, Any] = {"code": code, "message": message, "hint": hint}
    return JSONResponse({"error": error}, status, headers=MARK)

"""The built-in hub's service side: the REST API that the Azure service SDK calls.

Paths, methods and status codes are those of Azure Web PubSub (api-version 2024-12-01;
the version itself is not looked at). What it cannot do it refuses: OData filters get 400.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from logstream.notify.hub_state import (
    CLOSE_NORMAL,
    MAX_GROUP_LENGTH,
    MAX_MESSAGE_BYTES,
    Connection,
    Goodbye,
    HubState,
    Message,
)
from logstream.notify.hub_tokens import TokenRefused, Tokens

_MAX_PAGE = 200
_PERMISSIONS = ("joinLeaveGroup", "sendToGroup")

Handler = Callable[[Request], Awaitable[Response]]


class Refused(Exception):
    """A request that is answered with an error; the hint says what to do."""

    def __init__(self, status: int, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"code": code, "message": message, "hint": hint}}


class HubRest:
    """Handlers of the service side."""

    def __init__(self, state: HubState, tokens: Tokens, hub: str) -> None:
        self._state = state
        self._tokens = tokens
        self._hub = hub

    def routes(self) -> Sequence[BaseRoute]:
        """Everything below `/api/hubs/{hub}`."""
        table: list[tuple[str, str, Handler]] = [
            ("POST", "/:send", self.send),
            ("POST", "/groups/{group}/:send", self.send),
            ("POST", "/users/{user}/:send", self.send),
            ("POST", "/connections/{connection}/:send", self.send),
            ("POST", "/:closeConnections", self.close_connections),
            ("POST", "/groups/{group}/:closeConnections", self.close_connections),
            ("POST", "/users/{user}/:closeConnections", self.close_connections),
            ("POST", "/:generateToken", self.generate_token),
            ("HEAD", "/connections/{connection}", self.exists),
            ("HEAD", "/groups/{group}", self.exists),
            ("HEAD", "/users/{user}", self.exists),
            ("DELETE", "/connections/{connection}", self.close_connection),
            ("DELETE", "/connections/{connection}/groups", self.leave_every_group),
            ("DELETE", "/users/{user}/groups", self.leave_every_group),
            ("GET", "/groups/{group}/connections", self.list_connections),
            ("PUT", "/groups/{group}/connections/{connection}", self.join),
            ("PUT", "/users/{user}/groups/{group}", self.join),
            ("DELETE", "/groups/{group}/connections/{connection}", self.leave),
            ("DELETE", "/users/{user}/groups/{group}", self.leave),
            ("PUT", "/permissions/{permission}/connections/{connection}", self.grant),
            ("DELETE", "/permissions/{permission}/connections/{connection}", self.revoke),
            ("HEAD", "/permissions/{permission}/connections/{connection}", self.is_granted),
        ]
        return [
            Route(
                f"/api/hubs/{{hub}}{path}",
                self._guarded(handler),
                methods=[method],
                include_in_schema=False,
            )
            for method, path, handler in table
        ]

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(request: Request) -> Response:
            try:
                self._tokens.check_request(
                    request.headers.get("authorization", ""), request.scope["path"]
                )
                if request.path_params["hub"] != self._hub:
                    raise Refused(
                        404,
                        "not_found",
                        f"hub '{request.path_params['hub']}' is not served here",
                        f"use '{self._hub}' (WEBPUBSUB_HUB)",
                    )
                return await handler(request)
            except TokenRefused as error:
                hint = "sign with this hub's access key, for the request's own URL"
                body = {"error": {"code": "unauthorized", "message": str(error), "hint": hint}}
                return JSONResponse(body, 401, {"WWW-Authenticate": "Bearer"})
            except Refused as error:
                return JSONResponse(error.body, error.status)
            except ClientDisconnect:
                return Response(status_code=400)

        return guarded

    async def send(self, request: Request) -> Response:
        if request.query_params.get("filter"):
            raise Refused(
                400,
                "filter_unsupported",
                f"filter '{request.query_params['filter']}' is not supported by the built-in hub",
                "send to a group or a user, or use 'excluded'",
            )
        group = request.path_params.get("group")
        if group is not None:
            _check_group(group)
        message = await _message(request, group)
        receivers = self._chosen(request)
        if "connection" in request.path_params and not receivers:
            raise _no_connection(request.path_params["connection"])
        self._state.send(receivers, message, frozenset(request.query_params.getlist("excluded")))
        return Response(status_code=202)

    async def close_connections(self, request: Request) -> Response:
        excluded = frozenset(request.query_params.getlist("excluded"))
        for connection in self._chosen(request):
            if connection.id not in excluded:
                self._state.close(connection, _goodbye(request))
        return Response(status_code=204)

    async def close_connection(self, request: Request) -> Response:
        for connection in self._chosen(request):
            self._state.close(connection, _goodbye(request))
        return Response(status_code=204)

    async def exists(self, request: Request) -> Response:
        is_there = any(connection.outbox is not None for connection in self._chosen(request))
        return Response(status_code=200 if is_there else 404)

    async def list_connections(self, request: Request) -> Response:
        members = self._state.members(request.path_params["group"])
        start = _number(request, "continuationToken", 0, 0)
        end = min(len(members), start + _number(request, "maxpagesize", _MAX_PAGE, 1, _MAX_PAGE))
        top = _number(request, "top", len(members), 1)
        # A page's continuation token counts what the pages before it held, so `top` spans pages.
        end = min(end, top)
        answer: dict[str, Any] = {"value": [_member(member) for member in members[start:end]]}
        if end < min(len(members), top):
            answer["nextLink"] = str(request.url.include_query_params(continuationToken=end))
        return JSONResponse(answer)

    async def join(self, request: Request) -> Response:
        group = request.path_params["group"]
        _check_group(group)
        connections = self._found(request)
        for connection in connections:
            self._state.join(connection, group)
        return Response(status_code=200)

    async def leave(self, request: Request) -> Response:
        for connection in self._chosen(request, narrower_than_group=True):
            self._state.leave(connection, request.path_params["group"])
        return Response(status_code=204)

    async def leave_every_group(self, request: Request) -> Response:
        for connection in self._chosen(request):
            for group in list(connection.groups):
                self._state.leave(connection, group)
        return Response(status_code=204)

    async def grant(self, request: Request) -> Response:
        role = _role(request)
        for connection in self._found(request):
            connection.roles.add(role)
        return Response(status_code=200)

    async def revoke(self, request: Request) -> Response:
        role = _role(request)
        for connection in self._found(request):
            connection.roles.discard(role)
        return Response(status_code=204)

    async def is_granted(self, request: Request) -> Response:
        role = _role(request)
        has_it = any(role in connection.roles for connection in self._chosen(request))
        return Response(status_code=200 if has_it else 404)

    async def generate_token(self, request: Request) -> Response:
        url = request.url.replace(path=f"/client/hubs/{self._hub}", query="")
        token = self._tokens.client_token(
            str(url),
            user_id=request.query_params.get("userId"),
            roles=request.query_params.getlist("role"),
            groups=request.query_params.getlist("group"),
            minutes=_number(request, "minutesToExpire", 60, 1),
        )
        return JSONResponse({"token": token})

    def _chosen(self, request: Request, *, narrower_than_group: bool = False) -> list[Connection]:
        """The connections the path names: one, a user's, a group's, or all."""
        names = request.path_params
        if "connection" in names:
            connection = self._state.find(names["connection"])
            return [] if connection is None else [connection]
        if "user" in names:
            return self._state.of_user(names["user"])
        if "group" in names and not narrower_than_group:
            return self._state.members(names["group"])
        return self._state.everybody()

    def _found(self, request: Request) -> list[Connection]:
        connections = self._chosen(request, narrower_than_group=True)
        if not connections:
            names = request.path_params
            raise _no_connection(names.get("connection") or f"of user {names['user']}")
        return connections


async def _message(request: Request, group: str | None) -> Message:
    body = await _body(request)
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type == "application/octet-stream":
        return Message("binary", body, group)
    if content_type not in ("application/json", "text/plain"):
        raise Refused(
            415,
            "unsupported_media_type",
            f"Content-Type '{content_type}' is not supported",
            "use application/json, text/plain or application/octet-stream",
        )
    try:
        if content_type == "application/json":
            msgspec.json.decode(body)
            return Message("json", body.decode(), group)
        return Message("text", body.decode(), group)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(
            400, "bad_request", f"the body is not {content_type}: {error}", "send UTF-8"
        ) from None


async def _body(request: Request) -> bytes:
    parts = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_MESSAGE_BYTES:
            raise Refused(
                413,
                "too_large",
                f"the message is larger than {MAX_MESSAGE_BYTES} bytes",
                "send it in parts",
            )
        parts.append(part)
    return b"".join(parts)


def _check_group(group: str) -> None:
    if not 1 <= len(group) <= MAX_GROUP_LENGTH or not group.strip():
        raise Refused(
            400,
            "bad_request",
            f"group name of {len(group)} characters",
            f"use 1 to {MAX_GROUP_LENGTH} characters, not only spaces",
        )


def _role(request: Request) -> str:
    permission = request.path_params["permission"]
    if permission not in _PERMISSIONS:
        raise Refused(
            400,
            "bad_request",
            f"permission '{permission}' is not known",
            f"use {' or '.join(_PERMISSIONS)}",
        )
    target = request.query_params.get("targetName")
    return f"webpubsub.{permission}.{target}" if target else f"webpubsub.{permission}"


def _number(request: Request, name: str, default: int, least: int, most: int = 2**31 - 1) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 11 and least <= int(text) <= most):
        raise Refused(
            400, "bad_request", f"{name}={text}", f"use a whole number from {least} to {most}"
        )
    return int(text)


def _goodbye(request: Request) -> Goodbye:
    reason = request.query_params.get("reason") or "closed by the service"
    return Goodbye(CLOSE_NORMAL, reason, announced=True)


def _member(connection: Connection) -> dict[str, str]:
    member = {"connectionId": connection.id}
    if connection.user_id is not None:
        member["userId"] = connection.user_id
    return member


def _no_connection(what: str) -> Refused:
    return Refused(404, "not_found", f"no connection {what}", "it may have been closed")

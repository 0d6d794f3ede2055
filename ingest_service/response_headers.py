"""Headers that every answer has, made once."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

Headers = tuple[tuple[bytes, bytes], ...]

NO_STORE = (b"cache-control", b"no-store")
SECURITY_HEADERS: Headers = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    NO_STORE,
)
# Of what a browser may show as a page: nobody else's page may have it inside.
PAGE_HEADERS: Headers = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"frame-ancestors 'none'"),
)


class SecureReplies:
    """Gives the framework's answers the headers; its own win."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_secure(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                names = {name for name, _ in headers}
                headers += [header for header in PAGE_HEADERS if header[0] not in names]
                # The files of /docs name a time of change, and may be kept.
                if b"cache-control" not in names and b"last-modified" not in names:
                    headers.append(NO_STORE)
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, send_secure)


def is_preflight(scope: Scope, headers: Mapping[bytes, bytes]) -> bool:
    """Whether a browser asks if a page of another origin may send what it wants to."""
    return scope["method"] == "OPTIONS" and b"access-control-request-method" in headers


def cross_origin(origin: bytes) -> Headers:
    """Lets the page of this origin read the answer."""
    return ((b"access-control-allow-origin", origin), (b"vary", b"Origin"))

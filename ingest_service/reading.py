"""Who may read: what the framework answers needs a key for reading, most of it."""

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from ingest_service.admission import Admission, Role
from ingest_service.caller import ANYBODY, Caller
from ingest_service.replies import error_reply
from logstream.errors import Forbidden, LogStreamError, Unauthorized

# Load balancers ask these. The hub checks the tokens it has given out.
OPEN = ("/health/live", "/health/ready", "/api/hubs/", "/client/hubs/")
# A person opens these in a browser, which asks for the key: as user or as password.
FOR_PEOPLE = ("/docs", "/openapi.json", "/static-offline-docs/")
# These keep to the environment of the caller's key; everything else tells of all of them.
NARROWED = (
    *("/logs/", "/traces", "/rejects", "/views", "/ai/", "/realtime/negotiate"),
    "/services",
    "/ingest/explain",
    *FOR_PEOPLE,
)


class GuardedReading:
    """Lets those through who may read; `caller_of` tells the routes who it was."""

    def __init__(self, app: ASGIApp, admission: Admission) -> None:
        self._app = app
        self._admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(OPEN):
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        try:
            caller = await self._admission.admit(scope, dict(scope["headers"]), _role(scope))
            if caller.environment is not None and not path.startswith(NARROWED):
                raise Forbidden(
                    f"{path} tells of every environment, key {caller.key} may read "
                    f"'{caller.environment}' only",
                    "use a key made with --environment all",
                )
        except LogStreamError as error:
            reply = error_reply(error)
            if isinstance(error, Unauthorized) and path.startswith(FOR_PEOPLE):
                reply.headers["WWW-Authenticate"] = 'Basic realm="LogStream API key"'
            await reply(scope, receive, send)
            return
        scope["caller"] = caller
        await self._app(scope, receive, send)


def caller_of(request: Request) -> Caller:
    """Who asks; set for every path that is not open."""
    caller: Caller = request.scope.get("caller", ANYBODY)
    return caller


def _role(scope: Scope) -> Role:
    path: str = scope["path"]
    if path == "/ingest/explain":
        return "any"
    is_asking = scope["method"] in ("GET", "HEAD", "OPTIONS")
    # Of everybody; what a page lets people do to it comes with the page's own pass.
    if path.startswith(("/views", "/ai/aliases", "/services")) and not is_asking:
        return "admin"
    return "ingest" if path.endswith("/resend") else "read"

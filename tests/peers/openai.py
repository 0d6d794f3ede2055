"""A server that speaks OpenAI's chat API and both of Azure's, with faults on demand.

It says what a test tells it to, in turn, and then its usual answer; it remembers what it was
asked. The real SDK talks to it over a real socket.
"""

import json
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.hub_server import free_port, wait_until

KEY = "sk-a-key-that-only-this-peer-knows"
MODEL = "small-talk"
EMPTY = {
    **dict.fromkeys(("env", "service", "severity", "trace", "q", "range", "from", "to"), ""),
    "show": "lines",
    "groupBy": "",
    "top": 0,
    "notUnderstood": [],
}


@dataclass(frozen=True)
class Turn:
    """What the peer does with one request: wait, then say something, or fail."""

    text: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    megabytes: int = 0
    body: bytes | None = None


def filter_answer(**names: Any) -> str:
    """A filter as a model should say it, these names set (`from_` means `from`)."""
    return json.dumps({**EMPTY, **{name.rstrip("_"): value for name, value in names.items()}})


@dataclass
class Asked:
    """One request as the peer saw it."""

    path: str
    query: str
    headers: Mapping[str, str]
    body: dict[str, Any]

    @property
    def words(self) -> str:
        """Everything that was said to the model."""
        return "\n".join(str(message["content"]) for message in self.body["messages"])

    @property
    def form(self) -> str:
        """How JSON was asked for: `json_schema`, `json_object` or nothing."""
        return str((self.body.get("response_format") or {}).get("type", ""))


@dataclass
class OpenAIPeer:
    """Where it is and what it was asked; `says` queues what comes next."""

    port: int
    key: str = KEY
    usual: Turn = Turn(json.dumps(EMPTY))
    asked: list[Asked] = field(default_factory=list)
    # Ways to ask for JSON that it knows, as servers of different age do.
    forms: tuple[str, ...] = ("json_schema", "json_object", "")
    _next: deque[Turn] = field(default_factory=deque)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        return f"{self.endpoint}/v1"

    def says(self, *turns: str | Turn) -> None:
        """Answer the next requests so, one each."""
        self._next.extend(Turn(one) if isinstance(one, str) else one for one in turns)

    def start_over(self) -> None:
        """Forget what was asked and what was to be said."""
        self.asked.clear()
        self._next.clear()
        self.forms = OpenAIPeer.forms

    async def complete(self, request: Request) -> Response:
        """One chat completion, not streamed."""
        is_dated = "deployment" in request.path_params
        shown = (
            request.headers.get("api-key")
            if is_dated
            else request.headers.get("authorization", "").removeprefix("Bearer ")
        )
        if shown != self.key:
            return _error(401, f"Incorrect API key provided: {shown}")
        if is_dated and not request.query_params.get("api-version"):
            return _error(404, "Resource not found")
        asked = Asked(
            request.url.path, request.url.query, dict(request.headers), await request.json()
        )
        self.asked.append(asked)
        named = request.path_params.get("deployment", asked.body.get("model"))
        if named != MODEL:
            return _error(404, f"The model {named} does not exist")
        if asked.form not in self.forms:
            return _error(400, f"response_format {asked.form} is not supported")
        turn = self._next.popleft() if self._next else self.usual
        if turn.seconds:
            await anyio.sleep(turn.seconds)
        if turn.status != 200:
            return _error(turn.status, "something is wrong", turn.headers)
        if turn.body is not None:
            return Response(turn.body, media_type="application/json")
        if turn.megabytes:
            return StreamingResponse(_endless(turn.megabytes), media_type="application/json")
        return JSONResponse(_completion(turn.text))


def _completion(text: str) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": f"{MODEL}-2026-01-01",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": text},
            }
        ],
        "usage": {"prompt_tokens": 812, "completion_tokens": 41, "total_tokens": 853},
    }


async def _endless(megabytes: int) -> Any:
    yield b'{"choices":[{"message":{"content":"'
    for _ in range(megabytes * 16):
        yield b"x" * 65_536
    yield b'"}}]}'


def _error(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    content = {"error": {"message": message, "type": "error", "code": None}}
    return JSONResponse(content, status, headers=dict(headers or {}))


@contextmanager
def openai_peer() -> Iterator[OpenAIPeer]:
    """A peer that listens until the block ends."""
    peer = OpenAIPeer(free_port())
    application = Starlette(
        routes=[
            Route(path, peer.complete, methods=["POST"])
            for path in (
                "/v1/chat/completions",
                "/openai/v1/chat/completions",
                "/openai/deployments/{deployment}/chat/completions",
            )
        ]
    )
    server = uvicorn.Server(
        uvicorn.Config(
            application,
            host="127.0.0.1",
            port=peer.port,
            log_level="error",
            timeout_graceful_shutdown=1,
            lifespan="off",
        )
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started, "the peer listens")
    try:
        yield peer
    finally:
        server.should_exit = True
        thread.join(20)

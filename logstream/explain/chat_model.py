"""ChatModel over the OpenAI SDK: OpenAI, Azure OpenAI, and any server that speaks like them.

The server is asked for JSON by schema, one that refuses that for JSON, one that refuses that
too in words alone. What it answers is untrusted, bounded in size and in time.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from logstream.errors import ModelUnavailable
from logstream.ports import ChatAnswer, ChatMessage

if TYPE_CHECKING:
    from openai import AsyncOpenAI

MAX_ANSWER_BYTES = 256 * 1024
# Models that think before they speak count their thoughts too.
MAX_ANSWER_TOKENS = 4_000
AT_ONCE = 8
# After one that came too late nobody waits for the next, unless they insist.
REST_SECONDS = 15.0
LONGEST_REST_SECONDS = 60.0
_SHORTEST_WAIT_SECONDS = 0.2
# Refusals of how we ask, rather than of what: ask more simply.
_REFUSED_FORM = (400, 415, 422)
_MAY_PASS = (408, 409, 429, 500, 502, 503, 504)


class _Message(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Message


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Completion(msgspec.Struct):
    choices: list[_Choice]
    usage: _Usage | None = None


class OpenAIChat:
    """One model at one address.

    `is_azure` with an `api_version` means Azure's dated API, where `model` is the name of the
    deployment; without one its v1 API, which is OpenAI's own.
    """

    def __init__(
        self,
        model: str,
        *,
        key: str = "",
        base_url: str | None = None,
        is_azure: bool = False,
        api_version: str | None = None,
    ) -> None:
        self.name = model
        self._key = key
        self._base_url = base_url
        self._is_azure = is_azure
        self._api_version = api_version
        self._client: AsyncOpenAI | None = None
        self._opening = asyncio.Lock()
        self._places = asyncio.Semaphore(AT_ONCE)
        self._form = 0
        self._rests_until = 0.0

    @property
    def address(self) -> str:
        """Where questions go, for people."""
        return self._base_url or "https://api.openai.com/v1"

    @property
    def rest_seconds(self) -> float:
        """How long it had better not be asked, since it failed a moment ago; 0 when it may."""
        return max(0.0, self._rests_until - time.monotonic())

    async def complete(
        self, messages: Sequence[ChatMessage], schema: Mapping[str, Any], *, seconds: float
    ) -> ChatAnswer:
        """See ChatModel; a failure that may pass is tried once more while there is time."""
        try:
            async with asyncio.timeout(seconds), self._places:
                return await self._in_some_form(messages, schema, time.monotonic() + seconds)
        except TimeoutError:
            self._rests_until = time.monotonic() + REST_SECONDS
            raise ModelUnavailable(
                f"{self.name} did not answer within {seconds:.3g} s",
                "try again, or do without it",
                int(REST_SECONDS),
            ) from None

    async def close(self) -> None:
        """Give back all connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _in_some_form(
        self, messages: Sequence[ChatMessage], schema: Mapping[str, Any], deadline: float
    ) -> ChatAnswer:
        from openai import APIStatusError

        client = await self._opened()
        forms = _forms(schema)
        while True:
            try:
                return await self._twice(client, messages, forms[self._form], deadline)
            except APIStatusError as error:
                if error.status_code in _REFUSED_FORM and self._form < len(forms) - 1:
                    self._form += 1
                    continue
                raise self._told(error.status_code, _retry_after(error.response.headers)) from None

    async def _twice(
        self,
        client: "AsyncOpenAI",
        messages: Sequence[ChatMessage],
        form: Mapping[str, Any],
        deadline: float,
    ) -> ChatAnswer:
        import httpx2  # what the SDK speaks with; an answer cut short is its error
        from openai import APIConnectionError, APIStatusError, APITimeoutError

        for is_last in (False, True):
            try:
                return await self._once(client, messages, form)
            except APITimeoutError:
                raise TimeoutError from None
            except (APIConnectionError, httpx2.TransportError):
                if is_last:
                    raise ModelUnavailable(
                        f"{self.name} cannot be reached at {self.address}",
                        "check the address and that the server runs",
                    ) from None
                wait = _SHORTEST_WAIT_SECONDS
            except APIStatusError as error:
                wait = max(_SHORTEST_WAIT_SECONDS, _retry_after(error.response.headers))
                is_late = time.monotonic() + wait > deadline
                if is_last or is_late or error.status_code not in _MAY_PASS:
                    raise
            await asyncio.sleep(wait)
        raise AssertionError("the last try returns or raises")

    async def _once(
        self, client: "AsyncOpenAI", messages: Sequence[ChatMessage], form: Mapping[str, Any]
    ) -> ChatAnswer:
        asked: Any = [{"role": one.role, "content": one.content} for one in messages]
        body = bytearray()
        # Read by ourselves, because the SDK takes an answer of any size into memory.
        async with client.chat.completions.with_streaming_response.create(
            model=self.name, messages=asked, **form
        ) as response:
            async for part in response.iter_bytes():
                body += part
                if len(body) > MAX_ANSWER_BYTES:
                    raise ModelUnavailable(
                        f"{self.name} answered more than {MAX_ANSWER_BYTES // 1024} KiB",
                        "ask another model",
                    )
        try:
            completion = msgspec.json.decode(bytes(body), type=_Completion)
            text = completion.choices[0].message.content or ""
        except (msgspec.DecodeError, UnicodeDecodeError, IndexError, RecursionError):
            raise ModelUnavailable(
                f"what answers at {self.address} is no chat model",
                "check the address; it usually ends in /v1",
            ) from None
        usage = completion.usage or _Usage()
        return ChatAnswer(text, self.name, usage.prompt_tokens, usage.completion_tokens)

    def _told(self, status: int, retry_after: float) -> ModelUnavailable:
        """The refusal in our words: the server's own may repeat the key."""
        if status in (401, 403):
            return ModelUnavailable(
                f"{self.address} refuses the key for {self.name} ({status})",
                "check AZURE_OPENAI_KEY" if self._is_azure else "check OPENAI_API_KEY",
            )
        if status == 404:
            return ModelUnavailable(
                f"{self.address} knows no model {self.name}",
                "check AZURE_OPENAI_DEPLOYMENT and AZURE_OPENAI_ENDPOINT"
                if self._is_azure
                else "check OPENAI_MODEL and OPENAI_BASE_URL",
            )
        if status == 429:
            wait = min(max(retry_after, 1.0), LONGEST_REST_SECONDS)
            self._rests_until = time.monotonic() + wait
            return ModelUnavailable(
                f"{self.name} is asked more often than it may be (429)",
                "try again later",
                int(wait) + 1,
            )
        return ModelUnavailable(f"{self.name} answered {status}", "try again soon")

    async def _opened(self) -> "AsyncOpenAI":
        async with self._opening:
            if self._client is None:
                # Importing the SDK takes a second.
                self._client = await asyncio.to_thread(self._open)
            return self._client

    def _open(self) -> "AsyncOpenAI":
        from openai import AsyncAzureOpenAI, AsyncOpenAI

        # A server of one's own may need no key; the SDK insists on one.
        key = self._key or "none"
        if self._is_azure and self._api_version is not None:
            return AsyncAzureOpenAI(
                azure_endpoint=self._base_url or "",
                azure_deployment=self.name,
                api_version=self._api_version,
                api_key=key,
                max_retries=0,
                timeout=None,
            )
        base_url = self._base_url
        if self._is_azure and base_url is not None and not base_url.endswith("/openai/v1"):
            base_url = f"{base_url}/openai/v1"
        # Given always: the SDK would read a variable of its own.
        return AsyncOpenAI(
            api_key=key, base_url=base_url or self.address, max_retries=0, timeout=None
        )


def _forms(schema: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """Ways to ask for JSON, the strictest first."""
    by_schema = {"name": "answer", "strict": True, "schema": dict(schema)}
    return (
        {
            "response_format": {"type": "json_schema", "json_schema": by_schema},
            "max_completion_tokens": MAX_ANSWER_TOKENS,
        },
        {"response_format": {"type": "json_object"}, "max_tokens": MAX_ANSWER_TOKENS},
        {},
    )


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds to wait as the server says; 0 when it does not."""
    with suppress(ValueError):
        return max(0.0, float(headers.get("retry-after", "0")))
    return 0.0

"""The identity of this machine or process on Azure, in place of an access key.

The only file that imports azure-identity, and only when a token is first needed.
"""

import asyncio
import time
from typing import Any

from azure.core.credentials import AccessToken

# A token is used up to this long before its end.
SPARE_SECONDS = 120
# Asking in vain may start programs and wait for addresses that do not answer: not for each frame.
ASK_AGAIN_SECONDS = 15


class SharedIdentity:
    """DefaultAzureCredential as an asynchronous TokenCredential for many short requests.

    Asking may take longer than one request may, so it goes on when that gives up; whoever
    asks meanwhile waits for the same answer. A refusal is kept for `ask_again_seconds`.
    """

    def __init__(self, *, ask_again_seconds: float = ASK_AGAIN_SECONDS) -> None:
        self._ask_again_seconds = ask_again_seconds
        self._source: Any = None
        self._tokens: dict[tuple[str, ...], AccessToken] = {}
        self._asking: dict[tuple[str, ...], asyncio.Task[AccessToken]] = {}
        self._refused: tuple[float, Exception] | None = None

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """A token for these scopes; raises azure-core's ClientAuthenticationError."""
        known = self._tokens.get(scopes)
        if known is not None and known.expires_on - time.time() > SPARE_SECONDS:
            return known
        if self._refused is not None:
            at, error = self._refused
            if time.monotonic() - at < self._ask_again_seconds:
                raise error
        task = self._asking.get(scopes)
        if task is None:
            task = asyncio.create_task(self._ask(scopes, options))
            self._asking[scopes] = task
            task.add_done_callback(lambda done: self._asking.pop(scopes, None) and done.exception())
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Stop asking and give back the connections."""
        for task in list(self._asking.values()):
            task.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)
        if self._source is not None:
            await self._source.close()

    async def __aenter__(self) -> "SharedIdentity":
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    async def _ask(self, scopes: tuple[str, ...], options: dict[str, Any]) -> AccessToken:
        if self._source is None:
            from azure.identity.aio import DefaultAzureCredential

            self._source = DefaultAzureCredential()
        try:
            token: AccessToken = await self._source.get_token(*scopes, **options)
        except Exception as error:
            self._refused = (time.monotonic(), error)
            raise
        self._refused = None
        self._tokens[scopes] = token
        return token

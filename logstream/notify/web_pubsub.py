"""Push through Azure Web PubSub, or through the built-in hub, which speaks the same protocol.

The only file that imports the service SDK, and only when a WebPubSub is made.
"""

import asyncio
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import jwt
import msgspec

from logstream.errors import PushFailed, SettingsError

API_VERSION = "2024-12-01"
REQUEST_TIMEOUT_SECONDS = 2.0
# A token of an identity may need several questions.
TICKET_TIMEOUT_SECONDS = 10.0
_HUB_NAME = re.compile(r"^[A-Za-z][A-Za-z0-9_`,.\[\]]{0,127}$")
_ROLE = "give the identity the role 'Web PubSub Service Owner' on the resource"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class ClientAccess(NamedTuple):
    """How a viewer connects: `url` already holds the token; `expires_at` is aware UTC."""

    url: str
    token: str
    expires_at: datetime


class WebPubSub:
    """A Push that sends frames with the Azure service SDK.

    Construct inside the event loop that uses it, and close it there. Raises SettingsError
    for a connection string or hub name that cannot be used. Without an access key the
    identity of this machine signs (Azure only).
    """

    def __init__(self, connection_string: str, hub: str) -> None:
        address = _checked(connection_string)
        check_hub_name(hub)
        from azure.core.credentials import AzureKeyCredential
        from azure.core.pipeline.policies import HttpLoggingPolicy
        from azure.core.pipeline.transport import AioHttpTransport
        from azure.messaging.webpubsubservice.aio import WebPubSubServiceClient

        request_log = logging.getLogger(f"{__name__}.requests")
        # The SDK reports every request at INFO, which would be twenty lines a second.
        request_log.setLevel(logging.WARNING)
        self._address = address
        self._hub = quote(hub, safe="")
        self._identity = None
        if not address.access_key:
            from logstream.notify.azure_identity import SharedIdentity

            self._identity = SharedIdentity()
        self._client = WebPubSubServiceClient(
            address.endpoint,
            hub,
            self._identity or AzureKeyCredential(address.access_key),
            # No retry: the next frame is due before a retry would help.
            retry_total=0,
            connection_timeout=REQUEST_TIMEOUT_SECONDS,
            read_timeout=REQUEST_TIMEOUT_SECONDS,
            http_logging_policy=HttpLoggingPolicy(logger=request_log),
            # A company's proxy must not be asked for our own process.
            transport=AioHttpTransport(
                use_env_settings=urlsplit(address.endpoint).hostname not in _LOOPBACK
            ),
        )

    @property
    def address(self) -> str:
        """Host and port of the hub."""
        return self._address.name

    async def send(self, group: str, frame: dict[str, Any]) -> None:
        """Deliver a JSON frame to everybody in the group; raises PushFailed."""
        from azure.core.exceptions import AzureError
        from azure.core.rest import HttpRequest

        # Not send_to_group, which encodes slowly, with spaces and six bytes for each character
        # beyond ASCII: every viewer would pay for that.
        request = HttpRequest(
            "POST",
            f"{{endpoint}}/api/hubs/{self._hub}/groups/{quote(group, safe='')}/:send",
            params={"api-version": API_VERSION},
            headers={"Content-Type": "application/json"},
            content=msgspec.json.encode(frame),
        )
        try:
            response = await self._client.send_request(request)
            response.raise_for_status()
        except AzureError as error:
            raise self._in_words(error) from error

    async def client_access(
        self, user_id: str, groups: Sequence[str], minutes: int
    ) -> ClientAccess:
        """A ticket for one viewer: member of exactly these groups, free to leave and rejoin.

        Raises PushFailed when an identity is to give it and cannot.
        """
        from azure.core.exceptions import AzureError

        try:
            async with asyncio.timeout(TICKET_TIMEOUT_SECONDS):
                access = await self._client.get_client_access_token(
                    user_id=user_id,
                    roles=[f"webpubsub.joinLeaveGroup.{group}" for group in groups],
                    groups=list(groups),
                    minutes_to_expire=minutes,
                )
        except AzureError as error:
            raise self._in_words(error) from error
        except TimeoutError:
            raise PushFailed(
                f"the hub at {self._address.name} gave no ticket within "
                f"{TICKET_TIMEOUT_SECONDS:g} s"
            ) from None
        token = str(access["token"])
        claims = jwt.decode(token, options={"verify_signature": False})
        return ClientAccess(
            str(access["url"]), token, datetime.fromtimestamp(int(claims["exp"]), UTC)
        )

    async def close(self) -> None:
        """Give back the connections."""
        await self._client.close()
        if self._identity is not None:
            await self._identity.close()

    def _in_words(self, error: Exception) -> PushFailed:
        """What failed, in one sentence that a viewer may read, and what to do about it."""
        from azure.core.exceptions import (
            ClientAuthenticationError,
            HttpResponseError,
            ServiceRequestError,
            ServiceResponseError,
        )

        hub = f"the hub at {self._address.name}"
        first_line = str(error).strip().partition("\n")[0].rstrip(".:")
        response = getattr(error, "response", None)
        status = getattr(response, "status_code", None)
        if isinstance(error, ClientAuthenticationError) and (
            status is None or not _asked(response, self._address)
        ):
            return PushFailed(
                f"no Azure identity signs for {hub}: {first_line}",
                "give this machine an identity, or put an AccessKey into "
                "WEBPUBSUB_CONNECTION_STRING",
            )
        if status == 401:
            what = "the access key" if self._identity is None else "this machine's identity"
            return PushFailed(
                f"{hub} refuses {what}",
                "compare WEBPUBSUB_CONNECTION_STRING with the resource's Keys page"
                if self._identity is None
                else _ROLE,
            )
        if status == 403:
            return PushFailed(f"{hub} does not allow LogStream to send", _ROLE)
        if status == 429:
            return PushFailed(f"{hub} takes no more messages for now", "see its quota and units")
        if isinstance(error, ServiceRequestError | ServiceResponseError):
            return PushFailed(
                f"{hub} cannot be reached: {first_line}",
                "check the Endpoint in WEBPUBSUB_CONNECTION_STRING and the network",
            )
        if isinstance(error, HttpResponseError):
            return PushFailed(f"{hub} does not take a message: {first_line}")
        return PushFailed(f"{hub} cannot be used: {first_line}")


def check_hub_name(hub: str) -> None:
    """Raise SettingsError for a name that Azure would refuse."""
    if not _HUB_NAME.match(hub):
        raise SettingsError(
            f"WEBPUBSUB_HUB={hub}: is not a hub name",
            "begin with a letter, then letters, digits and underscores, at most 128",
        )


@dataclass(frozen=True)
class _Address:
    """What a connection string says; the access key is empty where an identity signs."""

    endpoint: str
    access_key: str

    @property
    def name(self) -> str:
        """Host and port, for people."""
        return urlsplit(self.endpoint).netloc


def _asked(response: Any, address: _Address) -> bool:
    """Whether it was the hub that answered, not whoever was asked for a token."""
    return urlsplit(str(response.request.url)).netloc == address.name


def _checked(connection_string: str) -> _Address:
    """The parts of a usable connection string; the key is never repeated in an error."""
    parts = {}
    for segment in filter(None, (part.strip() for part in connection_string.split(";"))):
        name, equals, value = segment.partition("=")
        if not equals:
            raise _unusable("one of its parts has no '='")
        parts[name.strip().lower()] = value.strip()
    if not parts.get("endpoint"):
        raise _unusable("Endpoint is missing")
    written = parts["endpoint"].rstrip("/")
    if parts.get("port"):
        written += f":{parts['port']}"
    try:
        endpoint = urlsplit(written)
        is_address = (
            endpoint.scheme in ("http", "https") and endpoint.hostname and endpoint.port != 0
        )
    except ValueError:
        is_address = False
    if not is_address:
        raise _unusable(f"Endpoint '{written}' is not an http:// or https:// address")
    if "accesskey" in parts and not parts["accesskey"]:
        raise _unusable("AccessKey is empty")
    if "accesskey" not in parts and endpoint.scheme != "https":
        raise _unusable(
            f"AccessKey is missing, and an identity signs only for https://, not for '{written}'"
        )
    return _Address(written, parts.get("accesskey", ""))


def _unusable(reason: str) -> SettingsError:
    return SettingsError(
        f"WEBPUBSUB_CONNECTION_STRING cannot be used: {reason}",
        "copy it whole from the resource's Keys page: "
        "Endpoint=https://….webpubsub.azure.com;AccessKey=…;Version=1.0; "
        "(without AccessKey the identity of this machine signs)",
    )

"""Push through Azure Web PubSub, or through the built-in hub, which speaks the same protocol.

The only file that imports the service SDK, and only when a WebPubSub is made.
"""

import logging
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import jwt

from logstream.errors import SettingsError

REQUEST_TIMEOUT_SECONDS = 2.0
_HUB_NAME = re.compile(r"^[A-Za-z][A-Za-z0-9_`,.\[\]]{0,127}$")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class ClientAccess(NamedTuple):
    """How a viewer connects: `url` already holds the token; `expires_at` is aware UTC."""

    url: str
    token: str
    expires_at: datetime


class WebPubSub:
    """A Push that sends frames with the Azure service SDK.

    Construct inside the event loop that uses it, and close it there. Raises SettingsError
    for a connection string or hub name that cannot be used.
    """

    def __init__(self, connection_string: str, hub: str) -> None:
        endpoint = _checked_endpoint(connection_string)
        check_hub_name(hub)
        from azure.core.pipeline.policies import HttpLoggingPolicy
        from azure.core.pipeline.transport import AioHttpTransport
        from azure.messaging.webpubsubservice.aio import WebPubSubServiceClient

        request_log = logging.getLogger(f"{__name__}.requests")
        # The SDK reports every request at INFO, which would be twenty lines a second.
        request_log.setLevel(logging.WARNING)
        self._client = WebPubSubServiceClient.from_connection_string(
            connection_string,
            hub,
            # No retry: the next frame is due before a retry would help.
            retry_total=0,
            connection_timeout=REQUEST_TIMEOUT_SECONDS,
            read_timeout=REQUEST_TIMEOUT_SECONDS,
            http_logging_policy=HttpLoggingPolicy(logger=request_log),
            # A company's proxy must not be asked for our own process.
            transport=AioHttpTransport(
                use_env_settings=urlsplit(endpoint).hostname not in _LOOPBACK
            ),
        )

    async def send(self, group: str, frame: dict[str, Any]) -> None:
        """Deliver a JSON frame to everybody in the group; raises the SDK's AzureError."""
        await self._client.send_to_group(group, frame, content_type="application/json")

    async def client_access(
        self, user_id: str, groups: Sequence[str], minutes: int
    ) -> ClientAccess:
        """A ticket for one viewer: member of exactly these groups, free to leave and rejoin."""
        access = await self._client.get_client_access_token(
            user_id=user_id,
            roles=[f"webpubsub.joinLeaveGroup.{group}" for group in groups],
            groups=list(groups),
            minutes_to_expire=minutes,
        )
        token = str(access["token"])
        claims = jwt.decode(token, options={"verify_signature": False})
        return ClientAccess(
            str(access["url"]), token, datetime.fromtimestamp(int(claims["exp"]), UTC)
        )

    async def close(self) -> None:
        """Give back the connections."""
        await self._client.close()


def check_hub_name(hub: str) -> None:
    """Raise SettingsError for a name that Azure would refuse."""
    if not _HUB_NAME.match(hub):
        raise SettingsError(
            f"WEBPUBSUB_HUB={hub}: is not a hub name",
            "begin with a letter, then letters, digits and underscores, at most 128",
        )


def _checked_endpoint(connection_string: str) -> str:
    """The endpoint of a usable connection string; the key is never repeated in an error."""
    parts = {}
    for segment in filter(None, (part.strip() for part in connection_string.split(";"))):
        name, equals, value = segment.partition("=")
        if not equals:
            raise _unusable("one of its parts has no '='")
        parts[name.strip().lower()] = value.strip()
    for name, written in (("endpoint", "Endpoint"), ("accesskey", "AccessKey")):
        if not parts.get(name):
            raise _unusable(f"{written} is missing")
    try:
        endpoint = urlsplit(parts["endpoint"])
        is_address = (
            endpoint.scheme in ("http", "https") and endpoint.hostname and endpoint.port != 0
        )
    except ValueError:
        is_address = False
    if not is_address:
        raise _unusable(f"Endpoint '{parts['endpoint']}' is not an http:// or https:// address")
    return parts["endpoint"]


def _unusable(reason: str) -> SettingsError:
    return SettingsError(
        f"WEBPUBSUB_CONNECTION_STRING cannot be used: {reason}",
        "copy it whole from the resource's Keys page: "
        "Endpoint=https://….webpubsub.azure.com;AccessKey=…;Version=1.0;",
    )

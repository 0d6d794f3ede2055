"""The built-in hub: Azure Web PubSub's protocol, served by the ingest process itself.

LogStream publishes to it through the Azure SDK as it would to Azure, so that the two are
one code path. Its state is in memory: after a restart clients reconnect and rejoin.
"""

from collections.abc import Callable, Sequence

from starlette.routing import BaseRoute

from logstream.errors import SettingsError
from logstream.notify.hub_rest import HubRest
from logstream.notify.hub_socket import HubSocket
from logstream.notify.hub_state import HubState
from logstream.notify.hub_tokens import Tokens
from logstream.notify.web_pubsub import check_hub_name

MAX_QUEUE_BYTES = 4 * 1024 * 1024
MAX_QUEUE_SECONDS = 5.0
RECOVERY_SECONDS = 60.0
MIN_KEY_BYTES = 32


class BuiltInHub:
    """One hub; its routes belong into the application that serves it.

    `max_queue_bytes` may wait for one client, for `max_queue_seconds`. Of one that is slower
    the oldest messages are dropped; a reliable one, whose sequence has no holes, is closed and
    comes back. Half the bytes are kept for it to recover within `recovery_seconds`.
    """

    def __init__(
        self,
        access_key: str,
        hub: str,
        *,
        max_queue_bytes: int = MAX_QUEUE_BYTES,
        max_queue_seconds: float = MAX_QUEUE_SECONDS,
        recovery_seconds: float = RECOVERY_SECONDS,
    ) -> None:
        if len(access_key.encode()) < MIN_KEY_BYTES:
            raise SettingsError(
                f"the hub's access key has {len(access_key.encode())} bytes",
                f"use at least {MIN_KEY_BYTES}",
            )
        if ";" in access_key:
            raise SettingsError("the hub's access key holds a semicolon", "use letters and digits")
        check_hub_name(hub)
        self.hub = hub
        self._access_key = access_key
        self._state = HubState(
            max_queue_bytes=max_queue_bytes,
            max_queue_seconds=max_queue_seconds,
            recovery_seconds=recovery_seconds,
        )
        tokens = Tokens(access_key)
        self._rest = HubRest(self._state, tokens, hub)
        self._socket = HubSocket(self._state, tokens, hub)

    def routes(self) -> list[BaseRoute]:
        """`/api/hubs/{hub}/…` for the service and `/client/hubs/{hub}` for clients."""
        routes: Sequence[BaseRoute] = self._rest.routes()
        return [*routes, self._socket.route()]

    def connection_string(self, host: str, port: int) -> str:
        """What the Azure SDK needs to reach this hub at the given address."""
        name = f"[{host}]" if ":" in host and not host.startswith("[") else host
        return f"Endpoint=http://{name}:{port};AccessKey={self._access_key};Version=1.0;"

    @property
    def connections(self) -> int:
        """Clients connected now."""
        return self._state.open_connections

    def has_members(self, group: str) -> bool:
        """Whether anybody is in the group, clients that may still come back included."""
        return bool(self._state.members(group))

    def tell_clients(self, on_clients: Callable[[int], None]) -> None:
        """Call this with the number of clients, those that may come back included, from now on.

        It is called before a client hears that it is connected.
        """
        self._state.on_clients = on_clients

    @property
    def messages_sent(self) -> int:
        """WebSocket messages written to clients since start."""
        return self._state.messages_sent

    @property
    def bytes_sent(self) -> int:
        """Characters and bytes of those messages."""
        return self._state.bytes_sent

    @property
    def slow_viewers_dropped(self) -> int:
        """Clients closed because they did not read fast enough."""
        return self._state.slow_viewers_dropped

    @property
    def slow_viewers(self) -> int:
        """Clients that are behind by more than a second now."""
        return self._state.slow_connections

    @property
    def messages_dropped(self) -> int:
        """Messages left out for clients that did not read fast enough."""
        return self._state.messages_dropped

"""Which addresses may send, and a log line about those that may not."""

import logging
import time
from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address, ip_network

log = logging.getLogger(__name__)

_MAX_REMEMBERED = 10_000
_SECONDS_BETWEEN_LINES = 60.0


class Networks:
    """The networks that may send. A stranger is named in our log once."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = [ip_network(network, strict=False) for network in networks]
        self._known: dict[str, bool] = {}

    def allow(self, address: str, listener: str) -> bool:
        """Whether the address may send to the listener."""
        known = self._known.get(address)
        if known is None:
            known = self._contain(address)
            if len(self._known) >= _MAX_REMEMBERED:
                self._known.clear()
            self._known[address] = known
            if not known:
                log.warning(
                    "%s: %s may not send here and is not heard; "
                    "LOGSTREAM_LISTENER_NETWORKS says who may",
                    *(listener, address),
                )
        return known

    def _contain(self, address: str) -> bool:
        parsed = ip_address(address.partition("%")[0])
        if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped
        return any(
            parsed.version == network.version and parsed in network for network in self._networks
        )


class SeldomLine:
    """Counts an event that may come often, and logs the count at most once a minute."""

    def __init__(self, listener: str, sentence: str) -> None:
        self._listener = listener
        self._sentence = sentence
        self._count = 0
        self._next_line = 0.0

    def count(self, events: int = 1) -> None:
        """Add to the count; log it when the last line is a minute old."""
        self._count += events
        if time.monotonic() >= self._next_line:
            self.say()

    def say(self) -> None:
        """Log what was counted since the last line, if anything was."""
        if self._count:
            log.warning("%s: %d %s", self._listener, self._count, self._sentence)
            self._count = 0
            self._next_line = time.monotonic() + _SECONDS_BETWEEN_LINES

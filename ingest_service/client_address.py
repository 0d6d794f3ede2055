"""Whose request it is: the address of the client, also behind proxies that we trust."""

from collections.abc import Mapping

from starlette.types import Scope
from uvicorn.middleware.proxy_headers import _TrustedHosts


class ClientAddress:
    """Finds the address as uvicorn's middleware does, for requests that do not pass it."""

    def __init__(self, trusted_hosts: str) -> None:
        self._trusted = _TrustedHosts(trusted_hosts)

    def of(self, scope: Scope, headers: Mapping[bytes, bytes]) -> str:
        """The client's address; "" when it came over a Unix socket."""
        client = scope.get("client")
        address: str = client[0] if client else ""
        if b"x-forwarded-for" not in headers or address not in self._trusted:
            return address
        # A header given twice counts as one, in order; `headers` has only the last.
        values = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
        forwarded, _ = self._trusted.get_trusted_client_address(
            b", ".join(values).decode("latin-1")
        )
        return forwarded or address

"""Where a request carries its API key: the place that each kind of client has for it."""

import base64
import binascii
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl

from starlette.types import Scope

from logstream.api_keys import BEGINNING

# Beyond this nothing is a key of ours; nobody hashes a megabyte for it.
MAX_CHARACTERS = 4096
_HEADERS = (
    b"dd-api-key",
    b"x-seq-apikey",
    b"x-api-key",
    b"api-key",
    b"x-insert-key",
)
_PARAMETERS = frozenset(("dd-api-key", "api_key", "apikey", "token", "sentry_key"))
_PATH_WITH_KEY = "/v1/input/"
# How our keys begin, and every JSON Web Token.
_OURS = (BEGINNING, "eyJ")
_BASE64_SCHEMES = ("basic", "apikey")


def presented(scope: Scope, headers: Mapping[bytes, bytes]) -> str | None:
    """The key or pass a request carries; "" when it carries only what is none of ours.

    None when it carries nothing. Many shippers must send something and send a dummy.
    """
    authorization = headers.get(b"authorization")
    # The way nearly everybody takes, without the generator.
    if authorization is not None and authorization[:10] == b"Bearer ls_":
        return authorization[7:MAX_CHARACTERS].decode("latin-1").strip()
    found: str | None = None
    for text in _candidates(scope, headers, authorization):
        if text.startswith(_OURS):
            return text[:MAX_CHARACTERS]
        found = ""
    return found


def _candidates(
    scope: Scope, headers: Mapping[bytes, bytes], authorization: bytes | None
) -> Iterator[str]:
    if authorization is not None:
        yield from _of_authorization(authorization[:MAX_CHARACTERS].decode("latin-1"))
    for name in _HEADERS:
        value = headers.get(name)
        if value is not None:
            yield value.decode("latin-1").strip()
    sentry = headers.get(b"x-sentry-auth")
    if sentry is not None:
        yield from _of_sentry(sentry[:MAX_CHARACTERS].decode("latin-1"))
    query = scope["query_string"]
    if query:
        for name, value in parse_qsl(query.decode("latin-1")):
            if name.lower() in _PARAMETERS:
                yield value.strip()
    path: str = scope["path"]
    if path.startswith(_PATH_WITH_KEY):
        yield path.removeprefix(_PATH_WITH_KEY).strip("/")


def _of_authorization(text: str) -> Iterator[str]:
    scheme, _, rest = text.strip().partition(" ")
    rest = rest.strip()
    scheme = scheme.lower()
    if not rest:
        yield text.strip()
    elif scheme == "sentry":
        yield from _of_sentry(rest)
    else:
        # `Bearer`, `Splunk`, `Token`, or a scheme of the client's own.
        yield rest
        if scheme in _BASE64_SCHEMES:
            yield from _of_base64(rest)


def _of_base64(text: str) -> Iterator[str]:
    """User and password, or id and key: either may be the key."""
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4)).decode("latin-1")
    except (binascii.Error, ValueError):
        return
    first, _, second = decoded.partition(":")
    yield second
    yield first


def _of_sentry(text: str) -> Iterator[str]:
    """`Sentry sentry_version=7, sentry_key=…, sentry_client=…`."""
    for part in text.removeprefix("Sentry ").split(","):
        name, _, value = part.strip().partition("=")
        if name == "sentry_key":
            yield value.strip()

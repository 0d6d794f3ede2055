"""The built-in hub's tokens: JSON Web Tokens, HS256 with the hub's access key.

The service SDK signs one for each REST request (audience: the request's URL) and one for
each client (audience: the client URL). Only the audience's path is compared, because the
host is whatever name the service is reached by.
"""

import hmac
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import jwt

_LEEWAY_SECONDS = 5


class TokenRefused(Exception):
    """The token is missing, wrong, expired or meant for something else."""


@dataclass(frozen=True)
class ClientClaims:
    """What a client token grants."""

    user_id: str | None
    roles: frozenset[str]
    groups: tuple[str, ...]


class Tokens:
    """Checks and signs tokens of one access key."""

    def __init__(self, access_key: str) -> None:
        self._access_key = access_key

    def check_request(self, authorization: str, path: str) -> None:
        """Raise TokenRefused unless the Authorization header allows a request of this path."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise TokenRefused("the Authorization header holds no Bearer token")
        self._claims(token.strip(), path)

    def client_claims(self, token: str, path: str) -> ClientClaims:
        """What the token of a connecting client grants; raises TokenRefused."""
        if not token:
            raise TokenRefused("access_token is missing")
        claims = self._claims(token, path)
        subject = claims.get("sub")
        return ClientClaims(
            user_id=subject if isinstance(subject, str) else None,
            roles=frozenset(_texts(claims.get("role"))),
            groups=tuple(_texts(claims.get("webpubsub.group"))),
        )

    def client_token(
        self,
        audience: str,
        *,
        user_id: str | None,
        roles: Sequence[str],
        groups: Sequence[str],
        minutes: int,
    ) -> str:
        """A client token as the service SDK would sign it."""
        now = int(time.time())
        claims: dict[str, Any] = {"aud": audience, "iat": now, "exp": now + minutes * 60}
        if user_id:
            claims["sub"] = user_id
        if roles:
            claims["role"] = list(roles)
        if groups:
            claims["webpubsub.group"] = list(groups)
        return jwt.encode(claims, self._access_key, algorithm="HS256")

    def _claims(self, token: str, path: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._access_key,
                algorithms=["HS256"],
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "aud"], "verify_aud": False},
            )
        except jwt.PyJWTError as error:
            raise TokenRefused(f"the token is refused: {error}") from None
        if not any(_same_path(audience, path) for audience in _texts(claims["aud"])):
            raise TokenRefused(f"the token is meant for another address than {path}")
        return claims


def same_secret(given: str, known: str) -> bool:
    """Compare without telling by the time taken how much was right."""
    return hmac.compare_digest(given.encode(), known.encode())


def _same_path(audience: str, path: str) -> bool:
    try:
        return unquote(urlsplit(audience).path) == path
    except ValueError:
        return False


def _texts(value: object) -> Iterable[str]:
    if isinstance(value, str):
        return [value]
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []

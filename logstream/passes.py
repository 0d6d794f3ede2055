"""Passes: short-lived tokens by which LogStream's own processes and pages get in.

JSON Web Tokens, HS256 with the installation's secret. Whoever can read that secret in the
data directory can read the database's password beside it, so a pass gives away nothing new.
"""

import time
from collections.abc import Callable

import jwt
import msgspec

from logstream.api_keys import ROLES, Role

AUDIENCE = "logstream"
LEEWAY_SECONDS = 5
_RENEW_SECONDS = 60.0
_LIFE_SECONDS = 300


class Pass(msgspec.Struct, frozen=True):
    """What a pass allows, in every environment, until when."""

    role: Role
    holder: str
    expires_unix: float


class Passes:
    """Signs and checks passes with one secret."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def issue(self, role: Role, holder: str, seconds: int) -> str:
        """A pass for `holder` (a name for people) that ends after so many seconds."""
        now = int(time.time())
        claims = {
            "aud": AUDIENCE,
            "sub": holder,
            "role": role,
            "iat": now,
            "exp": now + seconds,
        }
        return jwt.encode(claims, self._secret, algorithm="HS256")

    def read(self, token: str) -> Pass | None:
        """What the token allows; None when it is none of ours, or is over."""
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=["HS256"],
                audience=AUDIENCE,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "aud", "sub"]},
            )
        except (jwt.PyJWTError, UnicodeError):
            return None
        role = claims.get("role")
        if role not in ROLES:
            return None
        return Pass(role, str(claims["sub"]), float(claims["exp"]))


def renewing(passes: Passes, role: Role, holder: str) -> Callable[[], dict[str, str]]:
    """Gives the Authorization header of a process that goes on for long."""
    made_at, header = 0.0, dict[str, str]()

    def authorization() -> dict[str, str]:
        nonlocal made_at, header
        if not header or time.monotonic() - made_at > _RENEW_SECONDS:
            made_at = time.monotonic()
            header = {"Authorization": f"Bearer {passes.issue(role, holder, _LIFE_SECONDS)}"}
        return header

    return authorization

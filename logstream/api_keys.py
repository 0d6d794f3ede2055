"""API keys: how one looks, how it is made, and how it is checked.

`ls_<8 characters>_<33 characters>`: the part before the last underscore is the key's name in
lists and logs and no secret; the last part is 196 bits from the system's random source.
"""

import hashlib
import hmac
import re
import secrets
import string
from datetime import datetime
from typing import Literal, get_args

import msgspec

Role = Literal["ingest", "read", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
BEGINNING = "ls_"
PREFIX_CHARACTERS, SECRET_CHARACTERS = 8, 33
_ALPHABET = string.digits + string.ascii_letters
_PREFIX = rf"ls_[0-9A-Za-z]{{{PREFIX_CHARACTERS}}}"
_KEY = re.compile(rf"({_PREFIX})_[0-9A-Za-z]{{32,64}}")
# Also cut-off and misspelt ones: what follows the prefix is nobody's business.
_SECRET_PART = re.compile(rf"({_PREFIX})_[0-9A-Za-z]+")
# A password needs a slow hash because it can be guessed. Nobody guesses 196 random bits, so the
# cost only has to be small enough for a service that meets a thousand new keys at once.
_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 2**10, 8, 1


class StoredKey(msgspec.Struct, frozen=True):
    """A key as the database holds it: everything but the key.

    `environment` is the only one it may write to and read, None: every one.
    `rate_per_second` is in lines, None: no limit.
    """

    prefix: str
    name: str
    role: Role
    environment: str | None
    salt: bytes
    hash: bytes
    rate_per_second: float | None = None
    created_at: datetime | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    line_count: int = 0
    byte_count: int = 0
    rejected_count: int = 0

    def is_opened_by(self, key: str) -> bool:
        """Whether this is the stored form of the key; takes milliseconds."""
        return hmac.compare_digest(hash_of(key, self.salt), self.hash)


def make_key(
    role: Role,
    environment: str | None,
    *,
    name: str = "",
    rate_per_second: float | None = None,
    expires_at: datetime | None = None,
) -> tuple[str, StoredKey]:
    """A fresh key, which nobody can show again, and what is stored of it."""
    prefix = BEGINNING + _random_text(PREFIX_CHARACTERS)
    key = f"{prefix}_{_random_text(SECRET_CHARACTERS)}"
    salt = secrets.token_bytes(16)
    stored = StoredKey(
        prefix,
        name,
        role,
        environment,
        salt,
        hash_of(key, salt),
        rate_per_second=rate_per_second,
        expires_at=expires_at,
    )
    return key, stored


def prefix_of(text: str) -> str | None:
    """The visible part of a key; None when the text has not the form of one."""
    match = _KEY.fullmatch(text)
    return None if match is None else match[1]


def hash_of(key: str, salt: bytes) -> bytes:
    """What is stored instead of the key."""
    return hashlib.scrypt(key.encode(), salt=salt, n=_SCRYPT_N, r=_SCRYPT_R, p=_SCRYPT_P, dklen=32)


def without_keys(text: str) -> str:
    """The text with the secret part of every key in it left out."""
    return _SECRET_PART.sub(r"\1_…", text) if BEGINNING in text else text


def _random_text(characters: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(characters))

"""Who may send and ask: API keys, rate limits, and what is done to records before they land."""

import time
from collections.abc import Mapping
from typing import Literal

import msgspec
from starlette.types import Scope

from ingest_service.caller import ANYBODY as ANYBODY
from ingest_service.caller import Caller as Caller
from ingest_service.client_address import ClientAddress
from ingest_service.credentials import presented
from ingest_service.key_ring import KeyRing, Known
from ingest_service.rate_limits import Buckets, address_group, bucket_name, retry_after
from logstream import api_keys
from logstream.errors import Forbidden, RateLimited, Unauthorized
from logstream.model import Decoded
from logstream.receive.storable import Preparation

# What a request asks for: `any` valid key will do, whatever its role.
Role = Literal["ingest", "read", "admin", "any"]
MAKE_ONE = "make one with: logstream keys create --environment NAME --role {role}"
# Wrong keys from one address: so many at once, and one a second.
WRONG_KEYS_PER_SECOND = 1.0
WRONG_KEYS_AT_ONCE = 20.0  # so many seconds' worth, on top of the bucket's own
_VERB: dict[Role, str] = {"ingest": "send", "read": "read", "admin": "administer"}


class Policy(msgspec.Struct, frozen=True):
    """What the settings say about callers.

    `address_rate` is in requests a second from one address, None: no limit.
    """

    requires_keys: bool = False
    address_rate: float | None = None


class Admission:
    """Decides about every request before its body is read."""

    def __init__(
        self,
        policy: Policy,
        ring: KeyRing,
        preparation: Preparation,
        addresses: ClientAddress,
        buckets: Buckets,
    ) -> None:
        self._requires_keys = policy.requires_keys
        self._address_rate = policy.address_rate
        self._ring = ring
        self._preparation = preparation
        self._addresses = addresses
        self._buckets = buckets
        # Keys whose lines are limited; the others cost nothing when they are charged.
        self._limited: dict[str, Known] = {}

    async def admit(self, scope: Scope, headers: Mapping[bytes, bytes], role: Role) -> Caller:
        """The caller; raises Unauthorized, Forbidden or RateLimited.

        StoreUnavailable when a key cannot be checked now.
        """
        if self._address_rate is not None:
            self._count_address(self._addresses.of(scope, headers), self._address_rate)
        key = presented(scope, headers)
        if not key:
            if self._requires_keys:
                raise _no_key(key, role)
            return ANYBODY
        known = self._ring.known(key)
        if known is None:
            known = await self._verify(key, scope, headers)
            if known is None:
                return ANYBODY
        if known.why or known.ends_unix <= time.time():
            if known.is_pass and not self._requires_keys:
                return ANYBODY
            raise Unauthorized(
                f"key {known.name} {known.why or 'has expired'}", MAKE_ONE.format(role=role)
            )
        if known.role != role and known.role != "admin" and role != "any":
            raise Forbidden(
                f"key {known.name} may {_VERB[known.role]}, not {_VERB[role]}",
                f"use a key made with --role {role}",
            )
        if known.is_pass:
            return known.caller
        if known.rate is not None and role == "ingest":
            self._hold_back(known, known.rate)
        self._ring.note_use(known.name)
        return known.caller

    def charge(self, caller: Caller, *, lines: int, size_bytes: int, rejected: int) -> None:
        """Count what a caller sent against its limits and totals."""
        if not caller.key:
            return
        self._ring.count(caller.key, lines=lines, size_bytes=size_bytes, rejected=rejected)
        known = self._limited.get(caller.key)
        if known is not None and known.rate is not None:
            self._buckets.take(known.bucket, known.rate, lines + rejected)

    def prepare(self, decoded: Decoded, caller: Caller) -> Decoded:
        """The same records as they may be stored: in the caller's environment."""
        return self._preparation.apply(decoded, caller.environment)

    async def _verify(self, key: str, scope: Scope, headers: Mapping[bytes, bytes]) -> Known | None:
        """Who presents a key for the first time; None for what may be anybody's token."""
        prefix = api_keys.prefix_of(key)
        address = address_group(self._addresses.of(scope, headers))
        # Whoever guesses at one key, or sends a dead one for ever, holds up no other key that
        # comes from the same address.
        owner = f"{address}/{prefix}" if self._ring.holds(prefix) else address
        wrong = bucket_name("wrong key", owner)
        is_key = key.startswith(api_keys.BEGINNING)
        wait = self._buckets.wait_seconds(wrong, WRONG_KEYS_PER_SECOND) - WRONG_KEYS_AT_ONCE
        if is_key and wait > 0:
            raise RateLimited(
                f"too many wrong keys came from {address}",
                "correct the key that is sent",
                retry_after(wait),
            )
        known = await self._ring.verify(key)
        if known is None and (is_key or self._requires_keys):
            self._buckets.take(wrong, WRONG_KEYS_PER_SECOND, 1.0)
            raise Unauthorized(
                f"key {prefix} is not valid" if prefix else "the API key is not valid",
                "check that it is whole, and listed by: logstream keys list",
            )
        return known

    def _count_address(self, address: str, rate: float) -> None:
        bucket = bucket_name("address", address_group(address))
        wait = self._buckets.wait_seconds(bucket, rate)
        if wait > 0:
            raise RateLimited(
                f"more than {rate:g} requests a second came from {address}",
                "send larger batches, or raise LOGSTREAM_RATE_LIMIT_PER_SECOND",
                retry_after(wait),
            )
        self._buckets.take(bucket, rate, 1.0)

    def _hold_back(self, known: Known, rate: float) -> None:
        self._limited[known.name] = known
        wait = self._buckets.wait_seconds(known.bucket, rate)
        if wait > 0:
            raise RateLimited(
                f"key {known.name} may send {rate:g} lines a second",
                "send again later; the limit is the key's --rate",
                retry_after(wait),
            )


def _no_key(key: str | None, role: Role) -> Unauthorized:
    what = "an API key is needed" if key is None else "what was sent is no API key of LogStream"
    return Unauthorized(
        what, MAKE_ONE.format(role="read" if role == "any" else role), is_missing=key is None
    )

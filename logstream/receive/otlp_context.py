"""What all records of one resource and scope share, worked out once for all of them."""

from collections.abc import Mapping
from typing import Any

import msgspec

from logstream.model import Origins
from logstream.receive.json_text import is_deeper_than
from logstream.receive.native_values import MAX_NAME_CHARS, Defaults, too_deep
from logstream.receive.object_record import UNKNOWN_SERVICE
from logstream.receive.otlp_fields import Source

SERVICE_NAME = "service.name"
ENVIRONMENT_NAMES = (
    "deployment.environment.name",
    "deployment.environment",
    "environment",
    "env",
)
_encode = msgspec.json.encode


class Context:
    """Service, environment and common attributes of some records."""

    def __init__(self, source: Source, defaults: Defaults) -> None:
        common = dict(source.resource)
        self.received_unix_nano = defaults.received_unix_nano
        self.origins: Origins = {}
        service = take_name(common, (SERVICE_NAME,), self.origins, "service_name", "resource ")
        environment = take_name(common, ENVIRONMENT_NAMES, self.origins, "environment", "resource ")
        self._service_name = service or UNKNOWN_SERVICE
        self._environment = environment or defaults.environment
        # What a record's own attributes may say, because its resource does not.
        self._wanted = frozenset(
            (*(() if service else (SERVICE_NAME,)), *(() if environment else ENVIRONMENT_NAMES))
        )
        put_given(
            common,
            {
                "otel.resource.dropped_attributes_count": source.resource_dropped_attributes_count,
                "otel.resource.schema_url": source.resource_schema_url,
                "otel.scope.name": source.scope_name,
                "otel.scope.version": source.scope_version,
                "otel.scope.attributes": source.scope_attributes,
                "otel.scope.dropped_attributes_count": source.scope_dropped_attributes_count,
                "otel.scope.schema_url": source.scope_schema_url,
            },
        )
        self._common = common
        self._common_names = frozenset(common)
        encoded = _encode(common)
        if is_deeper_than(encoded):
            raise too_deep()
        self._alone = encoded
        self._after = b"," + encoded[1:] if common else b"}"

    def place(self, own: dict[str, Any], origins: Origins | None) -> tuple[str, str]:
        """Service and environment of a record; what only its attributes say is taken from them."""
        service, environment = self._service_name, self._environment
        if not self._wanted.isdisjoint(own):
            if SERVICE_NAME in self._wanted:
                service = take_name(own, (SERVICE_NAME,), origins, "service_name") or service
            if ENVIRONMENT_NAMES[0] in self._wanted:
                environment = (
                    take_name(own, ENVIRONMENT_NAMES, origins, "environment") or environment
                )
        return service, environment

    def attributes(self, own: dict[str, Any]) -> bytes:
        """A record's own attributes and the common ones, as one JSON object's text.

        A common one whose name the record has with another value is `resource.NAME`.
        """
        if not own:
            return self._alone
        if not self._common_names.isdisjoint(own):
            own = dict(own)
            for name, value in self._common.items():
                if name not in own:
                    own[name] = value
                elif own[name] != value:
                    put(own, f"resource.{name}", value)
            encoded = _encode(own)
        else:
            encoded = _encode(own)[:-1] + self._after
        if is_deeper_than(encoded):
            raise too_deep()
        return encoded


def take_name(
    attributes: dict[str, Any],
    names: tuple[str, ...],
    origins: Origins | None,
    field: str,
    whose: str = "",
) -> str | None:
    """The first of the names that is given as text, taken out of the attributes.

    One that is too long is cut and stays an attribute too.
    """
    for name in names:
        value = attributes.get(name)
        if isinstance(value, str) and value.strip():
            bare = value.strip()
            if len(bare) <= MAX_NAME_CHARS:
                del attributes[name]
            if origins is not None:
                origins[field] = f"{whose}attribute {name}"
            return bare[:MAX_NAME_CHARS]
    return None


def put(attributes: dict[str, Any], name: str, value: Any) -> None:
    """Add an attribute, with `field_` before its name while that is taken."""
    while name in attributes:
        name = f"field_{name}"
    attributes[name] = value


def put_given(attributes: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Add those attributes that are neither zero nor empty."""
    for name, value in more.items():
        if value:
            put(attributes, name, value)

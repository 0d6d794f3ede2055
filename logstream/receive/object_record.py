"""A record from an object or a text of any logger: the forgiving reader all formats share.

Nothing is refused that can be kept: an unknown level is info with the sender's word beside
it, an object without a message is its own text, a time that cannot be read stays an
attribute. What is not taken for a field of the record stays in its attributes.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from logstream.model import LogRecord, Origins
from logstream.receive.json_text import clean_text, merged
from logstream.receive.native_record import record_from_json
from logstream.receive.native_values import Defaults

UNKNOWN_SERVICE = "unknown_service"


class Given(msgspec.Struct, frozen=True):
    """What a format's envelope says of a record beside the object or text inside.

    All of it goes before what the object says, except for the two fallbacks, which count
    when the object says nothing. `attributes` are JSON values (msgspec.Raw is one too); a
    name that the object has with another value is stored as `field_NAME`. `origins` says
    where the given fields came from.
    """

    timestamp_unix_nano: int | None = None
    severity: str | int | None = None
    service_name: str | None = None
    environment: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    attributes: Mapping[str, Any] = {}
    fallback_service: str | None = None
    fallback_severity: str | int | None = None
    origins: Origins = {}


NOTHING_GIVEN = Given()


def record_of_object(
    raw: bytes, defaults: Defaults, given: Given = NOTHING_GIVEN, origins: Origins | None = None
) -> LogRecord:
    """The record of one JSON object's text (clean, see json_text.clean_json).

    Fills `origins` when it is given. Raises Refused, ValueError when it is no object.
    """
    service = given.service_name or given.fallback_service or UNKNOWN_SERVICE
    record = record_from_json(merged(raw, {"source": service}), defaults)
    return msgspec.structs.replace(
        record, attributes=merged(record.attributes, {**given.attributes})
    )


def record_of_text(
    text: str, defaults: Defaults, given: Given = NOTHING_GIVEN, origins: Origins | None = None
) -> LogRecord:
    """The record of one line (or lines) of text.

    A text that is a JSON object of a logger is read as that object. Otherwise the text is
    the body, byte for byte, and its level is looked for where loggers put it, unless given.
    """
    return LogRecord(
        timestamp_unix_nano=given.timestamp_unix_nano or defaults.received_unix_nano,
        observed_unix_nano=defaults.received_unix_nano,
        environment=given.environment or defaults.environment,
        service_name=given.service_name or given.fallback_service or UNKNOWN_SERVICE,
        severity_number=9,
        body=clean_text(text),
        attributes=merged(b"{}", {**given.attributes}),
    )

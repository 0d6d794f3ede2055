"""What is done to decoded records and spans before they are stored.

Their number of attributes is limited, what must not be stored is masked, and records that
name another environment than their key's are moved to the key's.
"""

from typing import TypeVar

import msgspec

from logstream.model import Decoded, LogRecord, Reject, Span
from logstream.receive.attribute_text import with_attribute
from logstream.receive.redaction import Redaction

# `"a":1,`: no attribute is written in fewer bytes.
SHORTEST_ATTRIBUTE_BYTES = 6
_RecordOrSpan = TypeVar("_RecordOrSpan", LogRecord, Span)
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_items = msgspec.json.Decoder(list[msgspec.Raw])


class Preparation:
    """The rules of one installation; `apply` them to each body's records."""

    def __init__(self, max_attributes: int, redaction: Redaction | None = None) -> None:
        self._max_attributes = max_attributes
        self._long_text = max_attributes * SHORTEST_ATTRIBUTE_BYTES
        self._redaction = redaction

    def apply(self, decoded: Decoded, environment: str | None) -> Decoded:
        """The same as it may be stored, for a sender that may write to one environment."""
        long_text = self._long_text
        if any(len(record.attributes) > long_text for record in decoded.records):
            decoded = self._without_too_many(decoded)
        if any(len(span.attributes) > long_text for span in decoded.spans):
            decoded = self._without_too_many_of_spans(decoded)
        if environment is not None:
            decoded = _moved(decoded, environment)
        if self._redaction is not None:
            decoded = self._redaction.apply(decoded)
        return decoded

    def _too_many(self, attributes: bytes) -> int:
        if len(attributes) <= self._long_text:
            return 0
        count = _count(attributes)
        return count if count > self._max_attributes else 0

    def _reject(self, index: int, kind: str, count: int, raw: bytes) -> Reject:
        return Reject(
            index,
            f"{kind} {index}: it has {count} attributes; the limit is {self._max_attributes} "
            "(LOGSTREAM_MAX_ATTRIBUTES)",
            raw,
            "too_many_attributes",
        )

    def _without_too_many(self, decoded: Decoded) -> Decoded:
        records, origins, rejects = [], [], list(decoded.rejects)
        refused_before = {reject.index for reject in decoded.rejects}
        index = -1
        for position, record in enumerate(decoded.records):
            # Its place in the request: the records and the rejects together are all of it.
            index += 1
            while index in refused_before:
                index += 1
            count = self._too_many(record.attributes)
            if count:
                rejects.append(self._reject(index, "record", count, record.attributes))
                continue
            records.append(record)
            if decoded.origins:
                origins.append(decoded.origins[position])
        rejects.sort(key=lambda reject: reject.index)
        return msgspec.structs.replace(decoded, records=records, origins=origins, rejects=rejects)

    def _without_too_many_of_spans(self, decoded: Decoded) -> Decoded:
        spans, origins, rejects = [], [], list(decoded.rejects)
        for index, span in enumerate(decoded.spans):
            count = self._too_many(span.attributes)
            if count:
                rejects.append(self._reject(index, "span", count, span.attributes))
                continue
            spans.append(span)
            if decoded.span_origins:
                origins.append(decoded.span_origins[index])
        return msgspec.structs.replace(decoded, spans=spans, span_origins=origins, rejects=rejects)


def _moved(decoded: Decoded, environment: str) -> Decoded:
    records, spans = decoded.records, decoded.spans
    if any(record.environment != environment for record in records):
        records = [_in(record, environment) for record in records]
    if any(span.environment != environment for span in spans):
        spans = [_in(span, environment) for span in spans]
    if records is decoded.records and spans is decoded.spans:
        return decoded
    return msgspec.structs.replace(decoded, records=records, spans=spans)


def _in(one: _RecordOrSpan, environment: str) -> _RecordOrSpan:
    """The same in this environment; what the sender said stays readable."""
    if one.environment == environment:
        return one
    attributes = one.attributes
    if b'"environment"' not in attributes or "environment" not in _members.decode(attributes):
        attributes = with_attribute(attributes, "environment", one.environment)
    return msgspec.structs.replace(one, environment=environment, attributes=attributes)


def _count(value: bytes) -> int:
    """How many members an object has, those of all objects in it included."""
    members = _members.decode(value)
    return len(members) + sum(_count_in(bytes(member)) for member in members.values())


def _count_in(value: bytes) -> int:
    if value[:1] == b"{":
        return _count(value)
    if value[:1] == b"[":
        return sum(_count_in(bytes(item)) for item in _items.decode(value))
    return 0

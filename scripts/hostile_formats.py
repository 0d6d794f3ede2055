"""The same record in every wire format, of bytes that need not be text.

Written by hand where a client library would refuse or repair what is wrong with them.
"""

import zlib
from collections.abc import Callable, Iterable
from typing import NamedTuple
from urllib.parse import quote_from_bytes

import cramjam

_SHORT_ESCAPES = {34: rb"\"", 92: rb"\\", 10: rb"\n", 13: rb"\r", 9: rb"\t"}


class Sample(NamedTuple):
    """One record to be sent; `probe` finds it again, as an attribute of that name."""

    probe: str
    environment: str
    unix_nano: int
    message: bytes = b"Order 17 placed"
    service: bytes = b"checkout"
    key: bytes = b"region"
    value: bytes = b"eu-1"
    trace_id: bytes = b"4bf92f3577b34da6a3ce929d0e0e4736"

    @property
    def span_id(self) -> bytes:
        """Another one for every probe, in hexadecimal digits."""
        return b"1%015x" % zlib.crc32(self.probe.encode())


class Format(NamedTuple):
    """How records are sent over HTTP: each as a piece of a body."""

    name: str
    path: str
    content_type: str
    piece: Callable[[Sample], bytes]
    whole: Callable[[list[bytes]], bytes]
    has_spans: bool = False
    is_json: bool = True
    # Of a form there is one in a body.
    is_batch: bool = True

    def body(self, samples: Iterable[Sample]) -> bytes:
        """The records in one body."""
        return self.whole([self.piece(sample) for sample in samples])


def quoted(text: bytes) -> bytes:
    """A JSON string of these bytes; what JSON need not escape stays raw, invalid UTF-8 too."""
    return b'"' + b"".join(map(_escaped, text)) + b'"'


def _escaped(byte: int) -> bytes:
    if byte in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[byte]
    return b"\\u%04x" % byte if byte < 32 else bytes((byte,))


def json_object(members: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Names and values of a JSON object; the values are JSON already."""
    return b"{" + b",".join(quoted(name) + b":" + value for name, value in members) + b"}"


def _strings(*members: tuple[bytes, bytes]) -> bytes:
    return json_object((name, quoted(value)) for name, value in members)


def _array(pieces: Iterable[bytes]) -> bytes:
    return b"[" + b",".join(pieces) + b"]"


def varint(value: int) -> bytes:
    """A protobuf number."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def proto(field: int, content: bytes | int) -> bytes:
    """A protobuf field."""
    if isinstance(content, int):
        return varint(field << 3) + varint(content)
    return varint(field << 3 | 2) + varint(len(content)) + content


def _moment(sample: Sample) -> bytes:
    return proto(1, sample.unix_nano // 10**9) + proto(2, sample.unix_nano % 10**9)


def _native(sample: Sample) -> bytes:
    metadata = _strings(
        (sample.key, sample.value),
        (b"probe", sample.probe.encode()),
        (b"traceId", sample.trace_id),
    )
    return json_object(
        [
            (b"source", quoted(sample.service)),
            (b"message", quoted(sample.message)),
            (b"environment", quoted(sample.environment.encode())),
            (b"metadata", metadata),
        ]
    )


def _flat(
    sample: Sample, message: bytes, service: bytes, environment: bytes, trace: bytes, mark: bytes
) -> bytes:
    return _strings(
        (message, sample.message),
        (service, sample.service),
        (environment, sample.environment.encode()),
        (mark + sample.key, sample.value),
        (trace, sample.trace_id),
        (mark + b"probe", sample.probe.encode()),
    )


def _generic(sample: Sample) -> bytes:
    return _flat(sample, b"message", b"service", b"environment", b"trace_id", b"")


def _bulk(sample: Sample) -> bytes:
    document = _flat(sample, b"message", b"service.name", b"service.environment", b"trace.id", b"")
    return b'{"create":{"_index":"logs-app"}}\n' + document + b"\n"


def _hec(sample: Sample) -> bytes:
    fields = _strings(
        (sample.key, sample.value),
        (b"probe", sample.probe.encode()),
        (b"trace_id", sample.trace_id),
        (b"environment", sample.environment.encode()),
        (b"service", sample.service),
    )
    return json_object([(b"event", quoted(sample.message)), (b"fields", fields)])


def _datadog(sample: Sample) -> bytes:
    return _strings(
        (b"message", sample.message),
        (b"service", sample.service),
        (b"ddtags", b"env:" + sample.environment.encode()),
        (sample.key, sample.value),
        (b"dd.trace_id", sample.trace_id),
        (b"probe", sample.probe.encode()),
    )


def _clef(sample: Sample) -> bytes:
    return _flat(sample, b"@m", b"Application", b"Environment", b"@tr", b"")


def _gelf(sample: Sample) -> bytes:
    flat = _flat(sample, b"short_message", b"_service", b"_environment", b"_trace_id", b"_")
    return b'{"version":"1.1","host":"web-1",' + flat[1:]


def _sentry_log(sample: Sample) -> bytes:
    attributes = json_object(
        (name, json_object([(b"value", quoted(value)), (b"type", b'"string"')]))
        for name, value in (
            (sample.key, sample.value),
            (b"probe", sample.probe.encode()),
            (b"service.name", sample.service),
            (b"sentry.environment", sample.environment.encode()),
        )
    )
    return json_object(
        [
            (b"timestamp", b"%d.%09d" % divmod(sample.unix_nano, 10**9)),
            (b"level", b'"info"'),
            (b"body", quoted(sample.message)),
            (b"trace_id", quoted(sample.trace_id)),
            (b"attributes", attributes),
        ]
    )


def _sentry_logs(pieces: list[bytes]) -> bytes:
    items = b'{"items":' + _array(pieces) + b"}"
    head = b'{"type":"log","item_count":%d,"length":%d}' % (len(pieces), len(items))
    return b"{}\n" + head + b"\n" + items + b"\n"


def _sentry_event(sample: Sample) -> bytes:
    return json_object(
        [
            (b"message", quoted(sample.message)),
            (b"environment", quoted(sample.environment.encode())),
            (b"tags", _strings((b"service", sample.service))),
            (
                b"extra",
                _strings((sample.key, sample.value), (b"probe", sample.probe.encode())),
            ),
            (b"contexts", b'{"trace":' + _strings((b"trace_id", sample.trace_id)) + b"}"),
        ]
    )


def _sentry_events(pieces: list[bytes]) -> bytes:
    return b"{}\n" + b"".join(
        b'{"type":"event","length":%d}\n' % len(piece) + piece + b"\n" for piece in pieces
    )


def _app_insights(sample: Sample) -> bytes:
    properties = _strings(
        (sample.key, sample.value),
        (b"probe", sample.probe.encode()),
        (b"environment", sample.environment.encode()),
    )
    base = json_object([(b"message", quoted(sample.message)), (b"properties", properties)])
    return json_object(
        [
            (b"name", b'"Microsoft.ApplicationInsights.Message"'),
            (
                b"tags",
                _strings((b"ai.cloud.role", sample.service), (b"ai.operation.id", sample.trace_id)),
            ),
            (
                b"data",
                json_object([(b"baseType", b'"MessageData"'), (b"baseData", base)]),
            ),
        ]
    )


def _loki_json(sample: Sample) -> bytes:
    labels = _strings(
        (b"service_name", sample.service), (b"environment", sample.environment.encode())
    )
    metadata = _strings(
        (sample.key, sample.value),
        (b"probe", sample.probe.encode()),
        (b"trace_id", sample.trace_id),
    )
    entry = _array([b'"%d"' % sample.unix_nano, quoted(sample.message), metadata])
    return json_object([(b"stream", labels), (b"values", _array([entry]))])


def _loki(sample: Sample) -> bytes:
    labels = b'{service_name=%b, environment="%b"}' % (
        _go_quoted(sample.service),
        sample.environment.encode(),
    )
    entry = proto(1, _moment(sample)) + proto(2, sample.message)
    for name, value in _pairs(sample, b"trace_id"):
        entry += proto(3, proto(1, name) + proto(2, value))
    return proto(1, proto(1, labels) + proto(2, entry))


def _snappy(pieces: list[bytes]) -> bytes:
    return bytes(cramjam.snappy.compress_raw(b"".join(pieces)))


def _go_quoted(text: bytes) -> bytes:
    """A label's value: as JSON's, except for what is below a space."""
    body = b"".join(
        b"\\x%02x" % byte if byte < 32 and byte not in _SHORT_ESCAPES else _escaped(byte)
        for byte in text
    )
    return b'"' + body + b'"'


def _pairs(sample: Sample, trace: bytes = b"") -> list[tuple[bytes, bytes]]:
    pairs = [(sample.key, sample.value), (b"probe", sample.probe.encode())]
    return [*pairs, (trace, sample.trace_id)] if trace else pairs


def _attribute(name: bytes, value: bytes) -> bytes:
    return proto(1, name) + proto(2, proto(1, value))


def _hexadecimal(text: bytes) -> bytes:
    try:
        return bytes.fromhex(text.decode())
    except ValueError:
        return text


def _otlp_resource(sample: Sample) -> bytes:
    names = (
        (b"service.name", sample.service),
        (b"deployment.environment.name", sample.environment.encode()),
    )
    return b"".join(proto(1, _attribute(name, value)) for name, value in names)


def _otlp_log(sample: Sample) -> bytes:
    record = b"\x09" + sample.unix_nano.to_bytes(8, "little")
    record += proto(2, 9) + proto(5, proto(1, sample.message))
    for name, value in _pairs(sample):
        record += proto(6, _attribute(name, value))
    record += proto(9, _hexadecimal(sample.trace_id))
    return proto(1, proto(1, _otlp_resource(sample)) + proto(2, proto(2, record)))


def _otlp_span(sample: Sample) -> bytes:
    span = proto(1, _hexadecimal(sample.trace_id)) + proto(
        2, bytes.fromhex(sample.span_id.decode())
    )
    span += proto(5, sample.message)
    span += b"\x39" + sample.unix_nano.to_bytes(8, "little")
    span += b"\x41" + (sample.unix_nano + 1_000_000).to_bytes(8, "little")
    for name, value in _pairs(sample):
        span += proto(9, _attribute(name, value))
    return proto(1, proto(1, _otlp_resource(sample)) + proto(2, proto(2, span)))


def _json_attributes(*pairs: tuple[bytes, bytes]) -> bytes:
    return _array(
        json_object([(b"key", quoted(name)), (b"value", _strings((b"stringValue", value)))])
        for name, value in pairs
    )


def _otlp_json_group(sample: Sample, outer: bytes, inner: bytes, record: bytes) -> bytes:
    resource = _json_attributes(
        (b"service.name", sample.service),
        (b"deployment.environment.name", sample.environment.encode()),
    )
    return json_object(
        [
            (b"resource", json_object([(b"attributes", resource)])),
            (outer, _array([json_object([(inner, _array([record]))])])),
        ]
    )


def _otlp_json_log(sample: Sample) -> bytes:
    record = json_object(
        [
            (b"timeUnixNano", b'"%d"' % sample.unix_nano),
            (b"severityNumber", b"9"),
            (b"body", _strings((b"stringValue", sample.message))),
            (b"attributes", _json_attributes(*_pairs(sample))),
            (b"traceId", quoted(sample.trace_id)),
        ]
    )
    return _otlp_json_group(sample, b"scopeLogs", b"logRecords", record)


def _otlp_json_span(sample: Sample) -> bytes:
    span = json_object(
        [
            (b"traceId", quoted(sample.trace_id)),
            (b"spanId", quoted(sample.span_id)),
            (b"name", quoted(sample.message)),
            (b"startTimeUnixNano", b'"%d"' % sample.unix_nano),
            (b"endTimeUnixNano", b'"%d"' % (sample.unix_nano + 1_000_000)),
            (b"attributes", _json_attributes(*_pairs(sample))),
        ]
    )
    return _otlp_json_group(sample, b"scopeSpans", b"spans", span)


def _zipkin(sample: Sample) -> bytes:
    tags = _strings(*_pairs(sample), (b"environment", sample.environment.encode()))
    return json_object(
        [
            (b"traceId", quoted(sample.trace_id)),
            (b"id", quoted(sample.span_id)),
            (b"name", quoted(sample.message)),
            (b"timestamp", b"%d" % (sample.unix_nano // 1_000)),
            (b"duration", b"1000"),
            (b"localEndpoint", _strings((b"serviceName", sample.service))),
            (b"tags", tags),
        ]
    )


def _form(sample: Sample) -> bytes:
    return "&".join(
        f"{quote_from_bytes(name, safe='')}={quote_from_bytes(value, safe='')}"
        for name, value in _named(sample)
    ).encode()


def _named(sample: Sample) -> list[tuple[bytes, bytes]]:
    return [
        (b"message", sample.message),
        (b"service", sample.service),
        (b"environment", sample.environment.encode()),
        *_pairs(sample, b"trace_id"),
    ]


def _msgpack(sample: Sample) -> bytes:
    pairs = _named(sample)
    return (b"\xde" + len(pairs).to_bytes(2, "big")) + b"".join(
        _packed(name) + _packed(value) for name, value in pairs
    )


def _packed(text: bytes) -> bytes:
    return b"\xdb" + len(text).to_bytes(4, "big") + text


def _msgpack_array(pieces: list[bytes]) -> bytes:
    return b"\xdd" + len(pieces).to_bytes(4, "big") + b"".join(pieces)


def _together(pieces: list[bytes]) -> bytes:
    return b"".join(pieces)


def _lines(pieces: list[bytes]) -> bytes:
    return b"\n".join(pieces) + b"\n"


def _in(head: bytes) -> Callable[[list[bytes]], bytes]:
    return lambda pieces: head + b",".join(pieces) + b"]}"


JSON, NDJSON, CLEF = "application/json", "application/x-ndjson", "application/vnd.serilog.clef"
PROTOBUF, MSGPACK = "application/x-protobuf", "application/msgpack"
FORM, ENVELOPE = "application/x-www-form-urlencoded", "application/x-sentry-envelope"
_LOGS, _SPANS, _STREAMS = b'{"resourceLogs":[', b'{"resourceSpans":[', b'{"streams":['

FORMATS: tuple[Format, ...] = (
    Format("native", "/logs/ingest", JSON, _native, _array),
    Format("native NDJSON", "/logs/ingest", NDJSON, _native, _lines),
    Format("OTLP protobuf", "/v1/logs", PROTOBUF, _otlp_log, _together, is_json=False),
    Format("OTLP JSON", "/v1/logs", JSON, _otlp_json_log, _in(_LOGS)),
    Format("OTLP spans", "/v1/traces", PROTOBUF, _otlp_span, _together, True, False),
    Format("OTLP JSON spans", "/v1/traces", JSON, _otlp_json_span, _in(_SPANS), True),
    Format("Zipkin", "/api/v2/spans", JSON, _zipkin, _array, True),
    Format("Loki protobuf", "/loki/api/v1/push", PROTOBUF, _loki, _snappy, is_json=False),
    Format("Loki JSON", "/loki/api/v1/push", JSON, _loki_json, _in(_STREAMS)),
    Format("_bulk", "/_bulk", NDJSON, _bulk, _together),
    Format("HEC", "/services/collector/event", JSON, _hec, _together),
    Format("Datadog", "/api/v2/logs", JSON, _datadog, _array),
    Format("CLEF", "/ingest/clef", CLEF, _clef, _lines),
    Format("GELF", "/gelf", JSON, _gelf, _lines),
    Format("Sentry logs", "/api/1/envelope/", ENVELOPE, _sentry_log, _sentry_logs),
    Format("Sentry events", "/api/1/envelope/", ENVELOPE, _sentry_event, _sentry_events),
    Format("Application Insights", "/v2.1/track", JSON, _app_insights, _array),
    Format("generic", "/ingest", JSON, _generic, _array),
    Format("Axiom", "/v1/datasets/shop/ingest", NDJSON, _generic, _lines),
    Format("jsonline", "/insert/jsonline", NDJSON, _generic, _lines),
    Format("form", "/ingest", FORM, _form, _together, is_json=False, is_batch=False),
    Format("msgpack", "/ingest", MSGPACK, _msgpack, _msgpack_array, is_json=False),
)
"""Every format over HTTP; several times where it has several encodings."""

"""Whether PostgreSQL takes a record as it is."""

import json

from logstream.model import LogRecord


def is_storable(record: LogRecord) -> bool:
    """True when every text is free of NUL and lone surrogates, and attributes are an object."""
    texts = (
        record.environment,
        record.service_name,
        record.body,
        record.severity_text or "",
        record.trace_id or "",
        record.span_id or "",
        record.attributes.decode(),
        json.dumps(json.loads(record.attributes), ensure_ascii=False),
    )
    for text in texts:
        text.encode()  # raises on a lone surrogate
    return (
        not any("\x00" in text for text in texts)
        and isinstance(json.loads(record.attributes), dict)
        and 1 <= record.severity_number <= 24
        and 0 < len(record.service_name) <= 200
        and 0 < len(record.environment) <= 200
    )

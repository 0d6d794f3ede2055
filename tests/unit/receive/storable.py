"""What PostgreSQL takes, checked on everything a decoder made."""

import json
import re

import msgspec

from logstream.model import Decoded

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def assert_storable(decoded: Decoded) -> None:
    """No NUL, no half of a surrogate pair, JSON where JSON belongs, whole numbers in range."""
    for value in (*decoded.records, *decoded.spans):
        for name, content in msgspec.structs.asdict(value).items():
            if isinstance(content, str):
                assert not _UNSTORABLE.search(content), name
            elif isinstance(content, bytes):
                text = json.dumps(json.loads(content.decode()), ensure_ascii=False)
                assert not re.search(r"(?<!\\)(?:\\\\)*\\u0000|[\x00\ud800-\udfff]", text), name
            elif name.endswith("_unix_nano"):
                assert type(content) is int and abs(content) < 2**68, name
            elif name == "duration_nano":
                assert type(content) is int and abs(content) < 2**63
    for record in decoded.records:
        assert 1 <= record.severity_number <= 24
        assert record.service_name and record.environment
        assert json.loads(record.attributes) is not None and record.attributes[:1] == b"{"

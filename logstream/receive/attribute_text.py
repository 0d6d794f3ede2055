"""Changing the JSON text of attributes without reading it."""

import msgspec


def with_attribute(attributes: bytes, name: str, value: object) -> bytes:
    """The text of the JSON object with one more member at its end."""
    member = msgspec.json.encode(name) + b":" + msgspec.json.encode(value)
    bare = attributes.rstrip()[:-1].rstrip()
    return bare + (b"" if bare == b"{" else b",") + member + b"}"

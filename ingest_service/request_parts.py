"""What a request says beside its body, as decoders get it."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.types import Scope


def parameters_of(scope: Scope) -> dict[str, str]:
    """The query parameters; the last of one that is given twice."""
    query = scope["query_string"]
    return read_query(query.decode("latin-1")) if query else {}


def read_query(query: str) -> dict[str, str]:
    """The parameters of a query string."""
    return dict(parse_qsl(query, keep_blank_values=True))


def texts_of(headers: Mapping[bytes, bytes]) -> dict[str, str]:
    """The headers as text."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in headers.items()}


def media_type(headers: Mapping[bytes, bytes]) -> str:
    """The Content-Type without its parameters, in lower case."""
    value = headers.get(b"content-type", b"")
    return value.split(b";", 1)[0].strip().lower().decode("latin-1")

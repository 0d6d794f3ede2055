"""What a request says beside its body, as decoders get it."""

from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl

from starlette.types import Scope


def parameters_of(scope: Scope) -> dict[str, str]:
    """The query parameters; the last of one that is given twice."""
    query = scope["query_string"]
    return read_query(query.decode("latin-1")) if query else {}


def read_query(query: str) -> dict[str, str]:
    """The parameters of a query string."""
    return dict(parse_qsl(query, keep_blank_values=True))


class HeaderTexts(Mapping[str, str]):
    """The headers as text, made when somebody looks: hardly any decoder does."""

    def __init__(self, headers: Mapping[bytes, bytes]) -> None:
        self._headers = headers

    def __getitem__(self, name: str) -> str:
        # No header has a name beyond Latin-1.
        return self._headers[name.encode("latin-1", "replace")].decode("latin-1")

    def __iter__(self) -> Iterator[str]:
        return (name.decode("latin-1") for name in self._headers)

    def __len__(self) -> int:
        return len(self._headers)


def media_type(headers: Mapping[bytes, bytes]) -> str:
    """The Content-Type without its parameters, in lower case."""
    value = headers.get(b"content-type", b"")
    return value.split(b";", 1)[0].strip().lower().decode("latin-1")

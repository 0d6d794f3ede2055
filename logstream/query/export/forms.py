"""The three forms of an export, and how rows become their bytes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from logstream.query.export.columns import CSV_COLUMNS, JSON_LINE, PARQUET_COLUMNS
from logstream.query.export.copying import AS_CSV, AS_IT_IS, Block

Name = Literal["ndjson", "csv", "parquet"]
NAMES: tuple[Name, ...] = get_args(Name)
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Form:
    """`name` is the file's extension too. `has_mark`: CSV begins with a byte order mark."""

    name: Name
    has_mark: bool = False

    @property
    def media_type(self) -> str:
        """The Content-Type."""
        return {
            "ndjson": "application/x-ndjson",
            "csv": "text/csv; charset=utf-8",
            "parquet": "application/vnd.apache.parquet",
        }[self.name]

    @property
    def columns(self) -> tuple[str, ...]:
        """What the database writes of each line."""
        if self.name == "ndjson":
            return (JSON_LINE,)
        chosen = CSV_COLUMNS if self.name == "csv" else PARQUET_COLUMNS
        return tuple(expression for _, expression in chosen)

    @property
    def copy_form(self) -> str:
        """The options of COPY."""
        return AS_IT_IS if self.name == "ndjson" else AS_CSV

    def encoded(self, blocks: Iterable[Block]) -> Iterator[bytes]:
        """The whole file, piece by piece; the last piece is made only when all blocks came."""
        match self.name:
            case "ndjson":
                return (b"".join(block) for block in blocks)
            case "csv":
                return _csv(blocks, self.has_mark)
        from logstream.query.export.parquet import parquet  # pyarrow loads slowly, and is large

        return parquet(blocks)


def _csv(blocks: Iterable[Block], has_mark: bool) -> Iterator[bytes]:
    """RFC 4180: a header, and lines that end with CR LF."""
    head = ",".join(name for name, _ in CSV_COLUMNS).encode() + b"\r\n"
    yield BYTE_ORDER_MARK + head if has_mark else head
    for block in blocks:
        # COPY ends every row with a line feed; those within values are left as they are.
        yield b"\r\n".join([*(row[:-1] for row in block), b""])

"""Rows as a Parquet file: one row group after the other, zstd, typed columns."""

import io
from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from logstream.query.export.columns import PARQUET_COLUMNS
from logstream.query.export.copying import Block

# Of a row group, as text: enough for columns to compress well, little enough to hold.
GROUP_BYTES = 16 * 1024 * 1024
_TYPES: dict[str, pa.DataType] = {
    "id": pa.int64(),
    "createdAt": pa.timestamp("us", tz="UTC"),
    "createdAtNanos": pa.int16(),
    "observedAt": pa.timestamp("us", tz="UTC"),
    "severityNumber": pa.int16(),
    "latency": pa.float64(),
    "patternId": pa.int64(),
}
_NAMES = [name for name, _ in PARQUET_COLUMNS]
SCHEMA = pa.schema([(name, _TYPES.get(name, pa.string())) for name in _NAMES])
_CONVERT = pc.ConvertOptions(
    column_types=SCHEMA,
    # COPY writes NULL as nothing, and an empty text in quotes.
    null_values=[""],
    strings_can_be_null=True,
    quoted_strings_can_be_null=False,
    # As COPY writes doubles that are no number.
    include_columns=_NAMES,
)
_READ = pc.ReadOptions(column_names=_NAMES, use_threads=False, block_size=2 * GROUP_BYTES)
_PARSE = pc.ParseOptions(newlines_in_values=True)


class _Sink(io.RawIOBase):
    """A file that only grows, taken away piece by piece."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        part = bytes(data)  # type: ignore[call-overload]
        self._parts.append(part)
        self._size += len(part)
        return len(part)

    def tell(self) -> int:
        return self._size

    def taken(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


def parquet(blocks: Iterable[Block]) -> Iterator[bytes]:
    """The file piece by piece. Its end, without which nothing reads it, comes last."""
    sink = _Sink()
    writer = pq.ParquetWriter(sink, SCHEMA, compression="zstd")
    for rows in _groups(blocks):
        table = pc.read_csv(
            io.BytesIO(rows), read_options=_READ, parse_options=_PARSE, convert_options=_CONVERT
        )
        writer.write_table(table, row_group_size=table.num_rows)
        yield sink.taken()
    writer.close()
    yield sink.taken()


def _groups(blocks: Iterable[Block]) -> Iterator[bytes]:
    gathered: list[bytes] = []
    size = 0
    for block in blocks:
        gathered += block
        size += sum(map(len, block))
        if size >= GROUP_BYTES:
            yield b"".join(gathered)
            gathered, size = [], 0
    if gathered:
        yield b"".join(gathered)

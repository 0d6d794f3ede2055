"""Rows of `operation_counts`: how often each operation took how long, by minute of its start."""

import struct
from collections.abc import Iterable, Iterator

from logstream.land.binary_rows import POSTGRES_EPOCH_MICROS, text_field

OPERATIONS_COLUMNS = (
    "bucket, environment, service_name, operation, kind, is_error, duration_step, count"
)
# Log lines with a duration are counted as this kind of operation, which has no name.
LINE_KIND = "line"
# A service with more names than this puts what varies into them.
MAX_OPERATIONS = 1_000
MAX_OPERATION_CHARACTERS = 200
OTHER = "(other)"

_head = struct.Struct(">hiq").pack
# is_error, duration_step, count.
_tail = struct.Struct(">i?ihiq").pack

# Minute since the epoch, environment, service, operation, kind, whether it failed, step.
OperationKey = tuple[int, str, str, str, str, bool, int]


class OperationNames:
    """The names that operations are counted under: at most MAX_OPERATIONS a service."""

    def __init__(self) -> None:
        self._known: dict[str, set[str]] = {}

    def counted_as(self, service_name: str, name: str) -> str:
        """The name, cut if it is too long; OTHER when its service has too many already."""
        name = name[:MAX_OPERATION_CHARACTERS]
        known = self._known.get(service_name)
        if known is None:
            known = self._known[service_name] = set()
        if name not in known:
            if len(known) >= MAX_OPERATIONS:
                return OTHER
            known.add(name)
        return name


def operation_rows(counts: Iterable[tuple[OperationKey, int]]) -> Iterator[bytes]:
    """Delta rows in the order of OPERATIONS_COLUMNS, in pieces."""
    for (minute, environment, service, operation, kind, is_error, step), count in counts:
        yield _head(8, 8, minute * 60_000_000 - POSTGRES_EPOCH_MICROS)
        yield text_field(environment)
        yield text_field(service)
        yield text_field(operation)
        yield text_field(kind)
        yield _tail(1, is_error, 2, step, 8, count)

"""The attributes of the newest lines that a question means, one by one.

Attributes are untrusted: a line may carry ten thousand, or one of a megabyte. What is read is
bounded in lines and bytes, what is looked at in names and depth.
"""

import json
import math
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import sqlalchemy as sa

from logstream.filter import LogFilter
from logstream.query.catalogue import Segment
from logstream.query.lines import Order, Reading
from logstream.query.search import newest
from logstream.tables import logs

# Time for finding lines whose text only their rows know; fewer lines are looked at then.
BUDGET_SECONDS = 1.0
MOST_BYTES = 16 * 1024 * 1024
# Read from the connection in parts of so many rows, so that memory stays bounded too.
_ROWS_AT_ONCE = 500
MOST_LINES = 20_000
MOST_NAMES_OF_LINE = 200
MOST_DEPTH = 5
_decode = msgspec.json.Decoder().decode
_JSON = sa.cast(logs.c.attributes, sa.Text).label("attributes")
# Beyond, a float's digits are no whole number's.
_EXACT = 2**53


class AttributesOfLines(Reading):
    """Reads a line's place and its attributes as JSON, until they are `most_bytes` in all.

    Gives rows as they come: a list of twenty thousand other values would take far longer.
    """

    columns = (logs.c.timestamp, logs.c.timestamp_nanos, logs.c.id, _JSON)

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._bytes_left = most_bytes

    def read(self, connection: sa.Connection, statement: sa.Select[Any], order: Order) -> list[Any]:
        """(timestamp_unix_nano, id, attributes) of each line; memory holds no more than that."""
        lines = statement.subquery()
        micros = sa.cast(sa.extract("epoch", lines.c.timestamp) * 1_000_000, sa.BigInteger)
        asked = sa.select(
            (micros * 1_000 + lines.c.timestamp_nanos).label("timestamp_unix_nano"),
            lines.c.id,
            lines.c.attributes,
        ).order_by(*order.columns(lines))
        rows: list[Any] = []
        result = connection.execute(asked, execution_options={"yield_per": _ROWS_AT_ONCE})
        for part in result.partitions():
            size = sum(len(attributes) for _, _, attributes in part)
            if size > self._bytes_left:
                self.is_full = True
                result.close()
                rows += self._beginning(part)
                break
            self._bytes_left -= size
            rows += part
        return rows

    def _beginning(self, part: Iterable[Any]) -> Iterator[Any]:
        for row in part:
            self._bytes_left -= len(row.attributes)
            if self._bytes_left < 0:
                return
            yield row


def newest_attributes(
    connection: sa.Connection,
    segments: list[Segment],
    log_filter: LogFilter,
    *,
    now_unix_nano: int,
    most_lines: int,
) -> tuple[list[str], bool]:
    """The attributes of the newest lines as JSON, and whether these are all lines.

    Fewer than `most_lines` where they are large, or where finding them takes long.
    """
    lines, is_all = newest(
        connection,
        segments,
        log_filter,
        AttributesOfLines(),
        limit=most_lines,
        now_unix_nano=now_unix_nano,
        budget_seconds=BUDGET_SECONDS,
    )
    # The limits of time and the planner's hints are this question's alone.
    connection.rollback()
    return [attributes for _, _, attributes in lines], is_all


def each_object(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The attributes of each line, read one by one: a list of them all would take far longer."""
    for line in lines:
        try:
            attributes: dict[str, Any] = _decode(line)
        except (msgspec.DecodeError, RecursionError):
            attributes = _decoded_slowly(line)
        yield attributes


def _decoded_slowly(line: str) -> dict[str, Any]:
    """What JSON allows and msgspec refuses: 1e400, say. {} for what Python cannot read either."""
    try:
        attributes: dict[str, Any] = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return attributes


def leaves(attributes: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """(name, value) of every attribute, as `q` names it: dots for steps into objects.

    `q` cannot step into an object whose own name holds a dot, nor beyond its first levels here:
    such an object is a value. At most MOST_NAMES_OF_LINE.
    """
    left = MOST_NAMES_OF_LINE
    waiting = [("", attributes, 1)]
    while waiting:
        prefix, members, depth = waiting.pop()
        for name, value in members.items():
            if type(value) is dict and value and depth < MOST_DEPTH and "." not in name and name:
                waiting.append((f"{prefix}{name}.", value, depth + 1))
                continue
            if not prefix or "." not in name:
                left -= 1
                if left < 0:
                    return
                yield prefix + name, value


def values_of(attributes: dict[str, Any], name: str) -> list[str]:
    """The values as text that `q` knows under this name: of that member, and at that path."""
    found = [attributes[name]] if name in attributes else []
    if "." in name:
        at: Any = attributes
        for step in name.split("."):
            at = at.get(step, _ABSENT) if type(at) is dict else _ABSENT
        if at is not _ABSENT:
            found.append(at)
    texts = (value_text(value) for value in found)
    return list(dict.fromkeys(text for text in texts if text is not None))


def value_text(value: Any) -> str | None:
    """A value as `q` writes it; None for arrays and objects, which it cannot name.

    Whole numbers are the same with a decimal point: 503.0 is 503.
    """
    if type(value) is str:
        return value
    if value is None:
        return "null"
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is float:
        is_whole = math.isfinite(value) and value.is_integer() and abs(value) < _EXACT
        return str(int(value)) if is_whole else repr(value)
    return None if isinstance(value, list | dict) else str(value)


_ABSENT: Any = object()

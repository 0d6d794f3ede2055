"""Our own API's bodies: one object, an array, or one object a line (NDJSON).

Good bodies take the fast path: one typed decode, metadata kept as bytes. A body with
anything unusual is read again record by record, so that a bad one never costs its neighbours.
"""

import msgspec

from logstream.errors import DecodeError
from logstream.model import Decoded, LogRecord, Origins
from logstream.ports import Arrival
from logstream.receive import generic_json
from logstream.receive.json_bodies import (
    BOM,
    EDGES,
    REMEDY,
    pieces_of,
    records_of,
)
from logstream.receive.json_text import clean_json
from logstream.receive.mapping import mapping_of
from logstream.receive.native_aliases import is_foreign, record_of_usual
from logstream.receive.native_origins import origins_of
from logstream.receive.native_record import Wire, record_from_json, records_from_wires
from logstream.receive.native_values import Defaults, Refused
from logstream.receive.object_record import NOTHING_GIVEN, record_of_object
from logstream.receive.record_limit import check_count

_wire = msgspec.json.Decoder(Wire)
_wires = msgspec.json.Decoder(list[Wire])


def decode(arrival: Arrival) -> Decoded:
    """Records and rejects of a body; an index counts the array's elements or the lines.

    Blank lines are not counted. A request that names mapping parameters is read forgivingly, as
    any other JSON. Raises DecodeError when the body as a whole is not JSON, and
    TooLarge.
    """
    if mapping_of(arrival) is not None:
        return generic_json.decode(arrival)
    body = clean_json(arrival.body.removeprefix(BOM).strip(EDGES))
    if not body:
        raise DecodeError("the body is empty", REMEDY)
    defaults = Defaults(
        arrival.received_unix_nano, arrival.default_environment, arrival.naive_timezone
    )
    most = arrival.max_records
    if arrival.wants_origins:
        return _one_by_one(body, defaults, most, wants_origins=True)
    try:
        # Without counting before: a record has two names at least, so there cannot be so many.
        wires = _wires.decode(body) if body[:1] == b"[" else _wire.decode_lines(body)
        check_count(len(wires), most)
        return Decoded(records_from_wires(wires, defaults))
    except (msgspec.DecodeError, Refused, RecursionError):
        return _one_by_one(body, defaults, most)


def _one_by_one(
    body: bytes, defaults: Defaults, most: int, *, wants_origins: bool = False
) -> Decoded:
    def read(piece: bytes, origins: Origins | None) -> LogRecord:
        record = record_of_usual(piece, defaults) or _record(piece, defaults, origins)
        if origins is not None and not origins:
            origins.update(origins_of(piece))
        return record

    return records_of(pieces_of(body, most), read, wants_origins=wants_origins)


def _record(piece: bytes, defaults: Defaults, origins: Origins | None) -> LogRecord:
    try:
        return records_from_wires([_wire.decode(piece)], defaults)[0]
    except (msgspec.DecodeError, RecursionError):
        if is_foreign(piece):
            return record_of_object(piece, defaults, NOTHING_GIVEN, origins)
        return record_from_json(piece, defaults)

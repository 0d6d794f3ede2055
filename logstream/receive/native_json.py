"""Our own API's bodies: one object, an array, or one object a line (NDJSON).

Good bodies take the fast path: one typed decode, metadata kept as bytes. A body with
anything unusual is read again record by record, so that a bad one never costs its neighbours.
"""

import msgspec

from logstream.errors import DecodeError
from logstream.model import Decoded, LogRecord, Origins, Reject
from logstream.ports import Arrival
from logstream.receive import generic_json
from logstream.receive.json_bodies import BOM, EDGES, MAX_REJECT_BYTES, REMEDY, pieces_of
from logstream.receive.json_text import MAX_DEPTH, clean_json
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
    records: list[LogRecord] = []
    origins: list[Origins] = []
    rejects: list[Reject] = []
    for index, piece in enumerate(pieces_of(body, most)):
        found: Origins | None = {} if wants_origins else None
        try:
            records.append(record_of_usual(piece, defaults) or _record(piece, defaults, found))
            if found is not None:
                origins.append(found or origins_of(piece))
            continue
        except Refused as refused:
            error = str(refused)
        except ValueError as malformed:
            error = f"it is not valid JSON ({malformed}); {REMEDY}"
        except RecursionError:
            error = f"it is nested deeper than {MAX_DEPTH} levels; flatten it"
        rejects.append(Reject(index, f"record {index}: {error}", piece[:MAX_REJECT_BYTES]))
    return Decoded(records, rejects, origins=origins)


def _record(piece: bytes, defaults: Defaults, origins: Origins | None) -> LogRecord:
    try:
        return records_from_wires([_wire.decode(piece)], defaults)[0]
    except (msgspec.DecodeError, RecursionError):
        if is_foreign(piece):
            return record_of_object(piece, defaults, NOTHING_GIVEN, origins)
        return record_from_json(piece, defaults)

"""OTLP metrics: not kept. They are counted, so that their sender is told how many were refused."""

from logstream.model import Decoded
from logstream.ports import Arrival
from logstream.receive.otlp_request import wire_of


def decode(arrival: Arrival) -> Decoded:
    """Nothing. Raises DecodeError, TooLarge and UnsupportedEncoding, as for logs and traces."""
    point_count(arrival)
    return Decoded([])


def point_count(arrival: Arrival) -> int:
    """How many data points the request holds."""
    wire = wire_of(arrival)
    return sum(
        wire.points(metric)
        for group in wire.groups(arrival.body, "metrics", arrival.max_records)
        for metric in group.records
    )

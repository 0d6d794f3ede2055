"""A request of any signal, record by record: what is good beside what is refused."""

from collections.abc import Callable
from typing import TypeVar

from logstream.errors import UnsupportedEncoding
from logstream.model import Origins, Reject
from logstream.ports import Arrival
from logstream.receive.native_values import Defaults, Refused, too_deep
from logstream.receive.otlp_context import Context
from logstream.receive.otlp_fields import Signal, Wire
from logstream.receive.otlp_json import JSON
from logstream.receive.otlp_protobuf import PROTOBUF

MAX_REJECT_BYTES = 8192
JSON_TYPES = frozenset({"application/json", "text/json"})
PROTOBUF_TYPES = frozenset(
    {"application/x-protobuf", "application/protobuf", "application/vnd.google.protobuf"}
)
_NOUNS: dict[Signal, str] = {"logs": "log record", "spans": "span", "metrics": "metric"}
_JSON_STARTS = (b"{", b"\xef\xbb\xbf{")

T = TypeVar("T")


def wire_of(arrival: Arrival) -> Wire:
    """The encoding of a body; one without a Content-Type shows it in its first byte.

    Raises UnsupportedEncoding.
    """
    content_type = arrival.content_type
    if content_type in PROTOBUF_TYPES:
        return PROTOBUF
    if content_type in JSON_TYPES:
        return JSON
    if content_type:
        raise UnsupportedEncoding(
            f"Content-Type '{content_type[:80]}' is not OTLP",
            "use application/x-protobuf or application/json",
        )
    return JSON if arrival.body.lstrip().startswith(_JSON_STARTS) else PROTOBUF


def read_each(
    arrival: Arrival, signal: Signal, read: Callable[[Wire, bytes, Context, Origins | None], T]
) -> tuple[list[T], list[Reject], list[Origins]]:
    """What `read` makes of every record, what it refuses, and where the fields came from."""
    wire = wire_of(arrival)
    defaults = Defaults(
        arrival.received_unix_nano, arrival.default_environment, arrival.naive_timezone
    )
    done: list[T] = []
    rejects: list[Reject] = []
    explained: list[Origins] = []
    index = 0
    for group in wire.groups(arrival.body, signal, arrival.max_records):
        context: Context | Refused
        try:
            context = Context(wire.source(group), defaults)
        except Refused as refused:
            context = refused
        except RecursionError:
            context = too_deep()
        for raw in group.records:
            origins: Origins | None = {} if arrival.wants_origins else None
            try:
                if isinstance(context, Refused):
                    raise Refused(f"its resource or scope cannot be read: {context}")
                done.append(read(wire, raw, context, origins))
                if origins is not None:
                    explained.append(origins)
            except (Refused, RecursionError) as error:
                why = error if isinstance(error, Refused) else too_deep()
                rejects.append(
                    Reject(
                        index,
                        f"{_NOUNS[signal]} {index}: {why}",
                        wire.alone(group, raw, signal)[:MAX_REJECT_BYTES],
                    )
                )
            index += 1
    return done, rejects, explained

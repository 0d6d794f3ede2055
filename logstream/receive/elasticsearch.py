"""Elasticsearch's and OpenSearch's `_bulk`, and the documents that are sent one by one."""

import re
from collections.abc import Sequence
from functools import lru_cache

import msgspec

from logstream.errors import DecodeError
from logstream.model import Decoded, Origins, Reject
from logstream.ports import Arrival
from logstream.receive.json_text import clean_json, clean_text
from logstream.receive.native_values import MAX_NAME_CHARS, Defaults, Refused
from logstream.receive.object_record import Given, record_of_object
from logstream.receive.record_limit import check_count, check_lines

MAX_REJECT_BYTES = 8192
ACTIONS = ("create", "index", "update", "delete")
_BOM = b"\xef\xbb\xbf"
_REMEDY = 'send an action line such as {"create":{"_index":"logs"}}, then its document in one line'
_NOT_AN_ACTION = f"the line is no action; {_REMEDY}"
# Of a data stream's name: type, dataset and namespace (its naming scheme).
_DATA_STREAM = re.compile(r"(?:logs|metrics|traces|synthetics)-([^-]+)-[^-]+")
# What index names end with: a date, a week, a rollover number, a shipper's version.
_INDEX_TAIL = re.compile(
    r"[-_.](?:(?:19|20)\d\d(?:[-_.]?\d\d){0,3}|\d{6}|v?\d+\.\d+\.\d+|\{now.*)$"
)


class _Target(msgspec.Struct, gc=False):
    index: str | None = msgspec.field(default=None, name="_index")
    id: str | int | None = msgspec.field(default=None, name="_id")


class Item(msgspec.Struct, frozen=True, gc=False):
    """What one action asks: its name, the index, and the id when the sender gave one."""

    action: str
    index: str
    id: str | None = None


class Bulk(Decoded, frozen=True, gc=False):
    """Records and rejects with the actions they came from: one item for each, in order."""

    items: Sequence[Item] = ()


_ACTION_STARTS = tuple(f'{{"{action}":'.encode() for action in ACTIONS)
_decode_action = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_target = msgspec.json.Decoder(_Target).decode


def decode(arrival: Arrival) -> Bulk:
    """The documents in the order of their actions; an index counts the actions.

    `/{index}/_doc` and `/{index}/_create` take one document without an action. Raises
    DecodeError when the body holds no action at all.
    """
    body = clean_json(arrival.body.removeprefix(_BOM))
    reader = _Reader(arrival)
    if is_single(arrival.path):
        reader.add(_item_of_path(arrival.path), body.strip())
    else:
        reader.read_bulk(body, _index_of_path(arrival.path))
    return reader.bulk


def is_single(path: str) -> bool:
    """True for a path that takes one document and no action."""
    return path.strip("/").partition("/")[2].partition("/")[0] in ("_doc", "_create")


class _Reader:
    """Collects the documents of one body."""

    def __init__(self, arrival: Arrival) -> None:
        self._items: list[Item] = []
        self.bulk = Bulk([], [], [], [], [], self._items)
        self._defaults = Defaults(
            arrival.received_unix_nano, arrival.default_environment, arrival.naive_timezone
        )
        self._wants_origins = arrival.wants_origins
        self._most = arrival.max_records
        self._givens: dict[str, Given] = {}

    def read_bulk(self, body: bytes, default_index: str) -> None:
        """Every action with its document. Raises DecodeError when there is no action."""
        # An action takes a line, and most take another for their document.
        check_lines(body, self._most, lines_each=2)
        lines = [line for line in map(bytes.strip, body.split(b"\n")) if line]
        # Most senders repeat one action line.
        known: dict[bytes, Item | None] = {}
        place, count = 0, len(lines)
        has_action = False
        while place < count:
            action = lines[place]
            place += 1
            item = known[action] if action in known else _item_of(action, default_index)
            known[action] = item
            if item is None:
                self._refuse(Item("index", default_index), _NOT_AN_ACTION, action)
                continue
            has_action = True
            if item.action == "delete":
                self._refuse(item, "delete is not for log lines, which only ever grow", action)
                continue
            document = lines[place] if place < count else b""
            if not document or known.get(document) or _item_of(document, "", is_strict=True):
                self._refuse(item, f"the action has no document; {_REMEDY}", action)
                continue
            place += 1
            if item.action == "update":
                error = "update is not for log lines, which only ever grow; use create"
                self._refuse(item, error, action + b"\n" + document)
            else:
                self.add(item, document, action)
        check_count(len(self._items), self._most)
        if not has_action:
            raise DecodeError("the body holds no action", _REMEDY)

    def add(self, item: Item, document: bytes, action: bytes = b"") -> None:
        """The record of a document, or why it is none."""
        origins: Origins | None = {} if self._wants_origins else None
        try:
            record = record_of_object(document, self._defaults, self._given(item), origins)
        except (Refused, ValueError, RecursionError) as error:
            raw = action + b"\n" + document if action else document
            self._refuse(item, str(error) or type(error).__name__, raw)
            return
        self.bulk.records.append(record)
        self._items.append(item)
        if origins is not None:
            self.bulk.origins.append(origins)

    def _refuse(self, item: Item, error: str, raw: bytes) -> None:
        index = len(self._items)
        self._items.append(item)
        self.bulk.rejects.append(
            Reject(index, f"document {index}: {error}", raw[:MAX_REJECT_BYTES])
        )

    def _given(self, item: Item) -> Given:
        """What the action says of its document."""
        index = item.index
        given = self._givens.get(index)
        if given is None:
            service = service_of_index(index)
            given = self._givens[index] = Given(
                attributes={"_index": index} if index else {},
                fallback_service=service,
                origins={} if service is None else {"service_name": f"index name {index}"},
            )
        if item.id is None:
            return given
        return msgspec.structs.replace(given, attributes={**given.attributes, "_id": item.id})


@lru_cache(maxsize=1024)
def service_of_index(index: str) -> str | None:
    """The service an index is named after: `app` of `logs-app-default` and `app-2026.11.23`.

    None when nothing is left that could be one.
    """
    name = index.strip("<>").removeprefix(".ds-")
    while (shorter := _INDEX_TAIL.sub("", name)) not in (name, ""):
        name = shorter
    data_stream = _DATA_STREAM.fullmatch(name)
    if data_stream:
        name = data_stream[1]
    return name if 0 < len(name) <= MAX_NAME_CHARS else None


def _item_of(line: bytes, default_index: str, *, is_strict: bool = False) -> Item | None:
    """The action of a line; None when it is none.

    Strict: None also when it could be a document that happens to have such a member.
    """
    if is_strict and not line.startswith(_ACTION_STARTS):
        return None
    try:
        members = _decode_action(line)
        name = next((name for name in ACTIONS if name in members), None)
        if name is None or (is_strict and len(members) > 1):
            return None
        target = _decode_target(members[name])
    except (msgspec.DecodeError, RecursionError):
        return None
    if is_strict and target.index is None:
        return None
    return Item(name, target.index or default_index, None if target.id is None else str(target.id))


def _index_of_path(path: str) -> str:
    segments = path.strip("/").split("/")
    return clean_text(segments[0]) if len(segments) > 1 else ""


def _item_of_path(path: str) -> Item:
    """`/{index}/_doc`, `/{index}/_doc/{id}` or `/{index}/_create/{id}`."""
    index, kind, *ids = map(clean_text, path.strip("/").split("/"))
    return Item("create" if kind == "_create" else "index", index, ids[0] if ids else None)

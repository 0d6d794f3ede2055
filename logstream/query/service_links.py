"""Which service called which, by the spans of one trace.

The rules are those of Zipkin's DependencyLinker (openzipkin/zipkin, zipkin2.internal), with
OpenTelemetry's kinds and attributes:

    cart    ├─ client ──────────┤           a client span with the other half under it says
    stock      ├─ server ──────┤            nothing itself; the server half gives cart → stock,
    stock        ├─ client ─┤               a failure of either half is the call's. One without
                    (postgresql/stock)      gives stock → what its attributes name.

    cart    ├ producer ┤                    messages go through what they were put in:
    mail                  ├ consumer ┤      cart → kafka/orders, kafka/orders → mail; where
                                            nobody names it, cart → mail.

Beyond Zipkin: services of which only spans inside are known call each other where a child is
of another service than its parent; a consumer finds its producer by span links too; receiving
and processing one message is one link.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import msgspec

from logstream.model import Span
from logstream.query.peers import LinkKind, Peer, named_peer, peer_of
from logstream.query.span_tree import SpanTree, span_key, tree_of

OUTSIDE = ""

_decode_links = msgspec.json.Decoder(list[dict[str, object]]).decode


class ServiceLink(msgspec.Struct, frozen=True, gc=False):
    """One call of a service (or database, or queue) by another; by OUTSIDE for an entry.

    Time and duration are the callee's where it sent a span, else the caller's. `derived` are
    calls guessed: the parent is not here, the request's first service is taken for it.
    """

    source: str
    target: str
    kind: LinkKind
    is_error: bool
    start_unix_nano: int
    duration_nano: int


def service_links(
    spans: Sequence[Span] | SpanTree, *, elsewhere: Mapping[tuple[str, str], str] | None = None
) -> list[ServiceLink]:
    """The calls that the spans of one trace tell of, callers first; copies left out before.

    `elsewhere` knows services by (trace id, span id) of other traces, for links of consumers to
    producers there (see `linked_elsewhere`).
    """
    tree = spans if isinstance(spans, SpanTree) else tree_of(spans)
    return list(_Linker(tree, elsewhere or {}).links())


def linked_elsewhere(spans: Sequence[Span]) -> list[tuple[str, str]]:
    """(trace id, span id) of other traces that consumers name as where their messages are from."""
    return list(
        dict.fromkeys(
            link
            for span in spans
            if span.kind == "consumer"
            for link in _links_of(span)
            if link[0] != span.trace_id
        )
    )


class _Linker:
    def __init__(self, tree: SpanTree, elsewhere: Mapping[tuple[str, str], str]) -> None:
        self.tree = tree
        self.elsewhere = elsewhere
        self.peers = [_peer(span) for span in tree.spans]
        # The nearest span above that speaks to others, and the nearest of another service.
        self.remote_above: list[int | None] = [None] * len(tree.spans)
        self.other_above: list[int | None] = [None] * len(tree.spans)
        for at in tree.order:
            parent = tree.parents[at]
            if parent is not None:
                is_remote = tree.spans[parent].kind != "internal"
                self.remote_above[at] = parent if is_remote else self.remote_above[parent]
                is_own = tree.spans[parent].service_name == tree.spans[at].service_name
                self.other_above[at] = self.other_above[parent] if is_own else parent
        # Whether something below tells who was called.
        self.is_answered = [False] * len(tree.spans)
        for at in reversed(tree.order):
            parent = tree.parents[at]
            if parent is not None and (
                self.is_answered[at]
                or tree.spans[at].kind != "internal"
                or tree.spans[at].service_name != tree.spans[parent].service_name
            ):
                self.is_answered[parent] = True
        first = tree.main_root
        is_whole = first is not None and tree.spans[first].parent_span_id is None
        self.first = first if is_whole else None

    def links(self) -> Iterator[ServiceLink]:
        seen: set[tuple[object, ...]] = set()
        for at in self.tree.order:
            span, peer = self.tree.spans[at], self.peers[at]
            if self.tree.twins[at] and peer is not None:
                # Pieces of one span, sent apart.
                key = span_key(span.span_id), span.kind, span.service_name, span.name
                if (*key, peer.own_endpoint) in seen:
                    continue
                seen.add((*key, peer.own_endpoint))
            if peer is not None and peer.direction == "in":
                yield from self._received(at) if peer.kind == "messaging" else [self._served(at)]
                continue
            yield from self._from_other_service(at)
            if peer is None or peer.direction is None:
                continue
            if peer.kind == "messaging":
                target = self._queue(at)
            else:
                target = None if self.is_answered[at] else peer.name
            if target:
                yield _link(span, span.service_name, target, peer.kind)

    def _served(self, at: int) -> ServiceLink:
        """The call that a server span answered."""
        span, peer, caller = self.tree.spans[at], self.peers[at], self.remote_above[at]
        if caller is None:
            caller = self.other_above[at]
        if caller is not None:
            other = self.tree.spans[caller]
            is_half = caller == self.tree.parents[at] and other.kind == "client"
            failed = span.status == "error" or (is_half and other.status == "error")
            return _link(span, other.service_name, span.service_name, "call", failed)
        if peer is not None and peer.name:
            return _link(span, peer.name, span.service_name, "call")
        guessed = self._guessed_caller(at)
        return _link(span, guessed or OUTSIDE, span.service_name, "derived" if guessed else "call")

    def _guessed_caller(self, at: int) -> str | None:
        """As Zipkin does: a span whose parent is missing hangs on the first one."""
        if self.first is None or not self.tree.is_orphan(at):
            return None
        service = self.tree.spans[self.first].service_name
        return None if service == self.tree.spans[at].service_name else service

    def _from_other_service(self, at: int) -> Iterator[ServiceLink]:
        """The call that is missing its server half: a child of another service's span."""
        span, parent = self.tree.spans[at], self.tree.parents[at]
        # Of a client it is its own call that failed.
        failed = span.kind == "internal" and span.status == "error"
        if parent is not None:
            source = self.tree.spans[parent].service_name
            if source != span.service_name:
                yield _link(span, source, span.service_name, "call", failed)
        elif span.kind == "client" and (guessed := self._guessed_caller(at)):
            yield _link(span, guessed, span.service_name, "derived", failed)

    def _received(self, at: int) -> Iterator[ServiceLink]:
        """The message that a consumer got."""
        span, peer, above = self.tree.spans[at], self.peers[at], self.remote_above[at]
        other = None if above is None else self.tree.spans[above]
        outer = None if above is None else self.peers[above]
        if other is not None and outer is not None and peer is not None:
            was_received = (outer.kind, outer.direction) == ("messaging", "in")
            if was_received and (other.service_name, outer.name) == (span.service_name, peer.name):
                return
        queue = self._queue(at)
        if queue:
            sources = [queue]
        elif other is not None:
            sources = [other.service_name]
        else:
            sources = self._linked_services(span) or [OUTSIDE]
        for source in sources:
            yield _link(span, source, span.service_name, "messaging")

    def _queue(self, at: int) -> str | None:
        """What a message was put in, as this half names it, or the other one."""
        peer = self.peers[at]
        if peer is None or peer.name:
            return None if peer is None else peer.name
        for near in (self.remote_above[at], *self.tree.children[at]):
            other = None if near is None else self.peers[near]
            if other is not None and other.kind == "messaging" and other.name:
                return other.name if other.direction != peer.direction else None
        return None

    @cached_property
    def _service_by_id(self) -> dict[str, str]:
        return {span_key(span.span_id): span.service_name for span in self.tree.spans}

    def _linked_services(self, span: Span) -> list[str]:
        services = (
            self._service_by_id.get(span_key(span_id))
            if trace_id == span.trace_id
            else self.elsewhere.get((trace_id, span_id))
            for trace_id, span_id in _links_of(span)
        )
        return list(dict.fromkeys(service for service in services if service))


def _peer(span: Span) -> Peer | None:
    """None for what happens inside of a service."""
    if span.kind != "internal":
        return peer_of(span)
    # Both sides are known: a client, as Zipkin has it.
    name = named_peer(span)
    return None if name is None else Peer(name, "call", "out")


def _links_of(span: Span) -> list[tuple[str, str]]:
    if len(span.links) <= 2:
        return []
    try:
        links = _decode_links(span.links)
    except msgspec.DecodeError:
        return []
    return [(str(link.get("traceId")), str(link.get("spanId"))) for link in links]


def _link(
    span: Span, source: str, target: str, kind: LinkKind, failed: bool | None = None
) -> ServiceLink:
    is_error = span.status == "error" if failed is None else failed
    return ServiceLink(source, target, kind, is_error, span.start_unix_nano, span.duration_nano)

"""Which traces a filter means, said a second time in plain Python; a twin of the SQL."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from logstream.filter import LogFilter
from logstream.model import LogLine, Span
from logstream.query.traces import forms_of_trace_id
from logstream.text_query import (
    All,
    AnyOf,
    AttributeTest,
    Comparison,
    Existence,
    Node,
    Not,
    Regex,
    TextPart,
    Wildcard,
    folded,
)
from logstream.trace_port import TraceSummary

OF_TRACE = ("duration", "spans", "errors", "status", "root", "trace", "env")


def is_meant(log_filter: LogFilter, trace: TraceSummary, spans: Sequence[Span], now: int) -> bool:
    """True when the filter means the trace."""
    start, end = log_filter.window_unix_nano(now)
    failed = trace.error_count + trace.error_line_count
    only, excluded = log_filter.service.only, log_filter.service.excluded
    severities = set(log_filter.severity.only)
    return (
        log_filter.environment.allows(trace.environment)
        and (start is None or trace.start_unix_nano >= start)
        and (end is None or trace.start_unix_nano < end)
        and (not only or any(one in trace.services for one in only))
        and not any(one in trace.services for one in excluded)
        and (not log_filter.trace_id or trace.trace_id in forms_of_trace_id(log_filter.trace_id))
        and (not severities or not severities <= {"error", "fatal"} or failed > 0)
        and all_of(log_filter.text.terms, trace, spans)
    )


def all_of(nodes: Sequence[Node], trace: TraceSummary, spans: Sequence[Span]) -> bool:
    """Terms beside each other: those about spans are true of one span together."""
    about_spans = [node for node in nodes if _is_plain(node) and _asks_spans(node)]
    if about_spans:
        beside = [node for node in nodes if _is_plain(node) and _asks_of_service(node)]
        together = about_spans + [node for node in beside if node not in about_spans]
        if not any(all(of_span(node, span) for node in together) for span in spans):
            return False
        nodes = [node for node in nodes if node not in together]
    return all(of_trace(node, trace, spans) for node in nodes)


def of_trace(node: Node, trace: TraceSummary, spans: Sequence[Span]) -> bool:
    """A node by itself."""
    match node:
        case All():
            return all_of(node.nodes, trace, spans)
        case AnyOf():
            return any(of_trace(one, trace, spans) for one in node.nodes)
        case Not():
            return not of_trace(node.node, trace, spans)
    failed = trace.error_count + trace.error_line_count
    match getattr(node, "key", ""):
        case "status":
            return (failed > 0) == (node.values[0] == "error")
        case "root":
            named = (trace.root_name, trace.root_service)
            return any(one is not None and fits(node, one) for one in named)
        case "trace":
            values = getattr(node, "values", ())
            forms = [form for one in values for form in forms_of_trace_id(one)]
            return trace.trace_id in forms or (not values and fits(node, trace.trace_id))
        case "env":
            return fits(node, trace.environment)
        case "service":
            return any(fits(node, one) for one in trace.services)
        case "duration":
            return compares(node, Decimal(trace.duration_nano) / 1_000_000)
        case "spans":
            return compares(node, Decimal(trace.span_count))
        case "errors":
            return compares(node, Decimal(failed))
    return any(of_span(node, span) for span in spans)


def of_span(node: Node, span: Span) -> bool:
    """A node as one span has it."""
    match node:
        case All():
            return all(of_span(one, span) for one in node.nodes)
        case AnyOf():
            return any(of_span(one, span) for one in node.nodes)
        case TextPart() | Regex():
            return node.holds(_as_line(span), folded(text_of(span)))
    match node.key:
        case "service":
            return fits(node, span.service_name)
        case "operation" | "name":
            return fits(node, span.name)
        case "kind":
            values = getattr(node, "values", None)
            # A kind is known in any case of letters.
            return fits(node, span.kind) if values is None else span.kind == values[0].lower()
        case "latency":
            return compares(node, Decimal(span.duration_nano) / 1_000_000)
    return node.holds(_as_line(span))


def text_of(span: Span) -> str:
    """What words are looked for in."""
    values = msgspec.json.decode(span.attributes, type=dict[str, msgspec.Raw]).values()
    texts = [
        msgspec.json.decode(value) if bytes(value).startswith(b'"') else bytes(value).decode()
        for value in values
        if bytes(value) != b"null"
    ]
    return "\n".join((span.name, span.status_message or "", *texts))


def fits(node: Node, value: str) -> bool:
    """A text is one of the values, or like the text with open ends."""
    match node:
        case AttributeTest():
            return value in node.values
        case Wildcard():
            if node.is_open_left and node.is_open_right:
                return node.text in value
            if node.is_open_left:
                return value.endswith(node.text)
            return value.startswith(node.text)
    return isinstance(node, Existence)


def compares(node: Node, number: Decimal) -> bool:
    """A number compares as the node wants it."""
    match node:
        case Comparison():
            wanted, sign = node.number, node.operator
        case AttributeTest():
            wanted, sign = Decimal(node.values[0]), "="
        case _:
            return True
    return {
        "=": number == wanted,
        ">": number > wanted,
        ">=": number >= wanted,
        "<": number < wanted,
        "<=": number <= wanted,
    }[sign]


def _as_line(span: Span) -> LogLine:
    return LogLine(
        id=0,
        timestamp_unix_nano=0,
        observed_unix_nano=0,
        environment=span.environment,
        service_name=span.service_name,
        severity_number=9,
        body="",
        attributes=msgspec.json.decode(span.attributes),
    )


def _is_plain(node: Node) -> bool:
    """Nothing in it is denied, and nothing is asked of the whole trace."""
    if isinstance(node, Not):
        return False
    if isinstance(node, All | AnyOf):
        return all(map(_is_plain, node.nodes))
    return getattr(node, "key", "") not in OF_TRACE


def _asks_spans(node: Node) -> bool:
    return any(getattr(leaf, "key", "") not in (*OF_TRACE, "service") for leaf in node.leaves())


def _asks_of_service(node: Node) -> bool:
    return all(getattr(leaf, "key", "") == "service" for leaf in node.leaves())

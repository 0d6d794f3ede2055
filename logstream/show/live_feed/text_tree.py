"""A text query as `predicate.js` reads it."""

from typing import Any

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
    TextQuery,
    Wildcard,
)


def text_for_browser(text: TextQuery) -> dict[str, Any]:
    """`terms` must all hold; `marks` is what is worth marking in a message."""
    return {
        "terms": [_node(term) for term in text.terms],
        "marks": [_node(mark) for mark in text.marks()],
    }


def _node(node: Node) -> dict[str, Any]:
    match node:
        case All() | AnyOf():
            kind = "all" if isinstance(node, All) else "any"
            return {"kind": kind, "nodes": [_node(inner) for inner in node.nodes]}
        case Not():
            return {"kind": "not", "node": _node(node.node)}
        case TextPart():
            return {
                "kind": "part",
                "text": node.text,
                "pattern": node.pattern,
                "isBound": node.is_bound,
            }
        case Regex():
            return {"kind": "regex", "pattern": node.pattern}
    tested = {
        "key": node.key,
        "isLabel": node.is_label,
        "paths": [list(path) for path in node.paths],
    }
    match node:
        case AttributeTest():
            values = {"values": list(node.values), "literal": node.literal}
            return {"kind": "equals", **tested, **values}
        case Wildcard():
            ends = {"openLeft": node.is_open_left, "openRight": node.is_open_right}
            return {"kind": "like", **tested, "text": node.text, **ends}
        case Existence():
            return {"kind": "exists", **tested}
        case Comparison():
            number = {"operator": node.operator, "number": float(node.number)}
            return {"kind": "compares", **tested, **number}

"""What `q` means: the query, and how conditions are added to its text and taken out again."""

from logstream.text_query.editing import (
    Term,
    term_for,
    terms,
    with_term,
    without_key,
    without_term,
)
from logstream.text_query.fields import AttributeTest, Comparison, Existence, Wildcard
from logstream.text_query.mistakes import MAX_CHARACTERS, QueryError
from logstream.text_query.parts import TextPart, folded
from logstream.text_query.query import TextQuery
from logstream.text_query.regex import Regex
from logstream.text_query.tree import All, AnyOf, Node, Not

__all__ = [
    "MAX_CHARACTERS",
    "All",
    "AnyOf",
    "AttributeTest",
    "Comparison",
    "Existence",
    "Node",
    "Not",
    "QueryError",
    "Regex",
    "Term",
    "TextPart",
    "TextQuery",
    "Wildcard",
    "folded",
    "term_for",
    "terms",
    "with_term",
    "without_key",
    "without_term",
]

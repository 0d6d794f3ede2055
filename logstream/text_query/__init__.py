"""What `q` means: the query, and how conditions are added to its text and taken out again."""

from logstream.text_query.editing import term_for, with_term, without_key, without_term
from logstream.text_query.query import AttributeTest, TextPart, TextQuery, folded

__all__ = [
    "AttributeTest",
    "TextPart",
    "TextQuery",
    "folded",
    "term_for",
    "with_term",
    "without_key",
    "without_term",
]

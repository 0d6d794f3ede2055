"""Ask: the built-in interpreter of questions in plain words.

`interpret` makes a question a `Reading`, with a `Vocabulary` of what is stored. No model, no
network. What people may say: docs/ask.md.
"""

from logstream.explain.ask.interpret import interpret
from logstream.explain.ask.reading import Reading, Understood
from logstream.explain.ask.templates import KnownPattern
from logstream.explain.ask.vocabulary import KnownAttribute, Vocabulary, read_vocabulary

__all__ = [
    "KnownAttribute",
    "KnownPattern",
    "Reading",
    "Understood",
    "Vocabulary",
    "interpret",
    "read_vocabulary",
]

"""Random messages, attributes, and searches cut out of them."""

import json
import random
from collections.abc import Callable
from typing import Any

from logstream.text_query import QueryError, TextQuery

PIECES = (
    *("404", "14041", "17", "0", "a3f9c2", "user-", "user-17", "v2", "10.0.0.1", "10.0.0.17"),
    *("timeout", "TimeOut", "id=", "ms", "5000ms", " ", " ", "-", ".", ":", "/", "%", "_", "\\"),
    *(
        "*",
        "?",
        "+",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "^",
        "$",
        "|",
        "'",
        "&",
        "~",
        "#",
        "***:",
        "(?i)",
    ),
    *("é", "É", "İ", "ı", "K", "ſ", "Σ", "ς", "ß", "😀", "٣", "\n", "\t", "\u00a0", "\u2028"),
)
VALUES: tuple[Any, ...] = (
    *(503, "503", 5030, 503.0, 0.5, "0.5", -1, True, False, None, "true", "null", "", "a b", "É"),
    *("%", "'", "\\", [503], ["a"], {}, {"b": 503}, [], 2**53 + 1, 2**64 - 1, 1e23, "a,b"),
)
REGEXES = (
    *(r"/\d+/", r"/user-\d{2}\b/", r"/^[a-z]+$/", "/a|é/", r"/[^\s]+ms$/", "/(time)?out/"),
    *(r"/\bv\d/", "/(ms|id=)+/", r"/10\.0\.0\.(1|17)\D/", "/TIME.*5000/", r"/\W\w/", "/😀.?$/"),
    *("/[İ-ſ]/", "/K/", "/(.|\\n)ß/", r"/(\d{1,3}\.){3}\d{1,3}/", "/[%_]/", r"/\\|\//"),
)
KEYS = ("a", "a.b", "b", "http.status_code", "@k", "größe")


def a_random_message(generator: random.Random) -> str:
    return "".join(generator.choices(PIECES, k=generator.randrange(1, 9)))


def a_random_words(generator: random.Random, messages: list[str], count: int) -> str:
    """So many needles beside each other, that can be read."""
    return _readable(lambda: " ".join(a_random_needle(generator, messages) for _ in range(count)))


def a_random_tree(generator: random.Random, messages: list[str], depth: int = 3) -> str:
    """Terms of every kind joined by AND, OR, NOT and brackets."""

    def grown(depth: int) -> str:
        if depth == 0 or generator.random() < 0.2:
            term = generator.choice(
                (
                    lambda: a_random_needle(generator, messages),
                    lambda: generator.choice(REGEXES),
                    lambda: a_random_test(generator),
                    lambda: a_random_field_test(generator),
                )
            )
            return _readable(term)
        arms = [grown(depth - 1) for _ in range(generator.choice((2, 2, 3)))]
        joined = generator.choice((" ", " OR ", " AND ")).join(arms)
        return f"{generator.choice(('', '', '-', 'NOT '))}({joined})"

    return _readable(lambda: grown(depth))


def a_random_field_test(generator: random.Random) -> str:
    """A comparison, a wildcard, existence, or a label."""
    key, value = generator.choice(KEYS), str(generator.choice(VALUES))
    sign = generator.choice((">", ">=", "<", "<=", "!="))
    number = generator.choice(("0", "-1", "0.5", "503", "503.0", "1e3", "9007199254740993"))
    return generator.choice(
        (
            *(f"{key}{sign}{number}", f"{key}:*", f"{key}:{value[:2]}*", f"{key}:*{value[-2:]}"),
            *(f"severity{sign}{generator.choice(('warn', 'error', 'info'))}", "service:ch*,cart"),
            *(f"latency{sign}{generator.choice(('0', '10', '0.5s', '2000us'))}", "latency:*"),
            *("trace:*", "trace:abc*", "-trace:abc123", "env:*ing", "service:*art*", "env:*"),
        )
    )


def is_readable(q: str) -> bool:
    """False for what is refused."""
    try:
        TextQuery.parse(q)
    except QueryError:
        return False
    return True


def _readable(made: Callable[[], str]) -> str:
    while not is_readable(q := made()):
        pass
    return q


def a_random_needle(generator: random.Random, messages: list[str]) -> str:
    """A piece of a message, or of none, as a word or phrase."""
    message = generator.choice(messages)
    start = generator.randrange(len(message))
    cut = message[start : start + generator.randrange(1, 9)].replace('"', "")
    if generator.random() < 0.2:
        cut = generator.choice(PIECES)
    left, right = (generator.choice(("", "", "*")) for _ in range(2))
    needle = f'"{cut}"' if generator.random() < 0.6 else f"{left}{cut}{right}"
    return f"-{needle}" if generator.random() < 0.2 else needle


def some_attributes(generator: random.Random) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key in generator.sample(KEYS, k=generator.randrange(4)):
        value = generator.choice(VALUES)
        outer, dot, inner = key.partition(".")
        if dot and generator.random() < 0.5:
            made[outer] = {inner: value}
        else:
            made[key] = value
    return made


def a_random_test(generator: random.Random) -> str:
    key, value = generator.choice(KEYS), generator.choice(VALUES)
    text = value if isinstance(value, str) else json.dumps(value)
    quoted = f'"{text}"' if generator.random() < 0.5 and '"' not in text else text
    return f"{generator.choice(('', '-'))}{key}:{quoted}"

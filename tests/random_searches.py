"""Random messages, attributes, and searches cut out of them."""

import json
import random
from typing import Any

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
KEYS = ("a", "a.b", "b", "http.status_code", "@k", "größe")


def a_random_message(generator: random.Random) -> str:
    return "".join(generator.choices(PIECES, k=generator.randrange(1, 9)))


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

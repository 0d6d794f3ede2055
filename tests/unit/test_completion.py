"""What is suggested while a search is typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logstream.text_query import TextQuery
from logstream.text_query.completion import complete, typing_at

NAMES = {"http.status_code": "80% of lines", "user.id": "40% of lines", "sent": "2% of lines"}
VALUES = {
    "service": [("checkout", 120), ("cart", 40), ("a,b", 1)],
    "severity": [("info", 900), ("warn", 30), ("error", 4)],
    "http.status_code": [("200", 70), ("503", 2), ("404", 1)],
    "user.id": [("Ann Lee", 3), ('say "x"', 1)],
}


def suggested(typed: str) -> list[str]:
    """The whole text with each suggestion taken; the caret is at `|`."""
    caret = typed.index("|")
    text = typed.replace("|", "")
    found = complete(text, caret, NAMES, lambda key: VALUES.get(key, []))
    return [text[: one.start] + one.text + text[one.end :] for one in found]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("ser|", ["service:", "user.id:"]),
        ("se|", ["service:", "severity:", "sent:", "user.id:"]),
        ("timeout STAT|", ["timeout http.status_code:"]),
        ("(serv| OR x)", ["(service: OR x)"]),
        ("-serv|", ["-service:"]),
        ("service:|", ["service:checkout", "service:cart", 'service:"a,b"']),
        ("service:c|", ["service:checkout", "service:cart"]),
        ("x service:c| y", ["x service:checkout y", "x service:cart y"]),
        ("x service:ch|eckout y", []),
        ("service:cart,|", ["service:cart,checkout"]),
        ("-service:ca|", ["-service:cart"]),
        ("service!=ca|", ["service!=cart"]),
        ("severity>=|", ["severity>=info", "severity>=warn", "severity>=error"]),
        ("severity>=W|", ["severity>=warn"]),
        ("http.status_code:5|", ["http.status_code:503"]),
        ("user.id:an|", ['user.id:"Ann Lee"']),
        ('user.id:"Ann L|', ['user.id:"Ann Lee"']),
        ("user.id:say|", ['user.id:"say ""x"""']),
        ("latency>5|", ["latency>500ms", "latency>5s"]),
        ('"order se|', []),
        ("/se|", []),
        ("http.status_code>5|", []),
        ("unknown:x|", []),
    ],
)
def test_keys_and_values_are_suggested(typed: str, expected: list[str]) -> None:
    assert suggested(typed) == expected


def test_with_nothing_typed_the_keys_are_named() -> None:
    found = complete("timeout ", 8, NAMES, lambda _: [])
    assert [one.label for one in found[:6]] == [
        *("service", "env", "severity", "pattern", "trace", "latency"),
    ]
    assert found[6].detail == "80% of lines"
    assert {(one.start, one.end) for one in found} == {(8, 8)}


def test_values_are_only_asked_for_when_they_are_wanted() -> None:
    asked: list[str] = []

    def values(key: str) -> list[tuple[str, int]]:
        asked.append(key)
        return []

    complete("serv", 4, NAMES, values)
    complete("service:", 8, NAMES, values)
    assert asked == ["service"]


@given(st.text(alphabet='ab:"()-/>=, *OR', max_size=20), st.integers(0, 20))
def test_no_text_breaks_it(text: str, caret: int) -> None:
    typing = typing_at(text, caret)
    assert 0 <= typing.start <= typing.end <= len(text)
    for one in complete(
        text, caret, {"a": "", "b": ""}, lambda _: [("a", 1), ('b"', 2), ("O R", 3)]
    ):
        assert 0 <= one.start <= one.end <= len(text)
        TextQuery.parse(one.text.removesuffix(":"))

"""Conditions are added to the text of `q` and taken out again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logstream.text_query import (
    AttributeTest,
    QueryError,
    TextQuery,
    term_for,
    terms,
    with_term,
    without_key,
    without_term,
)
from logstream.text_query.tree import opposite_of


@pytest.mark.parametrize(
    ("key", "value", "term"),
    [
        ("http.status_code", "503", "http.status_code:503"),
        ("user.name", "Ann Lee", 'user.name:"Ann Lee"'),
        ("path", "/api/cart", 'path:"/api/cart"'),
        ("pattern", "4711", "pattern:4711"),
        ("service", "a,b", 'service:"a,b"'),
        ("user.name", 'Ann "A" Lee', 'user.name:"Ann ""A"" Lee"'),
        ("host", "web-*", 'host:"web-*"'),
        ("size", ">5", 'size:">5"'),
        ("k", "a)", "k:a)"),
        ("severity", "warn", "severity:warn"),
        ("trace", "4bf92f3577b34da6", "trace:4bf92f3577b34da6"),
        ("a b", "c", ""),
        ("a", "", ""),
        ("severity", "loud", ""),
    ],
)
def test_a_value_becomes_a_term(key: str, value: str, term: str) -> None:
    assert term_for(key, value) == term
    assert term_for(key, value, excluded=True) == (f"-{term}" if term else "")


@pytest.mark.parametrize(
    ("q", "term", "expected"),
    [
        ("", "a:1", "a:1"),
        ("timeout", "a:1", "timeout a:1"),
        ("timeout a:1", "a:1", "timeout a:1"),
        ('timeout -a:"1"', "a:1", "timeout a:1"),
        ("a:1 timeout", "-a:1", "timeout -a:1"),
        ("timeout", "", "timeout"),
        ("a OR b", "c:1", "(a OR b) c:1"),
        ("(a OR b)", "c:1", "(a OR b) c:1"),
        ("service:a*,b", "c:1", "service:a*,b c:1"),
        ("a AND b", "c OR d", "a AND b (c OR d)"),
        ("a OR b", "a OR b", "a OR b"),
        ("NOT c:1 a", "c:1", "a c:1"),
        ("", "a OR b", "a OR b"),
        ("(broken", "a:1", "(broken a:1"),
    ],
)
def test_a_term_is_added_once_and_its_opposite_goes(q: str, term: str, expected: str) -> None:
    assert with_term(q, term) == expected


@pytest.mark.parametrize(
    ("q", "term", "left"),
    [
        ('timeout a:"1" x', "a:1", "timeout x"),
        ("timeout  x", "a:1", "timeout  x"),
        ("a:1", "a:1", ""),
        ("(a OR b) c:1", "c:1", "(a OR b)"),
        ("x AND c:1 AND y", "c:1", "x y"),
        ("(broken", "a:1", "(broken"),
    ],
)
def test_a_term_is_taken_out_however_it_is_written(q: str, term: str, left: str) -> None:
    assert without_term(q, term) == left


def test_what_is_about_one_key_alone_is_taken_out() -> None:
    q = "timeout region:eu -(region:us OR region:*) (region:asia OR size>5) host:a"
    assert without_key(q, "region") == "timeout (region:asia OR size>5) host:a"


def test_terms_are_named_as_they_are_written_and_in_words() -> None:
    found = [(term.text, term.words) for term in terms('"Order 17"  -/a+/ (a OR k:1) -k:2 x>5')]
    assert found == [
        ('"Order 17"', 'text "order 17"'),
        ("-/a+/", "text not /a+/"),
        ("(a OR k:1)", "(a or k is 1)"),
        ("-k:2", "not k is 2"),
        ("x>5", "x over 5"),
    ]


@given(st.text(max_size=12).filter(lambda value: "\x00" not in value))
def test_every_value_becomes_a_term_that_means_it(value: str) -> None:
    term = term_for("k", value)
    assert term or not value
    if term:
        assert TextQuery.parse(f"x {term} y").terms[1] == AttributeTest("k", (value,))


@given(
    st.lists(st.sampled_from(["a", "-b", "k:1", "(c OR d)", "c OR d", "/e/", "x>5"]), max_size=4),
    st.sampled_from(["k:1", "-k:1", "new", "(c OR d)", '"x y"']),
)
def test_what_was_added_can_be_taken_out_again(parts: list[str], term: str) -> None:
    q = " ".join(parts)
    added = with_term(q, term)
    wanted = TextQuery.parse(term).terms[0]
    assert wanted in TextQuery.parse(added).terms
    assert wanted not in TextQuery.parse(without_term(added, term)).terms
    left = {one for one in TextQuery.parse(q).terms if one != wanted}
    assert left - {opposite_of(wanted)} <= set(TextQuery.parse(added).terms)


def test_a_broken_term_is_no_reason_to_fail() -> None:
    with pytest.raises(QueryError):
        TextQuery.parse(with_term("a", "(b"))

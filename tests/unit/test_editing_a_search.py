"""Conditions are added to the text of `q` and taken out again."""

import pytest

from logstream.text_query import term_for, with_term, without_term


@pytest.mark.parametrize(
    ("key", "value", "term"),
    [
        ("http.status_code", "503", "http.status_code:503"),
        ("user.name", "Ann Lee", 'user.name:"Ann Lee"'),
        ("path", "/api/cart", 'path:"/api/cart"'),
        ("pattern", "4711", "pattern:4711"),
        ("service", "a,b", 'service:"a,b"'),
        ("a b", "c", ""),
        ("a", "", ""),
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
    ],
)
def test_a_term_is_taken_out_however_it_is_written(q: str, term: str, left: str) -> None:
    assert without_term(q, term) == left

"""What `q` means, and what it promises to those who look before they read."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from logstream.filter import LogFilter
from logstream.model import LogLine, LogRecord
from logstream.text_query import AttributeTest, Not, QueryError, TextPart, TextQuery, folded
from logstream.tokens import tokens_of
from tests.records import a_record
from tests.search_examples import as_line, examples


def finds(q: str, body: str = "", attributes: bytes = b"{}") -> bool:
    return TextQuery.parse(q).matches(as_line(a_record(body, attributes=attributes)))


def test_the_search_page_has_examples() -> None:
    assert len(examples()) >= 20


@pytest.mark.parametrize(("q", "found", "not_found"), examples())
def test_an_example_of_the_search_page_is_true(
    q: str, found: LogRecord, not_found: LogRecord
) -> None:
    query = TextQuery.parse(q)
    assert query.matches(as_line(found))
    assert not query.matches(as_line(not_found))


def test_words_and_phrases_are_told_apart() -> None:
    query = TextQuery.parse('timeout "order 17" -health -"still alive" - timeout')
    assert query.terms == (
        TextPart("timeout"),
        TextPart("order 17"),
        Not(TextPart("health")),
        Not(TextPart("still alive")),
        TextPart("-"),
    )


def test_a_star_opens_the_end_of_a_word_and_is_itself_elsewhere() -> None:
    query = TextQuery.parse('1404* *404* -*9C2 a*b "**" *  -* **')
    assert query.terms == (
        TextPart("1404", is_open_right=True),
        TextPart("404", is_open_left=True, is_open_right=True),
        Not(TextPart("9c2", is_open_left=True)),
        TextPart("a*b"),
        TextPart("**"),
    )
    assert not TextQuery.parse("* -* **")


@pytest.mark.parametrize(
    ("q", "test"),
    [
        ("http.status_code:503", AttributeTest("http.status_code", ("503",))),
        ("@timestamp:x", AttributeTest("@timestamp", ("x",))),
        ("_id:a:b", AttributeTest("_id", ("a:b",))),
        ("größe:XL", AttributeTest("größe", ("XL",))),
        ("tag:a,b", AttributeTest("tag", ("a,b",))),
        ('k8s.io/name:"a b"', AttributeTest("k8s.io/name", ("a b",))),
        ('said:"a ""b"""', AttributeTest("said", ('a "b"',))),
        ('path:"/api/x"', AttributeTest("path", ("/api/x",))),
        ("service:cart,,pay,cart", AttributeTest("service", ("cart", "pay"))),
        ('service:"a,b"', AttributeTest("service", ("a,b",))),
        ("severity:ERR,warn", AttributeTest("severity", ("error", "warn"))),
        ("pattern:17,4711", AttributeTest("pattern", ("17", "4711"))),
        ("trace:00F067AA0BA902B7", AttributeTest("trace", ("00f067aa0ba902b7",))),
    ],
)
def test_a_key_and_a_value_ask_for_an_attribute(q: str, test: AttributeTest) -> None:
    assert TextQuery.parse(q) == TextQuery((test,))
    assert TextQuery.parse(f"-{q}") == TextQuery((Not(test),))


@pytest.mark.parametrize(
    "word",
    [
        "http://x",
        "c:\\temp",
        "std::string",
        "fe80::1",
        "12:30",
        "error:",
        'k:""',
        ":x",
        "service:,",
    ],
)
def test_what_only_looks_like_an_attribute_is_a_word(word: str) -> None:
    assert TextQuery.parse(word) == TextQuery((TextPart(word),))


@pytest.mark.parametrize(
    ("value", "attribute", "is_equal"),
    [
        ("1", "1.0", True),
        ("1.0", "1", True),
        ("1e2", "100", True),
        ("100000000000000000000000", "1e23", True),
        ("0.1", "0.1", True),
        ("-0", "0", True),
        ("14695981039346656037", "14695981039346656037", True),
        ("14695981039346656037", "14695981039346656036", False),
        ("1", "true", False),
        ("true", "true", True),
        ("true", '"true"', True),
        ("True", "true", False),
        ("null", "null", True),
        ("0", "null", False),
        ("007", "7", False),
        ("007", '"007"', True),
        ("٣", "3", False),
        ("x", '"X"', False),
        ("1", "[1]", False),
        ("1", '{"1": 1}', False),
        ("1e999", '"1e999"', True),
    ],
)
def test_values_are_compared_as_text_and_as_what_they_read_as(
    value: str, attribute: str, is_equal: bool
) -> None:
    attributes = f'{{"size": {attribute}}}'.encode()
    assert finds(f"size:{value}", attributes=attributes) is is_equal
    assert finds(f"-size:{value}", attributes=attributes) is not is_equal


def test_a_dotted_name_is_a_member_or_a_path_whichever_is_there() -> None:
    both = b'{"a.b.c": 1, "a": {"b": {"c": 2}, "b.c": 3}}'
    assert finds("a.b.c:1", attributes=both)
    assert finds("a.b.c:2", attributes=both)
    assert not finds("a.b.c:3", attributes=both)
    assert not finds("a.b.c:2", attributes=b'{"a": [{"b": {"c": 2}}]}')
    assert finds("a..b:2", attributes=b'{"a": {"": {"b": 2}}}')


def test_letters_are_compared_one_by_one_in_any_case() -> None:
    assert finds("İSTANBUL", "istanbul")
    assert finds("οδοσ", "ΟΔΟΣ 7")
    assert finds("заказ", "ЗАКАЗ 7")
    assert not finds("strasse", "Straße")


def test_one_occurrence_that_stands_whole_is_enough() -> None:
    assert finds("17", "170 175 17")
    assert not finds("17", "170 175 1700")
    assert finds("1\n2", "x1\n2")


def test_counts_know_labels_but_no_words() -> None:
    for q in ("service:cart -severity:info *", "severity>=warn (pattern:17 OR -env:a*)"):
        assert not LogFilter(q=q).needs_rows
    for q in ("word", "-word", "trace:a", "-k:v", "service:cart OR word", "latency>5", "-(/a/)"):
        assert LogFilter(q=q).needs_rows


def test_the_words_for_people_say_what_a_search_asks() -> None:
    query = TextQuery.parse('Timeout "order 17" 14* -health service:cart,pay -region:eu')
    assert query.words() == (
        'with timeout and "order 17" and 14*, without health,'
        " where service is cart or pay and not region is eu"
    )


# Messages of what logs are made of, and needles cut out of them anywhere.
pieces = st.one_of(
    st.sampled_from(["timeout", "User", "id=", " ", "-", ".", ":", "/", "_", "ms", "é", "İ", "K"]),
    st.integers(0, 10**9).map(str),
    st.from_regex(r"[0-9a-fA-F]{1,12}", fullmatch=True),
    st.ip_addresses().map(str),
    st.uuids().map(str),
    st.text(max_size=4),
)
messages = st.lists(pieces, min_size=1, max_size=8).map("".join)


@st.composite
def messages_and_parts(draw: st.DrawFn) -> tuple[str, TextPart]:
    message = folded(draw(messages))
    start = draw(st.integers(0, max(0, len(message) - 1)))
    end = draw(st.integers(start + 1, len(message) + 1))
    return message, TextPart(message[start:end] or "x", draw(st.booleans()), draw(st.booleans()))


@given(messages_and_parts())
@example(("v1.2.3ms", TextPart("2.3", is_open_left=True)))
@example(("abc123def", TextPart("123")))
def test_the_tokens_of_what_stands_whole_are_in_every_message_found(
    case: tuple[str, TextPart],
) -> None:
    message, part = case
    if part.occurs_in(message):
        assert tokens_of(part.whole_text) <= tokens_of(message)


@given(messages_and_parts())
def test_an_open_part_is_found_wherever_it_was_cut_out(case: tuple[str, TextPart]) -> None:
    message, part = case
    if part.text in message:
        assert TextPart(part.text, True, True).occurs_in(message)


@pytest.mark.parametrize(
    ("part", "whole"),
    [
        (TextPart("user-1755"), "-1755"),
        (TextPart("1755"), "1755"),
        (TextPart("1755", is_open_right=True), ""),
        (TextPart("a3f9c2-ready"), "a3f9c2-"),
        (TextPart("a3f9c2-77", is_open_left=True), "-77"),
        (TextPart("timeout"), ""),
        (TextPart("(404)", True, True), "(404)"),
    ],
)
def test_edges_that_may_be_pieces_do_not_count_as_whole(part: TextPart, whole: str) -> None:
    assert part.whole_text == whole


@given(st.text(max_size=60), st.text(max_size=60))
@example('-"', "")
@example('a:"b', "")
@example("severity:error", "")
@example("x.:1 .x:1 -:1", "")
def test_no_text_breaks_a_search(q: str, body: str) -> None:
    line = LogLine(1, 0, 0, "production", "cart", 9, body)
    try:
        query = TextQuery.parse(q)
    except QueryError as problem:
        assert 0 <= problem.position <= len(q) and "^" in problem.message
        return
    assert query.matches(line) in (True, False)
    assert query.words() or not query

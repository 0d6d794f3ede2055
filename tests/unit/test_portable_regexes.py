"""`/regex/`: what is read, what it is written as, and what is refused."""

import random
import re
import time

import pytest

from logstream.text_query import folded
from logstream.text_query.regex import Regex
from logstream.text_query.regex_parser import RegexProblem


@pytest.mark.parametrize(
    ("source", "pattern"),
    [
        ("Timed Out", "timed out"),
        (r"\d+", "[0-9]+"),
        (r"a.b", r"a[^\u000a]b"),
        (r"[A-F0-9]{2,}", "[0-9a-f]{2,}"),
        (r"[^A-Z]", "[^a-z]"),
        (r"[A-z]", r"[\[-z]"),
        (r"(?i)x|y", "x|y"),
        (r"(a|b)c", "(?:a|b)c"),
        (r"(ab)c", "abc"),
        (r"(ab)+c", "(?:ab)+c"),
        (r"\/\.\-", r"\/\.-"),
        (r"[\w.-]+", r"[\-.0-9_a-z]+"),
        (r"a{x}", r"a\{x\}"),
        (r"É", "é"),
        (r"\x41\u00c9", "aé"),
        (r".*?x", r"[^\u000a]*?x"),
    ],
)
def test_an_expression_is_written_anew(source: str, pattern: str) -> None:
    assert Regex.read(source).pattern == pattern


@pytest.mark.parametrize(
    "source",
    [
        r"(\d{1,3}\.){3}\d{1,3}",
        r"(/\w+)+",
        r"(\w+\.)+com",
        r"(foo|bar)+",
        r"(\.\d+)?",
        r"([0-9a-f]{2})+",
        r"GET .* took .*ms",
        r"[a-z]+-\d+ \w+ \w+ \w+ \w+",
        r"(\d+)\.(\d+)\.(\d+)\.(\d+)",
        r"(.|\n)*",
        r"(,\d)*",
        r"\b\w+\b \b\w+\b \b\w+\b",
        r"^.*foo.*$",
    ],
)
def test_what_people_write_is_allowed(source: str) -> None:
    re.compile(Regex.read(source).pattern)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (r"(a+)+", "repetition in a repetition"),
        (r"(a*)*", "may be empty"),
        (r"(a|a)*", "begin alike"),
        (r"(a|ab)*c", "begin alike"),
        (r"(a?a?)*b", "may be empty"),
        (r"((a{1,9}){1,9}){1,9}", "repetition in a repetition"),
        (r".*.*.*x", "overlap"),
        (r"a.*b.*c.*d", "overlap"),
        (r".*.*.*$", "overlap"),
        (r"\w*\d*\w*\d*x", "overlap"),
        (r".*\b.*\bx", "overlap"),
        (r"(a{255}){255}", "written out"),
        (r"(?<=a)b", "not among"),
        (r"(?!a)b", "not among"),
        (r"(?P<n>a)", "not among"),
        (r"(a)\1", "refers back"),
        (r"\p{L}", "not among"),
        (r"\A", "not among"),
        (r"[[:alpha:]]", "not among"),
        (r"a**", "repeats a repetition"),
        (r"*a", "repeats nothing"),
        (r"^*", "cannot be repeated"),
        (r"a{300}", "cannot be counted"),
        (r"a{3,2}", "cannot be counted"),
        (r"(a", "`)` is missing"),
        (r"a)", "closes nothing"),
        (r"[a", "`]` is missing"),
        (r"[]", "nothing between"),
        (r"[^\d\D]", "every character or none"),
        ("a\\", "lone backslash"),
        (r"\x00", "is no character"),
        (r"\ud800", "is no character"),
        ("(" * 30 + "a" + ")" * 30, "deep"),
    ],
)
def test_what_is_not_portable_or_may_not_end_is_refused(source: str, said: str) -> None:
    with pytest.raises(RegexProblem) as caught:
        Regex.read(source)
    assert said in caught.value.message
    assert caught.value.hint
    assert 0 <= caught.value.position <= len(source)


def test_the_texts_that_every_match_holds_are_known() -> None:
    assert Regex.read(r"timed out after \d+ms").required == ("timed out after ", "ms")
    assert Regex.read(r"(a|b)").required == ()
    assert Regex.read(r"x?(foo)bar").required == ("foobar",)


PIECES = (
    *("a", "b", "7", ".", r"\d", r"\w", r"\b", "[ab]", "[^a]", "x|y", "(", ")", "+", "*", "?"),
    *("{1,3}", "{2}", "^", "$", "|", r"\.", "é", "-", "(?:", "ab", r"\s", " ", "A"),
)


def test_random_expressions_mean_what_python_means_by_them() -> None:
    """And end soon on texts made to hold them up."""
    generator = random.Random(53)
    texts = ["".join(generator.choices("ab7 .-xyé\nA", k=12)) for _ in range(60)]
    hostile = [char * 600 + "!" for char in "ab7x "] + ["ab" * 300 + "!", "a7 b" * 150]
    read = 0
    for _ in range(3_000):
        source = "".join(generator.choices(PIECES, k=generator.randrange(1, 8)))
        try:
            regex = Regex.read(source)
        except RegexProblem:
            continue
        read += 1
        compiled = re.compile(regex.pattern)
        # Both `$` and `^` of the message, never of a line; letters of ASCII for \w.
        meant = re.compile(source.replace("$", r"\Z"), re.IGNORECASE | re.ASCII)
        for text in texts:
            assert bool(compiled.search(folded(text))) == bool(meant.search(text.lower())), source
        started = time.perf_counter()
        for text in hostile:
            compiled.search(text)
        assert time.perf_counter() - started < 5, source
    assert read > 500

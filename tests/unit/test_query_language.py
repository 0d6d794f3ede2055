"""How `q` is read: what joins terms, what stays text, and what is said about mistakes."""

import pytest

from logstream.errors import FilterError
from logstream.filter import LogFilter
from logstream.model import LogLine
from logstream.text_query import (
    All,
    AnyOf,
    AttributeTest,
    Existence,
    Not,
    QueryError,
    Regex,
    TextPart,
    TextQuery,
    Wildcard,
)

A_SERVICE = Wildcard("service", "a", is_open_right=True)
A, B, C = TextPart("a"), TextPart("b"), TextPart("c")


def finds(q: str, **fields: object) -> bool:
    base: dict[str, object] = {"body": "", "severity_number": 9}
    base |= fields
    return TextQuery.parse(q).matches(LogLine(1, 0, 0, "production", "cart", **base))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("q", "terms"),
    [
        ("a b", (A, B)),
        ("a AND b", (A, B)),
        ("(a b) c", (A, B, C)),
        ("a a", (A,)),
        ("a OR b", (AnyOf((A, B)),)),
        ("a OR b OR c", (AnyOf((A, B, C)),)),
        ("(a OR b) OR c", (AnyOf((A, B, C)),)),
        ("a OR a", (A,)),
        ("a OR b c", (AnyOf((A, All((B, C)))),)),
        ("(a OR b) c", (AnyOf((A, B)), C)),
        ("-(a OR b)", (Not(AnyOf((A, B))),)),
        ("NOT (a b)", (Not(All((A, B))),)),
        ("--(a b) c", (Not(TextPart("-(a")), TextPart("b)"), C)),
        ("NOT -a", (A,)),
        ("a AND NOT b", (A, Not(B))),
        ("((a))", (A,)),
        ("(-a)", (Not(A),)),
        ('("a" OR "b")', (AnyOf((A, B)),)),
        ("-/a/", (Not(Regex.read("a")),)),
        ("service:a*,b", (AnyOf((AttributeTest("service", ("b",)), A_SERVICE)),)),
        ("k:*", (Existence("k"),)),
        ("k:*a*", (Wildcard("k", "a", True, True),)),
        ('k:"a*"', (AttributeTest("k", ("a*",)),)),
        ("status!=200", (Not(AttributeTest("status", ("200",))),)),
        ("service!=cart", (Not(AttributeTest("service", ("cart",))),)),
    ],
)  # fmt: skip
def test_terms_are_joined(q: str, terms: tuple[object, ...]) -> None:
    assert TextQuery.parse(q).terms == terms


@pytest.mark.parametrize(
    ("q", "words"),
    [
        ("at com.shop.Cart.add(Cart.java:17)", ["at", "com.shop.cart.add(cart.java:17)"]),
        ('{"status": 503}', ['{"status":', "503}"]),
        ("foo(a, b) x", ["foo(a,", "b)", "x"]),
        ("(foo(a, b))", ["foo(a,", "b)"]),
        ("foo( bar", ["foo(", "bar"]),
        ("foo ) :)", ["foo", ")", ":)"]),
        ("() (null)x f()", ["()", "(null)x", "f()"]),
        ("404 NOT FOUND", ["404", "not", "found"]),
        ("or and not", ["or", "and", "not"]),
        ("is NOT", ["is", "not"]),
        ("ORDER ANDROID NOTE", ["order", "android", "note"]),
        ("x->y a=>b if(a>b) List<5>", ["x->y", "a=>b", "if(a>b)", "list<5>"]),
        ("status=404 msg=x", ["status=404", "msg=x"]),
        ("/api/cart /api/v1/", ["/api/cart", "/api/v1/"]),
        ("GET /cart and / home", ["get", "/cart", "and", "/", "home"]),
        ("https://x:80/a?b=(c)&d='e'", ["https://x:80/a?b=(c)&d='e'"]),
        ("C:\\temp\\x.log", ["c:\\temp\\x.log"]),
        ("'quoted' it's", ["'quoted'", "it's"]),
        ('17" msg="x"', ['17"', 'msg="x"']),
        ("[INFO] <b>5</b> 50% a&&b", ["[info]", "<b>5</b>", "50%", "a&&b"]),
        ("－ＯＲ ＯＲ", ["－ｏｒ", "ｏｒ"]),
        ("\u202eabc", ["\u202eabc"]),
    ],
)
def test_what_people_paste_is_text(q: str, words: list[str]) -> None:
    assert TextQuery.parse(q).terms == tuple(dict.fromkeys(map(TextPart, words)))


@pytest.mark.parametrize(
    ("q", "position", "problem", "hint"),
    [
        ('x "order 17', 2, "quote is not closed", 'did you mean "order 17"'),
        ('user:"Ann', 5, "quote is not closed", 'did you mean user:"Ann"'),
        ("x (a OR b", 2, "`)` is missing", "did you mean x (a OR b)?"),
        ("(a OR b))", 8, "`)` closes nothing", "remove it"),
        ("a OR b)", 6, "`)` closes nothing", 'did you mean "b)"'),
        ("a OR", 2, "`OR` has nothing at its right", "did you mean a?"),
        ("(a OR) b", 3, "`OR` has nothing at its right", '"OR"'),
        ("OR a", 0, "`OR` has nothing at its left", '"OR"'),
        ("a OR AND b", 5, "`AND` has nothing at its left", '"AND"'),
        ("a ( ) b", 4, "nothing between the brackets", "remove"),
        ("severity>=loud", 10, "severity 'loud' is not known", "trace, debug, info, warn"),
        ("x severity:wran", 11, "severity 'wran' is not known", "did you mean warn?"),
        ("severity:error,loud", 9, "severity 'loud' is not known", "use"),
        ("severity>=", 8, "needs a value", "severity>=warn"),
        ("service=cart", 7, "with a colon", "did you mean service:cart?"),
        ("service>=cart", 9, "service has no order", "did you mean service:cart?"),
        ("latency>slow", 8, "'slow' is not a number", "latency>500"),
        ("latency>5parsecs", 9, "'parsecs' is not a unit of time", "ms"),
        ("heap>10mb", 7, "only latency", "did you mean heap>10?"),
        ("pattern:x", 8, "pattern 'x' is not an id", "click"),
        ("a /(x/", 3, "`)` is missing", "\\("),
        ("/[z-a]/", 2, "is no range", "[a-z]"),
        ("k>" + "9" * 50, 2, "is not a number", "k>5"),
    ],
)
def test_a_mistake_is_shown_with_a_proposal(q: str, position: int, problem: str, hint: str) -> None:
    with pytest.raises(FilterError) as caught:
        TextQuery.parse(q)
    error = caught.value
    assert isinstance(error, QueryError)
    assert error.position == position
    assert problem in error.problem and hint in error.hint
    sentence, shown, caret = error.message.split("\n")
    assert f"(character {position + 1})" in sentence
    assert "\n" not in error.one_line()
    # The caret stands under what is meant.
    assert shown[caret.index("^")] == q[position]


@pytest.mark.parametrize(
    "q",
    ["(" * 200 + "a" + ")" * 200, "x" * 2_001, "-(" * 60 + "a" + ")" * 60, "a\x00b"],
)
def test_what_is_too_much_is_refused(q: str) -> None:
    with pytest.raises(QueryError):
        TextQuery.parse(q)


def test_forty_brackets_and_many_terms_are_read() -> None:
    assert TextQuery.parse("(" * 40 + "a" + ")" * 40).terms == (A,)
    assert len(TextQuery.parse(" ".join(str(n) for n in range(400))).terms) == 400
    assert TextQuery.parse(" OR ".join(["a", "b"] * 150)).terms == (AnyOf((A, B)),)


def test_a_url_with_a_broken_search_means_every_line_and_says_why() -> None:
    log_filter, problems = LogFilter.read_url({"q": "(a OR", "severity": "error"})
    assert log_filter == LogFilter.from_url({"severity": "error"})
    assert [problem.parameter for problem in problems] == ["q"]
    with pytest.raises(FilterError):
        LogFilter.from_url({"q": "severity>=loud"})


@pytest.mark.parametrize(
    ("q", "milliseconds", "is_found"),
    [
        ("latency>500", 500.0, False),
        ("latency>=500", 500.0, True),
        ("latency > 0.5s", 501.0, True),
        ("latency<2m", 119_999.0, True),
        ("latency<=250us", 0.25, True),
        ("latency:0", 0.0, True),
        ("latency:>100", 101.0, True),
        ("duration_ms>100", 101.0, True),
        ("latency<1", None, False),
        ("-latency<1", None, True),
        ("latency:*", None, False),
    ],
)
def test_latency_is_compared_in_milliseconds(
    q: str, milliseconds: float | None, is_found: bool
) -> None:
    assert finds(q, duration_ms=milliseconds) is is_found


@pytest.mark.parametrize(
    ("q", "numbers"),
    [
        # The groups begin at 1, 5, 9, 13, 17 and 21.
        ("severity>=warn", range(13, 25)),
        ("severity>warn", range(17, 25)),
        ("severity<warn", range(1, 13)),
        ("severity <= warn", range(1, 17)),
        ("severity!=warn", [*range(1, 13), *range(17, 25)]),
        ("severity>=14", range(14, 25)),
        ("severity>=ERR", range(17, 25)),
    ],
)
def test_severities_have_an_order(q: str, numbers: list[int]) -> None:
    assert [n for n in range(1, 25) if finds(q, severity_number=n)] == list(numbers)


@pytest.mark.parametrize(
    ("q", "value", "is_found"),
    [
        ("n>5", 6, True),
        ("n>5", "6", True),
        ("n>5", "6 apples", False),
        ("n>5", True, False),
        ("n>5", None, False),
        ("n>5", [6], False),
        ("n>=0.1", 0.1, True),
        ("n<-1", -1.5, True),
        ("n>9007199254740992", 9007199254740993, True),
        ("n>1e3", 1001, True),
        ("n:5*", 503, True),
        ("n:5*", 503.0, True),
        ("n:5*", 5.03, False),
        ("n:*3", "x3", True),
        ("n:X*", "xy", False),
        ("n:*", None, True),
        ("n:*", {}, True),
    ],
)
def test_attributes_are_compared_whatever_stands_there(
    q: str, value: object, is_found: bool
) -> None:
    assert finds(q, attributes={"n": value}) is is_found
    assert finds(f"-{q}", attributes={"n": value}) is not is_found


def test_a_line_is_of_its_skeleton_and_of_its_group() -> None:
    assert finds("pattern:17", skeleton_id=17)
    assert finds("pattern:4,17", skeleton_id=3, pattern_id=17)
    assert finds("pattern:3", skeleton_id=3, pattern_id=17)
    assert not finds("pattern:17", skeleton_id=3, pattern_id=18)


@pytest.mark.parametrize(
    ("q", "value", "is_found"),
    [("duration>1.5s", 1_501, True), ("duration>1.5s", 1_500, False), ("duration>1.5", 2, True)],
)
def test_a_duration_with_a_unit_is_compared_in_milliseconds(
    q: str, value: int, is_found: bool
) -> None:
    assert finds(q, attributes={"duration": value}) is is_found

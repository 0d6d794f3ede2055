"""Which attributes are worth a facet, and what is left out of the pattern facet's question."""

from logstream.filter import LogFilter
from logstream.ports import FieldFacts, Fields
from logstream.show.explore.facets import telling, without_patterns
from logstream.show.explore.patterns_tab import with_value


def fact(name: str, lines: int, distinct: int) -> FieldFacts:
    return FieldFacts(name, lines, distinct, [("a", lines)], "text")


FIELDS = Fields(
    [
        fact("trace.id", 1000, 900),
        fact("host", 1000, 40),
        fact("region", 980, 2),
        fact("tenant", 600, 12),
        fact("constant", 1000, 1),
        fact("rare", 10, 5),
    ],
    1000,
    5000,
)


def names(pinned: tuple[str, ...] = (), q: str = "") -> list[str]:
    return [one.name for one in telling(FIELDS, pinned, q)]


def test_widespread_attributes_of_few_values_are_worth_a_facet() -> None:
    # Not an id of 900 values, not a constant, not what 1 % of the lines carry.
    assert names() == ["region", "host", "tenant"]


def test_pinned_and_asked_for_attributes_come_first_whatever_they_are() -> None:
    pinned = ("attribute:trace.id", "service", "attribute:gone")
    assert names(pinned, "rare:x") == ["trace.id", "gone", "rare", "region", "host", "tenant"]


def test_what_had_a_facet_keeps_it_and_its_place_while_a_line_has_it() -> None:
    shown = [one.name for one in telling(FIELDS, (), "", ["tenant", "constant", "gone", "region"])]
    assert shown == ["tenant", "constant", "region", "host"]


def test_the_pattern_facet_is_counted_without_what_the_query_says_of_patterns() -> None:
    assert without_patterns("timeout pattern:17 -pattern:4 a:b") == "timeout a:b"
    assert without_patterns("timeout (pattern:17 OR pattern:4)") == "timeout"
    assert without_patterns("timeout") == "timeout"


def test_a_value_at_a_place_narrows_to_its_pattern_and_itself() -> None:
    assert with_value(LogFilter(), "17", "71244").q == 'pattern:17 "71244"'
    assert with_value(LogFilter(q="pattern:17"), "17", "a b").q == 'pattern:17 "a b"'
    # No phrase can hold a quotation mark: the pattern alone.
    assert with_value(LogFilter(), "17", 'say "no"').q == "pattern:17"

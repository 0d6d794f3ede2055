"""A model's filter told condition by condition, in the words of the question where it can be."""

from logstream.explain.ask.conditions import conditions_of, place_of, understood_by_model
from logstream.explain.ask.reading import Reading, Understood
from logstream.filter import LogFilter

FILTER = LogFilter.from_url(
    {
        "service": "payment-gateway,-cart",
        "severity": "error,fatal",
        "q": 'timed "5000 ms"',
        "from": "2026-03-03T13:00:00Z",
    }
)


def test_each_condition_is_told_once() -> None:
    assert [one.meaning for one in conditions_of(FILTER)] == [
        "service payment-gateway",
        "service not cart",
        "severity error or fatal",
        "text timed",
        'text "5000 ms"',
        "from 2026-03-03T13:00:00Z",
    ]
    assert [one.values for one in conditions_of(LogFilter(range_text="1h"))] == [("1h",)]
    assert list(conditions_of(LogFilter())) == []


def test_words_of_the_question_come_from_the_rules_that_read_the_same() -> None:
    by_rules = Reading(
        LogFilter(),
        understood=(
            Understood("pay", "service", ("payment-gateway",), "service payment-gateway", "guess"),
            Understood("slow", "q", ("latency>=1000",), "latency ≥ 1000 ms"),
        ),
    )
    told = understood_by_model(FILTER, by_rules)
    # The model made sure of what the rules had guessed.
    assert (told[0].words, told[0].sure) == ("pay", "certain")
    assert [one.words for one in told[1:]] == ["", "", "", "", ""]


def test_place_and_time_stay_when_a_new_question_begins() -> None:
    current = LogFilter.from_url(
        {"env": "staging", "service": "cart", "q": "x", "range": "1h", "at": "2026-03-03T13:00:00Z"}
    )
    assert place_of(current).to_url() == {
        "env": "staging",
        "range": "1h",
        "at": "2026-03-03T13:00:00Z",
    }

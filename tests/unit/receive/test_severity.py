import pytest

from logstream.receive.severity import otel_severity_number, own_word, severity_number


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "trace TRACE verbose finest silly T V"),
        (5, "debug Debug DBG fine D"),
        (9, "info INFO notice information Informational I success"),
        (13, "warn WARNING Wrn W [WARN]"),
        (17, "error ERR severe E level.error LOG_ERR"),
        (21, "fatal critical CRIT emerg emergency panic alert F"),
    ],
)
def test_every_spelling_has_its_number(number: int, words: str) -> None:
    assert {word: severity_number(word) for word in words.split()} == dict.fromkeys(
        words.split(), number
    )


def test_opentelemetry_short_names_keep_their_step() -> None:
    assert severity_number("ERROR2") == 18
    assert severity_number("INFO4") == 12
    assert severity_number("DEBUG9") == 8  # a group has four steps


@pytest.mark.parametrize(
    ("value", "number"),
    [
        # syslog: emergency, alert, critical, error, warning, notice, informational, debug
        *[(0, 21), (2, 21), (3, 17), (4, 13), (5, 9), (6, 9), (7, 5)],
        # pino and bunyan
        *[(10, 1), (20, 5), (30, 9), (40, 13), (50, 17), (60, 21)],
        # no other scale uses these: OpenTelemetry
        *[(9, 9), (13, 13), (17, 17), (24, 24), ("17", 17), ("30", 9), (17.0, 17)],
    ],
)
def test_a_number_is_read_by_the_scale_that_uses_it(value: int, number: int) -> None:
    assert severity_number(value) == number


@pytest.mark.parametrize(
    "value", ["loud", "", "25", 25, -1, 8.5, 1e300, float("nan"), float("inf"), None, True, "1e3"]
)
def test_what_is_not_known_is_none(value: str | float | None) -> None:
    assert severity_number(value) is None


def test_a_field_named_severity_number_is_opentelemetry_s_alone() -> None:
    assert otel_severity_number(3) == 3
    assert otel_severity_number("10") == 10
    assert otel_severity_number(0) == 9
    assert otel_severity_number(25) is None
    assert otel_severity_number("error") is None


def test_the_sender_s_word_is_kept_only_when_it_says_more() -> None:
    assert own_word("ERROR", 17) is None
    assert own_word("critical", 21) == "critical"

"""Rules of retention: which one wins, and what is no rule."""

import pytest

from logstream.errors import SettingsError
from logstream.retention_rules import RetentionRules
from logstream.settings import load_settings

DEBUG, INFO, ERROR = 5, 9, 17


def test_the_most_specific_rule_wins() -> None:
    rules = RetentionRules.parse("staging=7, */debug=3, staging/debug=1, a/b/error=90", 30)
    assert rules.days("staging", DEBUG) == 1
    assert rules.days("production", DEBUG) == 3
    assert rules.days("staging", INFO) == 7
    assert rules.days("production", INFO) == 30
    assert rules.days("a/b", ERROR) == 90


def test_without_rules_the_default_holds_and_zero_is_for_ever() -> None:
    assert RetentionRules.parse("", 30).days("production", INFO) == 30
    assert not RetentionRules.parse("").removes_something
    assert not RetentionRules.parse("staging=0").removes_something
    assert RetentionRules.parse("staging=1").removes_something
    assert RetentionRules.parse("production/error=0", 30).days("production", ERROR) == 0


def test_a_star_stands_for_every_environment_and_severity() -> None:
    rules = RetentionRules.parse("*=30,staging/*=7")
    assert (rules.days("production", INFO), rules.days("staging", INFO)) == (30, 7)


def test_rules_are_told_in_words() -> None:
    assert RetentionRules().words() == "for ever"
    assert RetentionRules.parse("a=1", 1).words() == "1 day, 1 exception"
    assert RetentionRules.parse("a=1,b=2", 30).words() == "30 days, 2 exceptions"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("staging", "'staging' is not ENVIRONMENT[/SEVERITY]=DAYS"),
        ("=3", "'=3' is not ENVIRONMENT[/SEVERITY]=DAYS"),
        ("staging=soon", "'staging=soon' needs whole days from 0 to 36500 after the ="),
        ("staging=-1", "'staging=-1' needs whole days from 0 to 36500 after the ="),
        (
            "a/loud=3",
            "'a/loud=3' names severity 'loud'; use trace, debug, info, warn, error, fatal or *",
        ),
        ("a=1,a/*=2", "'a/*=2' says again how long a/* is kept"),
    ],
)
def test_a_bad_rule_ends_the_start_with_one_line(
    text: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGSTREAM_RETENTION_RULES", text)
    with pytest.raises(SettingsError) as error:
        load_settings()
    assert str(error.value).startswith(f"LOGSTREAM_RETENTION_RULES={text}: ")
    assert reason in str(error.value)


def test_spans_follow_the_rules_that_name_no_severity() -> None:
    rules = RetentionRules.parse("staging=7, */debug=3, staging/debug=1, audit=0", 30)
    assert rules.span_days() == (30, {"staging": 7, "audit": 0})
    assert RetentionRules.parse("*=14,staging/*=7", 30).span_days() == (14, {"staging": 7})

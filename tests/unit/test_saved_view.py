"""What a view may hold, and what a URL says beside it."""

import pytest

from logstream.errors import FilterError
from logstream.saved_view import ViewDraft, changes, merged, new_id, read_id

STATE = {"service": "payment-gateway", "severity": "error,fatal", "range": "1h", "tab": "patterns"}


def test_a_url_that_names_a_view_needs_to_say_only_what_differs() -> None:
    for parameters in (
        STATE,
        {**STATE, "q": "declined"},
        {"service": "payment-gateway", "range": "1h", "tab": "patterns"},
        {**STATE, "range": "7d"},
        {"severity": "error,fatal", "from": "2026-01-31T14:05:00Z"},
        {},
    ):
        said = changes(STATE, parameters)
        assert merged(STATE, said) == parameters
    assert changes(STATE, dict(STATE)) == {}
    assert changes(STATE, {**STATE, "service": ""}) == {"service": ""}


def test_a_time_in_the_url_replaces_the_whole_time_of_the_view() -> None:
    assert merged({"range": "1h"}, {"from": "2026-01-31"}) == {"from": "2026-01-31"}
    assert merged({"from": "2026-01-30", "to": "2026-01-31"}, {"range": "15m"}) == {"range": "15m"}
    assert changes({"range": "1h"}, {"from": "2026-01-31"}) == {"from": "2026-01-31"}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": "  ", "state": {}}, "name"),
        ({"name": "x" * 81, "state": {}}, "name"),
        ({"name": 7, "state": {}}, "name"),
        ({"name": "a\x00b", "state": {}}, "name"),
        ({"name": "a", "state": []}, "state"),
        ({"name": "a", "state": {"token": "ls_secret"}}, "state"),
        ({"name": "a", "state": {"view": "abcdefgh"}}, "state"),
        ({"name": "a", "state": {"q": ["x"]}}, "state"),
        ({"name": "a", "state": {"q": "x" * 2_001}}, "state"),
        ({"name": "a", "state": {"q": "half \ud800"}}, "state"),
        ({"name": "a", "state": {"severity": "loud"}}, "severity"),
        ({"name": "a", "state": {}, "is_team": "yes"}, "team"),
        ({"name": "a", "state": {}, "owner": "o" * 81}, "owner"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_name(given: dict[str, object], field: str) -> None:
    with pytest.raises(FilterError) as refused:
        ViewDraft.checked(**given)  # type: ignore[arg-type]
    assert refused.value.parameter == field


def test_empty_values_fall_away_and_names_are_one_line() -> None:
    draft = ViewDraft.checked(" Payment\n errors ", {"q": "", "service": "cart"}, "")
    assert draft == ViewDraft("Payment errors", {"service": "cart"}, "someone")


def test_ids_are_short_and_read_as_people_type_them() -> None:
    first, second = new_id(), new_id()
    assert first != second and len(first) == 8
    assert read_id(f" {first.upper()} ") == first
    for text in ("", "../../x", "abc", "abcdefgh1", "ａbcdefgh"):
        with pytest.raises(FilterError):
            read_id(text)

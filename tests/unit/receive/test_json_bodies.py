import pytest

from logstream.errors import DecodeError
from logstream.receive.json_bodies import pieces_of
from logstream.receive.json_text import is_deeper_than, without_depths

GOOD = b'{"message":"a {bracket"}'
DEEP = b'{"a":' * 10_000 + b"1" + b"}" * 10_000


@pytest.mark.parametrize(
    ("body", "pieces"),
    [
        (b"[" + GOOD + b",{oops}," + GOOD + b"]", [GOOD, b"{oops}", GOOD]),
        (GOOD + b"{oops}" + GOOD, [GOOD, b"{oops}", GOOD]),
        (b"{oops}" + GOOD, [b"{oops}", GOOD]),
        (GOOD + b"{oops} and {", [GOOD, b"{oops}", b"and {"]),
        (GOOD + b"\n{oops}\n" + GOOD, [GOOD, b"{oops}", GOOD]),
        (b'[{"x":NaN},' + GOOD + b"]", [b'{"x":NaN}', GOOD]),
    ],
)
def test_a_value_that_is_no_json_is_one_piece_between_its_neighbours(
    body: bytes, pieces: list[bytes]
) -> None:
    assert pieces_of(body) == pieces


@pytest.mark.parametrize("body", [b"[" + DEEP + b"," + GOOD + b"]", DEEP + GOOD])
def test_a_value_nested_without_end_is_one_piece_that_is_still_too_deep(body: bytes) -> None:
    deep, good = pieces_of(body)
    assert good == GOOD
    assert is_deeper_than(deep)


@pytest.mark.parametrize("body", [b"[{oops}]", b"{oops}{oops}", b"oops", b"[" + GOOD, b'[{"a":}'])
def test_a_body_without_any_value_is_refused_with_line_and_column(body: bytes) -> None:
    with pytest.raises(DecodeError, match=r"line 1, column \d+|does not end"):
        pieces_of(body)


def test_what_is_cut_away_of_a_deep_value_leaves_the_rest_as_it_was() -> None:
    assert without_depths(b'[{"a":[1,[2]],"b":"[["},3]', 3) == b'[{"a":[1,null],"b":"[["},3]'
    assert without_depths(GOOD) == GOOD

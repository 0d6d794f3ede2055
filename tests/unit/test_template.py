"""Places in messages by their shape, and reading the values at them."""

import random
import time

import pytest

from logstream.template import (
    KINDS,
    MAX_CHARACTERS,
    kinds_of_places,
    masked,
    values_at_places,
)


@pytest.mark.parametrize(
    ("message", "template"),
    [
        ("order 1841 packed in 12 ms", "order <num> packed in <duration>"),
        ("GET https://shop.example/cart?id=5 200", "GET <url> <num>"),
        ("mail to ana@example.org bounced", "mail to <email> bounced"),
        ("peer 10.0.4.17:5432 gone", "peer <ip> gone"),
        ("peer /10.0.4.17:5432 gone", "peer <ip> gone"),
        ("peer fe80::1ff:fe23:4567:890a gone", "peer <ip> gone"),
        ("card 00:11:43:e3:ba:c3 via eth1", "card <ip> via eth1"),
        ("proxy.uni.example.com:5070 closed", "<ip> closed"),
        ("since 2026-03-01T12:00:30.123Z", "since <time>"),
        ("at Fri Jun 17 07:07:00 2005 again", "at <time> again"),
        ("[01/Mar/2026:12:00:30 +0000] ok", "[<time>] ok"),
        ("lasted 00:01:30", "lasted <time>"),
        ("trace 4bf92f3577b34da6a3ce929d0e0e4736 kept", "trace <id> kept"),
        ("user 7f9c24e8-3b12-4fef-91e0-57a35e1d1f06", "user <id>"),
        ("blk_-3544583377289625738 added", "<id> added"),
        ("code 0x8002bdf", "code <hex>"),
        ("read /var/lib/db/base.1", "read <path>"),
        ("GET /cart/17?full=yes done", "GET <path> done"),
        (r"load C:\Windows\System32\wdi.dll", "load <path>"),
        ("sent 10547 bytes (10.3 KB)", "sent <size> (<size>)"),
        ("retry in 1.5s, at 50%", "retry in <duration>, at <num>"),
        ("offset -17, 3.5", "offset <num>, <num>"),
        ("two  spaces\tand\na break ", "two spaces and a break"),
        ("ssh2 and sha256 are names", "ssh2 and sha256 are names"),
        ("a place like <num> is no number", "a place like <word> is no number"),
        ("java.io.IOException: reset", "java.io.IOException: reset"),
    ],
)
def test_what_varies_by_its_shape_is_a_place(message: str, template: str) -> None:
    assert masked(message) == template


def test_values_are_read_at_their_places() -> None:
    template = "order <num> of <word> took <duration> (<num>%)"
    assert values_at_places(template, "order 17 of ana maria took 1.5 s (50%)") == [
        *("17", "ana maria", "1.5 s", "50")
    ]
    assert kinds_of_places(template) == ["num", "word", "duration", "num"]
    assert values_at_places("sent <size> <num>", "sent 12.5 KB 17") == ["12.5 KB", "17"]
    assert values_at_places("all is well", "all is well") == []


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("order <num> paid", "order 5 lost"),
        ("order <num> paid", "refund 5 paid"),
        ("a<num>a", "a"),
        ("all is well", "all is well now"),
        ("<num> of <num>", "5 in 7"),
    ],
)
def test_a_message_of_another_form_has_no_values(template: str, message: str) -> None:
    assert values_at_places(template, message) is None


def test_every_message_fits_its_own_template() -> None:
    generator = random.Random(11)
    signs = "ab09 .:/\\-_@%<>()[]{}\"'=,+|~\t\nTZé\u0000\u202e😀"
    texts = ["".join(generator.choices(signs, k=generator.randrange(60))) for _ in range(3_000)]
    texts += [f"<{kind}>" * 3 for kind in KINDS] + ["<<num>>", "x" * 5_000, ""]
    for text in texts:
        template = masked(text)
        values = values_at_places(template, text)
        assert values is not None and len(values) == len(kinds_of_places(template)), text


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "1",
        "1.",
        "/",
        "a:",
        "1:",
        "ab-",
        "\\a",
        "a@",
        "a.a",
        "http://",
        "Mon ",
        "1 ",
        "f:",
        "-1",
    ],
)
def test_no_text_is_slow_to_read(unit: str) -> None:
    started = time.perf_counter()
    masked(unit * MAX_CHARACTERS)
    # A few milliseconds; a text that is read over and over takes minutes.
    assert time.perf_counter() - started < 1.0

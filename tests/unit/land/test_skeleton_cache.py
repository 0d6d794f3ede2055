"""The landing path's memory of skeletons."""

from logstream.land import skeleton_cache
from logstream.land.copy_rows import encode
from logstream.land.skeleton_cache import NewSkeleton, SkeletonCache
from logstream.model import LogRecord
from logstream.skeleton import overflow_id, skeleton_id, skeleton_key
from tests.records import a_record

# Words whose letters are no hexadecimal digits, so that each makes a key of its own.
LETTERS = "ghijklmnopqrstuvwxyz"


def word(number: int) -> str:
    text = ""
    while True:
        number, digit = divmod(number, len(LETTERS))
        text += LETTERS[digit]
        if not number:
            return text


def look_up(cache: SkeletonCache, record: LogRecord, new: dict[int, NewSkeleton]) -> int:
    return cache.look_up(skeleton_key(record.body.encode()), record, new)


def test_lines_of_one_statement_share_a_skeleton() -> None:
    cache = SkeletonCache()
    rows = encode(
        [a_record("Order 1841 paid by user-7"), a_record("Order 99 paid by user-12345")], cache
    )
    # Order without d and e, paid without a and d, by without b, user without e.
    [found] = rows.new_skeletons.values()
    assert found.key == "Orr  pi y usr-"
    assert found.example == "Order 1841 paid by user-7"
    assert list(rows.counts.values()) == [2]


def test_a_key_is_new_until_it_is_confirmed() -> None:
    cache = SkeletonCache()
    record = a_record("Payment authorised")
    first: dict[int, NewSkeleton] = {}
    again: dict[int, NewSkeleton] = {}
    found = look_up(cache, record, first)
    # The transaction that was to store it may fail: the next one brings it again.
    assert look_up(cache, record, again) == found
    assert again == first
    cache.confirm(first.values())
    assert look_up(cache, record, later := {}) == found
    assert not later
    assert cache.known == {skeleton_key(b"Payment authorised"): found}


def test_what_the_database_holds_is_not_new() -> None:
    cache = SkeletonCache()
    key = skeleton_key(b"Payment authorised")
    cache.load([(skeleton_id(key), "checkout")])
    new: dict[int, NewSkeleton] = {}
    assert look_up(cache, a_record("Payment authorised"), new) == skeleton_id(key)
    assert not new


def test_a_service_with_too_many_shares_an_overflow_until_a_message_is_frequent() -> None:
    cache = SkeletonCache()
    new: dict[int, NewSkeleton] = {}
    for number in range(skeleton_cache.FREE_PER_SERVICE):
        look_up(cache, a_record(word(number), service="chat"), new)
    assert len(new) == skeleton_cache.FREE_PER_SERVICE
    shared = overflow_id("chat")
    rare = a_record("something nobody wrote yet", service="chat")
    for _ in range(skeleton_cache.SIGHTINGS_TO_BE_STORED - 1):
        assert look_up(cache, rare, new) == shared
    assert new[shared].is_overflow
    assert new[shared].example == ""
    assert look_up(cache, rare, new) == skeleton_id(skeleton_key(rare.body.encode()))
    # Another service is not concerned.
    assert look_up(cache, a_record("Payment authorised"), new) != overflow_id("payment-gateway")


def test_a_long_message_has_a_skeleton_of_its_whole_text() -> None:
    cache = SkeletonCache()
    one, other = (a_record("x" * 100_000 + end) for end in ("y", "z"))
    new: dict[int, NewSkeleton] = {}
    assert look_up(cache, one, new) != look_up(cache, other, new)
    cache.confirm(new.values())
    assert look_up(cache, one, {}) in new
    assert look_up(cache, one, {}) in new  # the second time from memory
    assert max(map(len, cache.known)) <= 64


def test_the_caches_are_bounded() -> None:
    cache = SkeletonCache()
    new: dict[int, NewSkeleton] = {}
    for number in range(30_000):
        look_up(cache, a_record(word(number), service="chat"), new)
    cache.confirm(new.values())
    assert len(new) <= skeleton_cache.FREE_PER_SERVICE + 1
    assert len(cache._sightings) <= 20_000

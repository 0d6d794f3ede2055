"""Which messages are one pattern, how it is worded, and that its id lasts."""

import random
import time
from collections.abc import Sequence

import pytest

from logstream.explain.patterns.grouping import Group, Skeleton, grouped
from logstream.explain.patterns.words import LEAST_WORDS, MAX_PIECES, read
from logstream.skeleton import skeleton_id, skeleton_key
from logstream.template import kinds_of_places, values_at_places

USERS = ("rita", "gusto", "mira", "pumuckl", "zoltan", "hyun", "wiktor", "ingrid")


def skeletons_of(messages: Sequence[str], former: Sequence[Group] = ()) -> list[Skeleton]:
    """As landing and the worker make them: up to five examples of each."""
    pattern_of = {one: group.id for group in former for one in group.skeleton_ids}
    examples: dict[int, list[str]] = {}
    for message in messages:
        known = examples.setdefault(skeleton_id(skeleton_key(message.encode())), [])
        if len(known) < 5 and message not in known:
            known.append(message)
    return [Skeleton(one, known, pattern_of.get(one)) for one, known in examples.items()]


def templates_of(messages: Sequence[str]) -> list[str]:
    return sorted(group.template for group in grouped(skeletons_of(messages)))


@pytest.mark.parametrize(
    ("messages", "templates"),
    [
        (
            [f"Order {n} paid by card" for n in (1, 20, 300)],
            ["Order <num> paid by card"],
        ),
        # A word of which many others stand at the same place.
        (
            [f"Failed password for {user} from 10.0.0.{n} port 22" for n, user in enumerate(USERS)],
            ["Failed password for <word> from <ip> port <num>"],
        ),
        # Two words are two events.
        (
            ["session opened for user root by (uid=0)", "session closed for user root by (uid=0)"],
            [
                "session closed for user root by (uid=<num>)",
                "session opened for user root by (uid=<num>)",
            ],
        ),
        # Where others have a number, a word is a value.
        (
            ["login of invalid user 0 from 10.1.1.1", "login of invalid user guru from 10.1.1.2"],
            ["login of invalid user <word> from <ip>"],
        ),
        # Several words that vary together.
        (
            [
                f"Customer {user} moved to town {town}"
                for user, town in zip(USERS, reversed([u.title() for u in USERS]), strict=True)
            ],
            ["Customer <word> moved to town <word>"],
        ),
        # Lists of any length.
        (
            [
                "replicas to remove: blk_1000001",
                "replicas to remove: blk_1000001 blk_1000002",
                "replicas to remove: blk_1000001 blk_1000002 blk_1000003",
            ],
            ["replicas to remove: <list>"],
        ),
        (
            ["nodes: 10.0.0.1,10.0.0.2 joined us", "nodes: 10.0.0.1,10.0.0.2,10.0.0.3 joined us"],
            ["nodes: <list> joined us"],
        ),
        (
            [
                f"inconsistent sets node-160 0x1f{' <ok> node-3 0x2f' * times} <ok>"
                for times in (2, 3)
            ],
            ["inconsistent sets node-160 <hex> <ok><list>"],
        ),
        # Names of a kind, told apart by a number.
        (
            ["worker-1 took job 5", "worker-12 took job 7"],
            ["worker-<num> took job <num>"],
        ),
        (["speaks ssh2 from 10.0.0.1", "speaks ssh2 from 10.0.0.2"], ["speaks ssh2 from <ip>"]),
        # Little is said: what there is tells the messages apart.
        ([f"{user}" for user in USERS], sorted(USERS)),
        (["action.TIME_TICK", "action.SCREEN_ON"], ["action.SCREEN_ON", "action.TIME_TICK"]),
        ([""], ["<empty message>"]),
    ],
)
def test_messages_are_grouped_and_worded(messages: list[str], templates: list[str]) -> None:
    assert templates_of(messages) == templates


def some_messages(generator: random.Random, lines: int) -> list[str]:
    verbs = ("opened", "closed", "moved", "checked")
    things = ("session", "basket", "invoice", "query")
    messages = []
    for _ in range(lines):
        user, thing, verb = (generator.choice(some) for some in (USERS, things, verbs))
        number, ip = generator.randrange(10**6), f"10.0.{generator.randrange(9)}.1"
        messages.append(
            generator.choice(
                (
                    f"{thing} {number} {verb} for user {user} from {ip}",
                    f"{thing} was {verb} in {number} ms",
                    f"user {user} asked for {generator.randrange(4)} things: "
                    + ", ".join(
                        str(generator.randrange(99)) for _ in range(generator.randrange(1, 5))
                    ),
                    f"{thing} of {user}@shop.example is {verb}",
                )
            )
        )
    return messages


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_of_skeletons_does_not_matter(seed: int) -> None:
    generator = random.Random(seed)
    skeletons = skeletons_of(some_messages(generator, 600))
    expected = grouped(skeletons)
    for _ in range(3):
        generator.shuffle(skeletons)
        read.cache_clear()
        assert grouped(skeletons) == expected


def test_every_message_known_fits_the_template_of_its_group() -> None:
    generator = random.Random(9)
    skeletons = skeletons_of(some_messages(generator, 600))
    groups = grouped(skeletons)
    assert sorted(one for group in groups for one in group.skeleton_ids) == sorted(
        skeleton.id for skeleton in skeletons
    )
    examples = {skeleton.id: skeleton.examples for skeleton in skeletons}
    for group in groups:
        assert group.id in group.skeleton_ids
        for skeleton in group.skeleton_ids:
            for example in examples[skeleton]:
                assert values_at_places(group.template, example) is not None, (group, example)


@pytest.mark.parametrize("seed", [4, 5])
def test_ids_last_while_messages_are_added(seed: int) -> None:
    generator = random.Random(seed)
    messages = some_messages(generator, 1_200)
    groups: list[Group] = []
    for end in range(100, len(messages) + 1, 100):
        before = {one: group.id for group in groups for one in group.skeleton_ids}
        sizes = {group.id: len(group.skeleton_ids) for group in groups}
        groups = grouped(skeletons_of(messages[:end], groups))
        after = {one: group.id for group in groups for one in group.skeleton_ids}
        for former in sizes:
            # Its own skeleton is in a group of that id, or of a larger one that it joined.
            joined = after[former]
            assert joined == former or sizes[joined] >= sizes[former]
        followed = [after[one] == after[former] for one, former in before.items()]
        # Where a group is split, its id stays with its own skeleton: that is for the beginning,
        # when few messages are known.
        assert sum(followed) >= (0.7 if end <= 200 else 0.98) * len(followed)
    # Whatever the way here, the groups are those of all messages at once.
    at_once = {group.skeleton_ids for group in grouped(skeletons_of(messages))}
    assert {group.skeleton_ids for group in groups} == at_once


def test_more_examples_correct_a_template() -> None:
    first = grouped([Skeleton(7, ["build beta2 is done"])])
    assert first == [Group(7, (7,), "build beta2 is done")]
    more = grouped([Skeleton(7, ["build beta2 is done", "build beta3 is done"], 7)])
    assert more == [Group(7, (7,), "build beta<num> is done")]


def test_a_name_with_a_number_is_told_while_it_is_the_same_everywhere() -> None:
    lines = [
        f"INFO shop.OrderService#48 trace {trace} order {number} of cart {number + 7} packed"
        for number, trace in enumerate(("a1b2c3d4", "b2c3d4e5", "c3d4e5f6", "d4e5f6a7"), start=1)
    ]
    same = "INFO shop.OrderService#48 trace <id> order <num> of cart <num> packed"
    assert templates_of(lines) == [same]
    other = lines[0].replace("OrderService#48", "OrderService#63")
    assert templates_of([*lines, other]) == [same.replace("shop.OrderService#48", "<id>")]


def test_hostile_text_is_grouped_like_any_other() -> None:
    generator = random.Random(23)
    signs = "ab09 .:/\\-_@%<>()[]{}\"'=,+|#*~\t\nZé\u202e\u0000😀"
    texts = ["".join(generator.choices(signs, k=generator.randrange(200))) for _ in range(500)]
    texts += ["<num>" * 300, "<*>" * 300, "a 1 " * 2_000, "[" * 3_000, "1," * 2_000, "x#" * 900]
    for group in grouped([Skeleton(n, [text]) for n, text in enumerate(texts, 1)]):
        assert len(group.template) <= 2_000 and "\n" not in group.template
        text = texts[group.id - 1]
        is_alone = len(group.skeleton_ids) == 1 and len(read(text).pieces) <= MAX_PIECES
        if is_alone and text.strip():
            values = values_at_places(group.template, text)
            assert values is not None, (group.template, text)
            assert len(values) == len(kinds_of_places(group.template))


@pytest.mark.slow
def test_ten_thousand_skeletons_take_seconds() -> None:
    generator = random.Random(3)
    words = ["".join(generator.choices("ghijklmnopqrstuvwxyz", k=6)) for _ in range(3_000)]
    skeletons = [
        Skeleton(n, [" ".join(generator.choices(words, k=generator.randrange(3, 25)))])
        for n in range(1, 10_001)
    ]
    started = time.process_time()
    groups = grouped(skeletons)
    assert time.process_time() - started < 30
    assert sum(len(group.skeleton_ids) for group in groups) == 10_000


def test_a_word_with_a_number_stays_where_little_is_said() -> None:
    assert LEAST_WORDS == 2
    assert read("v1.2.3 ready").shape == ("v1.2.3", "ready")
    assert read("version v1.2.3 is ready").shape == ("version", "<*>", "is", "ready")

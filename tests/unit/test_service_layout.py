"""Where services stand on the map: the same every time, apart, and still when others come."""

import random
from collections.abc import Sequence
from itertools import combinations

import pytest

from logstream.show.services.layout.heights import SERVICE_HEIGHT
from logstream.show.services.layout.layers import layers, without_cycles
from logstream.show.services.layout.order import crossings, ordered
from logstream.show.services.layout.places import COLUMN, Layout, lay_out, lay_out_again
from tests.service_graphs import SHOP, Call, company, tickets

LONE = ("cron-cleaner", "legacy-importer", "mail-archive")
SYSTEMS = pytest.mark.parametrize(
    "calls", [SHOP, tickets(), company()], ids=["5", "about 45", "about 200"]
)


def overlapping(layout: Layout) -> list[tuple[str, str]]:
    return [
        (one, other)
        for (one, a), (other, b) in combinations(layout.places.items(), 2)
        if abs(a.x - b.x) < COLUMN and abs(a.y - b.y) < SERVICE_HEIGHT - 1
    ]


def shuffled(items: Sequence[Call], chance: random.Random) -> list[Call]:
    return chance.sample(items, len(items))


@SYSTEMS
def test_the_order_in_which_services_come_does_not_matter(calls: list[Call]) -> None:
    seed = random.randrange(10**6)
    print("seed", seed)
    chance = random.Random(seed)
    first = lay_out(LONE, calls)
    again = lay_out(reversed(LONE), shuffled(calls, chance))
    assert first == again


@SYSTEMS
def test_no_two_services_overlap(calls: list[Call]) -> None:
    layout = lay_out(LONE, calls)
    assert set(layout.places) == {name for call in calls for name in call} | set(LONE)
    assert overlapping(layout) == []


def test_callers_stand_at_the_left_of_whom_they_call() -> None:
    places = lay_out([], SHOP).places
    assert all(places[source].x < places[target].x for source, target in SHOP)
    # gateway, then cart and checkout, then payment and orders-db.
    assert {place.x for place in places.values()} == {0, COLUMN, 2 * COLUMN}


def test_a_circle_of_calls_is_drawn_with_one_call_backwards() -> None:
    circle = [("web", "orders"), ("orders", "stock"), ("stock", "orders"), ("orders", "orders")]
    assert without_cycles(circle) == [("orders", "stock"), ("web", "orders")]
    places = lay_out([], circle).places
    assert places["web"].x < places["orders"].x < places["stock"].x


def test_a_service_that_nobody_calls_stands_beside_the_first_one_it_calls() -> None:
    calls = [("web", "orders"), ("orders", "stock"), ("stock", "stock-db"), ("nightly", "stock-db")]
    placed = layers(calls, most=10)
    assert placed == {"web": 0, "orders": 1, "stock": 2, "nightly": 2, "stock-db": 3}


def test_a_layer_holds_no_more_than_it_may() -> None:
    # One that calls 30 others, at most 8 to a layer: 1, then 8 + 8 + 8 + 6.
    placed = layers([("web", f"service-{number:02}") for number in range(30)], most=8)
    counts = [list(placed.values()).count(layer) for layer in range(5)]
    assert counts == [1, 8, 8, 8, 6]


def test_arrows_are_uncrossed_where_they_can_be() -> None:
    pairs = [("a", "z"), ("b", "y"), ("c", "x")]
    after = {source: [target] for source, target in pairs}
    # By name all three cross one another: a-z over b-y, a-z over c-x, b-y over c-x.
    assert crossings([["a", "b", "c"], ["x", "y", "z"]], after) == 3
    assert crossings(ordered([["a", "b", "c"], ["x", "y", "z"]], pairs), after) == 0


def test_a_long_call_passes_every_layer_between_in_a_lane_of_its_own() -> None:
    calls = [("web", "orders"), ("orders", "stock"), ("stock", "stock-db"), ("web", "stock-db")]
    layout = lay_out([], calls)
    way = layout.points["web", "stock-db"]
    assert [x for x, _ in way] == [COLUMN, 2 * COLUMN]
    for x, y in way:
        beside = [place.y for place in layout.places.values() if place.x == x]
        assert all(abs(y - other) >= SERVICE_HEIGHT / 2 for other in beside)


def test_lone_services_stand_in_rows_beneath_the_others() -> None:
    places = lay_out(LONE, SHOP).places
    lowest = max(places[name].y for call in SHOP for name in call)
    assert {places[name].y for name in LONE} == {places[LONE[0]].y}
    assert places[LONE[0]].y > lowest + SERVICE_HEIGHT
    assert [places[name].x for name in LONE] == [0, COLUMN, 2 * COLUMN]
    assert all(places[name].is_lone for name in LONE)


@SYSTEMS
def test_nobody_moves_when_one_more_service_comes(calls: list[Call]) -> None:
    before = lay_out(LONE, calls)
    caller = calls[len(calls) // 2][0]
    after = lay_out_again(before, LONE, [*calls, (caller, "new-service")])
    assert {name: after.places[name] for name in before.places} == before.places
    assert after.places["new-service"].x == before.places[caller].x + COLUMN
    assert overlapping(after) == []


def test_a_service_that_is_gone_for_a_while_comes_back_to_its_place() -> None:
    before = lay_out(LONE, tickets())
    without = [call for call in tickets() if "ts-food-service" not in call]
    gone = lay_out_again(before, LONE, without)
    assert lay_out_again(gone, LONE, tickets()).places == before.places


def test_a_lone_service_that_calls_somebody_leaves_its_row() -> None:
    before = lay_out(LONE, SHOP)
    after = lay_out_again(before, LONE, [*SHOP, ("checkout", "mail-archive")])
    assert after.places["mail-archive"].x == before.places["checkout"].x + COLUMN
    assert not after.places["mail-archive"].is_lone
    assert after.places["cron-cleaner"] == before.places["cron-cleaner"]
    assert overlapping(after) == []


def test_another_system_altogether_is_laid_out_anew() -> None:
    before = lay_out([], SHOP)
    assert lay_out_again(before, [], tickets()).places == lay_out([], tickets()).places


def test_groups_that_have_nothing_to_do_with_each_other_do_not_mix() -> None:
    mail = [("mailer", "mail-queue")]
    layout = lay_out([], [*SHOP, *mail])
    assert overlapping(layout) == []
    assert min(layout.places[name].y for name in ("mailer", "mail-queue")) > max(
        layout.places[name].y for call in SHOP for name in call
    )


def test_names_may_be_anything() -> None:
    names = ["<img src=x onerror=alert(1)>", "עברית", "a" * 5_000, " ", "from 1", "\u202eabc"]
    layout = lay_out(names, [(names[0], names[1]), (names[1], names[2]), (names[2], names[0])])
    assert set(layout.places) == set(names)
    assert overlapping(layout) == []


def test_nothing_is_laid_out_of_nothing() -> None:
    assert lay_out([], []) == Layout()
    assert lay_out_again(Layout(), [], []) == Layout()

"""What of the map is shown around one service."""

from logstream.show.services.neighbourhood import Focus, around, in_order
from logstream.trace_port import ServiceEdge, ServiceMap, ServiceNode
from tests.service_graphs import SHOP


def edge(source: str, target: str) -> ServiceEdge:
    return ServiceEdge(source, target, "call", 10, 0, None)


# gateway calls cart and checkout, checkout calls payment and orders-db.
NAMES = ("payment", "orders-db", "gateway", "checkout", "cart")
MAP = in_order(
    ServiceMap(
        [ServiceNode(name, "service", 10, 0, None) for name in NAMES],
        [edge(*call) for call in SHOP],
    )
)


def shown(focus: Focus) -> tuple[list[str], dict[str, int]]:
    found, hidden = around(MAP, focus)
    return [node.service for node in found.nodes], hidden


def test_the_order_is_that_of_names() -> None:
    assert [node.service for node in MAP.nodes] == sorted(NAMES)
    assert [(one.source, one.target) for one in MAP.edges] == sorted(SHOP)


def test_one_step_goes_to_callers_and_callees() -> None:
    # Of gateway another neighbour is left out: cart.
    assert shown(Focus("checkout")) == (
        ["checkout", "gateway", "orders-db", "payment"],
        {"gateway": 1},
    )


def test_two_steps_go_to_their_neighbours_too() -> None:
    assert shown(Focus("checkout", 2)) == (
        ["cart", "checkout", "gateway", "orders-db", "payment"],
        {},
    )


def test_a_neighbour_that_is_expanded_brings_its_own() -> None:
    assert shown(Focus("payment"))[0] == ["checkout", "payment"]
    names, hidden = shown(Focus("payment", 1, ("checkout",)))
    assert names == ["checkout", "gateway", "orders-db", "payment"]
    assert hidden == {"gateway": 1}


def test_who_is_not_shown_cannot_be_expanded() -> None:
    assert shown(Focus("payment", 1, ("cart",)))[0] == ["checkout", "payment"]


def test_calls_are_shown_between_those_that_are() -> None:
    found, _ = around(MAP, Focus("cart"))
    assert [(one.source, one.target) for one in found.edges] == [("gateway", "cart")]


def test_around_an_unknown_service_there_is_nothing() -> None:
    assert shown(Focus("nobody")) == ([], {})

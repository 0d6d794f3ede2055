"""Names of services that share words, as those of a train ticket shop do."""

import pytest

from logstream.explain.ask import Understood, Vocabulary, interpret
from tests.unit.explain.shop_vocabulary import BERLIN, NOW

NAMES = (
    *("ts-payment-service", "ts-inside-payment-service", "ts-order-service", "ts-user-service"),
    *("ts-order-other-service", "ts-travel-service", "ts-travel2-service", "ts-food-service"),
    *("ts-food-map-service", "ts-notification-service", "mysql", "mongodb", "rabbitmq"),
)
TICKETS = Vocabulary(services={"prod": {name: 100 - at for at, name in enumerate(NAMES)}})


def services_in(question: str) -> Understood:
    reading = interpret(question, TICKETS, now=NOW, zone=BERLIN)
    found = [one for one in reading.understood if one.field == "service"]
    assert reading.log_filter.service.only == (found[0].values if found else ())
    return found[0] if found else Understood("", "service", (), "")


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("payment errors", ("ts-payment-service",)),
        ("inside payment problems", ("ts-inside-payment-service",)),
        ("errors in the order service", ("ts-order-service",)),
        ("errors in ts-order-other-service", ("ts-order-other-service",)),
        ("travel warnings", ("ts-travel-service",)),
        ("travel2 warnings", ("ts-travel2-service",)),
        ("food map errors", ("ts-food-map-service",)),
        ("user errors", ("ts-user-service",)),
        ("notifcation errors", ("ts-notification-service",)),
        ("ts-paymnt-service", ("ts-payment-service",)),
        ("queue problems", ("rabbitmq",)),
        ("ts-food* errors", ("ts-food-service", "ts-food-map-service")),
        # A common word is no service where it does not stand like a name.
        ("users who could not log in", ()),
        ("invalid users", ()),
        # A number is never a slip of another one.
        ("travel3 warnings", ()),
    ],
)
def test_a_name_said_in_part_finds_its_service(question: str, names: tuple[str, ...]) -> None:
    assert services_in(question).values == names


def test_others_that_fit_are_named() -> None:
    assert services_in("payment errors").alternatives == ("ts-inside-payment-service",)
    assert services_in("database errors").alternatives == ("mongodb",)
    assert services_in("database errors").sure == "guess"


def test_an_unknown_service_is_said() -> None:
    reading = interpret("errors of service billing", TICKETS, now=NOW, zone=BERLIN)
    assert reading.log_filter.service.only == ()
    assert reading.not_understood == ("billing",)
    assert any("no service is called “billing”" in note for note in reading.notes)

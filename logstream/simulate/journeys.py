"""What the shop's services do for a request: which operation calls which.

An operation works a little, takes its steps one after the other (the calls of one step run
side by side), works a little again after each, and answers.
"""

import re
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Call:
    """A call to another operation; an optional one may fail without harm."""

    target: str
    chance: float = 1.0
    timeout_ms: float = 2_000.0
    retries: int = 1
    is_optional: bool = False


@dataclass(frozen=True)
class Operation:
    """One thing a service does. `own_ms` is the median of its own work, without its calls."""

    name: str
    own_ms: float
    steps: tuple[tuple[Call, ...], ...] = ()
    http: str = ""
    done_share: float = 1.0
    fail_share: float = 0.031
    refuse_share: float = 0.0
    refuse_status: int = 400
    attributes: tuple[tuple[str, str], ...] = ()
    follow_ups: tuple[tuple[str, float], ...] = ()

    @property
    def service(self) -> str:
        """The service that does it."""
        return self.name.partition(" ")[0]

    @property
    def method(self) -> str:
        """The HTTP method, empty when it is not HTTP."""
        return self.http.partition(" ")[0]

    @property
    def path(self) -> str:
        """The HTTP path with `{sku}`-like places."""
        return self.http.partition(" ")[2]

    @property
    def route(self) -> str:
        """The HTTP route: the path with its places named `:sku`."""
        return re.sub(r"\{(\w+)\}", r":\1", self.path.partition("?")[0])


_SQL = (("db.system.name", "postgresql"), ("db.namespace", "shop"))
_QUEUE = (("messaging.system", "kafka"), ("messaging.destination.name", "orders"))


def _one(*calls: Call) -> tuple[tuple[Call, ...], ...]:
    """Each call a step of its own."""
    return tuple((call,) for call in calls)


def _page(name: str, http: str, *calls: Call, own_ms: float = 14) -> Operation:
    return Operation(f"web-frontend {name}", own_ms, (calls,), http)


def _api(name: str, http: str, *steps: tuple[Call, ...]) -> Operation:
    return Operation(f"api-gateway {name}", 2.5, steps, http)


def _verify() -> tuple[Call, ...]:
    return (Call("auth verify", timeout_ms=500),)


def _db(name: str, own_ms: float) -> Operation:
    return Operation(f"orders-db {name}", own_ms, done_share=0.55, attributes=_SQL)


_OPERATIONS = (
    _page("home", "GET /", Call("api-gateway home", timeout_ms=6_000)),
    _page("product", "GET /p/{sku}", Call("api-gateway product", timeout_ms=6_000)),
    _page("search", "GET /search?q={query}", Call("api-gateway search", timeout_ms=6_000)),
    _page("cart", "POST /cart/items", Call("api-gateway cart", timeout_ms=6_000), own_ms=8),
    _page(
        "checkout",
        "POST /checkout",
        Call("api-gateway checkout", timeout_ms=15_000, retries=0),
        own_ms=18,
    ),
    _page("login", "POST /login", Call("api-gateway login", timeout_ms=6_000), own_ms=7),
    _page("track", "GET /orders/{order}", Call("api-gateway track", timeout_ms=6_000)),
    _api(
        "home",
        "GET /v1/home",
        (
            Call("recommendations for-user", timeout_ms=800, retries=0, is_optional=True),
            Call("user-profile load", 0.6, is_optional=True),
            Call("catalog product"),
        ),
    ),
    _api(
        "product",
        "GET /v1/products/{sku}",
        (
            Call("catalog product"),
            Call("inventory stock", 0.8, timeout_ms=1_500, is_optional=True),
            Call("recommendations for-user", 0.5, 800, 0, is_optional=True),
        ),
    ),
    _api("search", "GET /v1/search", (Call("search query"),)),
    _api("cart", "POST /v1/cart/items", _verify(), (Call("cart add", timeout_ms=4_000),)),
    _api(
        "checkout",
        "POST /v1/checkout",
        _verify(),
        (Call("checkout place", timeout_ms=14_000, retries=0),),
    ),
    _api("login", "POST /v1/sessions", (Call("auth login"),)),
    _api(
        "track",
        "GET /v1/orders/{order}",
        _verify(),
        (
            Call("orders status", timeout_ms=4_000),
            Call("shipping track", 0.6, is_optional=True),
        ),
    ),
    Operation(
        "auth login",
        62,
        _one(Call("user-profile load", is_optional=True)),
        "POST /sessions",
        refuse_share=0.07,
        refuse_status=401,
    ),
    Operation("auth verify", 1.8, refuse_share=0.01, refuse_status=401, done_share=0.5),
    Operation("catalog product", 7, _one(Call("pricing quote", 0.7)), "GET /products/{sku}"),
    Operation("search query", 38, _one(Call("pricing quote", 0.5)), "GET /search"),
    Operation(
        "cart add",
        5,
        _one(Call("inventory stock", timeout_ms=1_500), Call("pricing quote")),
        "POST /carts/{cart}/items",
        refuse_share=0.012,
        refuse_status=409,
    ),
    Operation(
        "checkout place",
        16,
        (
            (Call("cart add"), Call("user-profile load", is_optional=True)),
            (Call("inventory reserve", timeout_ms=2_500), Call("shipping quote")),
            (Call("pricing quote"),),
            (Call("payment-gateway charge", timeout_ms=3_000),),
            (Call("orders create", timeout_ms=4_000),),
        ),
        "POST /orders",
        follow_ups=(("notification confirm", 1.0), ("shipping label", 0.9)),
    ),
    Operation(
        "payment-gateway charge",
        165,
        http="POST /payments",
        refuse_share=0.03,
        refuse_status=402,
    ),
    Operation("inventory stock", 4, http="GET /stock", refuse_share=0.005, refuse_status=409),
    Operation("inventory reserve", 9, http="POST /reservations", refuse_share=0.008),
    Operation(
        "orders create",
        9,
        _one(Call("orders-db insert"), Call("orders-db outbox")),
        "POST /orders",
    ),
    Operation("orders status", 4, _one(Call("orders-db select")), "GET /orders/{order}"),
    _db("insert", 5),
    _db("outbox", 2),
    _db("select", 2.5),
    _db("batch", 24),
    Operation("shipping quote", 21, http="POST /quotes"),
    Operation("shipping label", 140, attributes=_QUEUE, follow_ups=(("notification parcel", 0.8),)),
    Operation("shipping track", 18),
    Operation("notification confirm", 85, attributes=_QUEUE),
    Operation("notification parcel", 60, attributes=_QUEUE),
    Operation("recommendations for-user", 26, http="GET /recommendations", done_share=0.8),
    Operation("pricing quote", 2.2, done_share=0.6),
    Operation("user-profile load", 4.5, http="GET /profiles/{user}"),
    Operation(
        "batch-jobs run",
        220,
        _one(Call("orders-db batch", timeout_ms=20_000), Call("orders-db batch", 0.6, 20_000)),
    ),
)
OPERATIONS = {operation.name: operation for operation in _OPERATIONS}

JOURNEYS = (
    ("web-frontend home", 18),
    ("web-frontend product", 22),
    ("web-frontend search", 18),
    ("web-frontend cart", 12),
    ("web-frontend checkout", 13),
    ("web-frontend login", 7),
    ("web-frontend track", 7),
    ("batch-jobs run", 2),
)


@cache
def expected_ms(name: str) -> float:
    """The usual length of an operation: its own work and the slowest call of each step."""
    operation = OPERATIONS[name]
    return operation.own_ms + sum(
        max(expected_ms(call.target) for call in step) for step in operation.steps
    )

"""The values that messages are filled with: shoppers, orders, SKUs, hosts, numbers.

All people and addresses are invented: user numbers, `shop.example` mailboxes, and client
addresses from the documentation ranges of RFC 5737.
"""

import bisect
import itertools
from collections.abc import Callable
from random import Random
from typing import Any

USERS = 20_000
SKUS = 5_000
_PLACES = (
    ("DE", "de-DE", "EUR", ("Berlin", "Hamburg", "Munich", "Leipzig")),
    ("GB", "en-GB", "GBP", ("London", "Leeds", "Bristol", "Glasgow")),
    ("FR", "fr-FR", "EUR", ("Paris", "Lyon", "Nantes", "Lille")),
    ("US", "en-US", "USD", ("Austin", "Denver", "Boston", "Seattle")),
    ("NL", "nl-NL", "EUR", ("Utrecht", "Rotterdam", "Breda")),
    ("PL", "pl-PL", "PLN", ("Warsaw", "Gdansk", "Poznan")),
)
_AGENTS = (
    ("desktop", "Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0"),
    ("desktop", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/139.0.0.0 Safari/537.36"),
    ("iphone", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Safari/604.1"),
    ("android", "Mozilla/5.0 (Linux; Android 15; Pixel 9) Chrome/139.0.0.0 Mobile Safari/537.36"),
)
_QUERIES = (
    *("winter jacket", "running shoes 44", "usb-c cable", "coffee grinder", "desk lamp"),
    *("kids raincoat", "hdmi 2.1", "yoga mat", "wool socks", "cast iron pan"),
    *("mechanical keyboard", "tent 2 person", "board game", "phone case", "garden hose"),
)
_CATEGORIES = ("outdoor", "kitchen", "electronics", "shoes", "toys", "garden", "lighting")
_SQL = (
    "INSERT INTO orders (id, user_id, total, currency) VALUES ($1, $2, $3, $4)",
    "SELECT * FROM orders WHERE id = $1",
    "UPDATE orders SET state = $2, updated_at = now() WHERE id = $1",
    "SELECT id, state, total FROM orders WHERE user_id = $1 ORDER BY created_at DESC LIMIT 20",
    "INSERT INTO outbox (topic, payload) VALUES ($1, $2)",
)
_JOBS = ("settle-payments", "expire-carts", "rebuild-sitemap", "sync-prices", "archive-orders")
_FLAGS = ("new-checkout", "ranking-v3", "one-click-reorder", "dark-mode", "split-shipping")


def _zipf(count: int, exponent: float) -> list[float]:
    return list(itertools.accumulate((rank + 1) ** -exponent for rank in range(count)))


_USER_WEIGHTS = _zipf(USERS, 0.9)
_SKU_WEIGHTS = _zipf(SKUS, 1.0)


def zipf_rank(weights: list[float], rng: Random) -> int:
    """A rank from 0, low ranks most often, by the accumulated weights."""
    return bisect.bisect_left(weights, rng.random() * weights[-1])


def _choice(*values: str) -> Callable[[Random], str]:
    return lambda rng: values[int(rng.random() * len(values))]


def _between(low: int, high: int) -> Callable[[Random], int]:
    span = high - low + 1
    return lambda rng: low + int(rng.random() * span)


def _hex(digits: int) -> Callable[[Random], str]:
    return lambda rng: f"{rng.getrandbits(4 * digits):0{digits}x}"


def _sku(rng: Random) -> str:
    return f"SKU-{10_000 + zipf_rank(_SKU_WEIGHTS, rng) * 7}"


def _money(rng: Random) -> str:
    return f"{4 + rng.expovariate(1 / 60):.2f}"


DRAWS: dict[str, Callable[[Random], Any]] = {
    "n": _between(2, 60),
    "small": _between(1, 9),
    "big": _between(1_000, 90_000),
    "rows": _between(20, 4_000),
    "kb": _between(24, 900),
    "bytes": _between(600, 64_000),
    "pct": _between(11, 96),
    "limit": lambda rng: 600,
    "card": _between(1000, 9999),
    "code": _choice("05", "51", "54", "61", "91"),
    "process": _between(300, 420),
    "process_other": _between(421, 500),
    "pause": _between(900, 4_200),
    "kid": _hex(8),
    "revision": _hex(7),
    "address": lambda rng: f"10.2.{int(rng.random() * 8)}.{2 + int(rng.random() * 250)}",
    "node": lambda rng: f"10-2-{int(rng.random() * 8)}-{2 + int(rng.random() * 250)}",
    "shard": _between(0, 5),
    "warehouse": _choice("LEJ1", "HAM2", "LBA4", "LIL1"),
    "acquirer": _choice("nordpay", "acquiro", "cardlane"),
    "scheme": _choice("visa", "mastercard", "amex"),
    "carrier": _choice("parcelio", "swiftpost", "dhx", "eastway"),
    "carrier_sms": _choice("textwire", "smsgate"),
    "flag": _choice(*_FLAGS),
    "flag_state": _choice("true", "true", "false"),
    "client": _choice("ios-app/7.2", "android-app/7.0", "partner-feed/2"),
    "referer": _choice("-", "https://shop.example/", "https://search.example/"),
    "category": _choice(*_CATEGORIES),
    "sku": _sku,
    "query_other": _choice(*_QUERIES),
    "total_other": _money,
    "sql": _choice(*_SQL),
    "fx": _choice("GBP", "USD", "PLN", "SEK", "CHF"),
    "job": _choice(*_JOBS),
    "order_state": _choice("CONFIRMED", "PACKED", "SHIPPED", "DELIVERED"),
    "parcel_state": _choice("in transit", "out for delivery", "delivered", "at depot"),
    "upstream_any": _choice("catalog", "search", "cart", "checkout", "orders"),
    "service_any": _choice("catalog", "search", "cart", "pricing", "shipping"),
    "pod_any": lambda rng: (
        f"{_choice('catalog', 'search', 'cart', 'pricing')(rng)}-"
        f"{rng.getrandbits(36):09x}-{rng.getrandbits(20):05x}"
    ),
    "scaled": _choice("web-frontend", "api-gateway", "catalog", "search"),
    "shipment": lambda rng: f"SHP{rng.getrandbits(32):010d}",
}


class Facts(dict[str, Any]):
    """What a request knows (user, order, cart …); any other name of DRAWS is drawn anew."""

    def __init__(self, rng: Random) -> None:
        super().__init__()
        self._rng = rng

    def __missing__(self, name: str) -> Any:
        return DRAWS[name](self._rng)


def shopper(rng: Random, order_number: int) -> Facts:
    """The facts of one shopper's request; the same user always lives in the same place."""
    facts = Facts(rng)
    rank = zipf_rank(_USER_WEIGHTS, rng)
    number = rank * 7_919 % USERS
    country, locale, currency, cities = _PLACES[number % len(_PLACES)]
    device, agent = _AGENTS[number // 7 % len(_AGENTS)]
    octet = ("192.0.2", "198.51.100", "203.0.113")[number % 3]
    facts.update(
        user=f"u-{100_000 + number}",
        email=f"u{100_000 + number}@mail.shop.example",
        country=country,
        locale=locale,
        currency=currency,
        city=cities[number // 5 % len(cities)],
        device=device,
        agent=agent,
        ip=f"{octet}.{number % 254 + 1}",
        segment=("new", "regular", "regular", "vip")[number % 4],
        session=f"{rng.getrandbits(40):010x}",
        sku=_sku(rng),
        order=f"ORD-{2_400_000 + order_number}",
        cart=f"c{rng.getrandbits(32):08x}",
        payment=f"pay_{rng.getrandbits(48):012x}",
        saga=f"{rng.getrandbits(32):08x}",
        tracking=f"TRK{rng.getrandbits(36):011d}",
        items=1 + int(rng.expovariate(0.6)),
        total=_money(rng),
        query=_QUERIES[int(rng.random() ** 2 * len(_QUERIES))],
        coupon=("WINTER10", "HELLO5", "VIP15")[number % 3],
    )
    return facts

"""A shop's requests as Zipkin spans and log lines, with numbers that tests know by heart."""

from datetime import datetime, timedelta
from typing import Any

# Every tenth checkout asks another payment provider, which is slow; every 25th fails.
REQUESTS, SLOW_EVERY, FAILED_EVERY = 250, 10, 25
PROVIDERS = ("acme-pay", "slowbank")
Sent = list[dict[str, Any]]


def trace_id(number: int) -> str:
    """The id of the request with this number."""
    return f"{number + 1:032x}"


def shop_requests(start: datetime, count: int = REQUESTS) -> Sent:
    """One request every two seconds: even ones look at a cart (20 to 69 ms), odd ones check out.

    Even: storefront → cart → redis, three spans. Odd: storefront → payment → provider, four
    spans, 100 ms, or 900 to 924 ms with the slow provider; the failed ones fail in payment.
    """
    spans: Sent = []
    for number in range(count):
        at = start + timedelta(seconds=2 * number)
        if number % 2 == 0:
            spans += _cart(number, at)
        else:
            spans += _checkout(number, at)
    return spans


def shop_lines(start: datetime, count: int = REQUESTS) -> Sent:
    """Two log lines of each request, on its first and second span; failed ones with an error."""
    lines: Sent = []
    for number in range(count):
        at = start + timedelta(seconds=2 * number)
        failed = is_failed(number)
        for place, (service, words) in enumerate(
            (
                ("storefront", f"request {number} begins"),
                ("payment" if number % 2 else "cart", f"step of request {number}"),
            )
        ):
            lines.append(
                {
                    "source": service,
                    "message": words if not (failed and place) else f"provider refused {number}",
                    "severity": "error" if failed and place else "info",
                    "timestamp": (at + timedelta(milliseconds=1 + place)).isoformat(),
                    "traceId": trace_id(number),
                    "spanId": _span_id(number, place),
                }
            )
    return lines


def is_slow(number: int) -> bool:
    """Whether the slow provider was asked."""
    return number % SLOW_EVERY == 1


def is_failed(number: int) -> bool:
    """Whether it failed."""
    return number % FAILED_EVERY == 1


def _cart(number: int, at: datetime) -> Sent:
    length = 20 + number // 2 % 50
    return [
        _span(number, 0, None, "SERVER", "storefront", "GET /cart/{id}", at, 0, length),
        _span(number, 1, 0, "SERVER", "cart", "Cart.Get", at, 2, length - 4),
        _span(number, 2, 1, "CLIENT", "cart", "redis GET", at, 4, length - 10),
    ]


def _checkout(number: int, at: datetime) -> Sent:
    length = 900 + number // 10 if is_slow(number) else 100
    tags = {"payment.provider": PROVIDERS[is_slow(number)], "shop.region": "eu"}
    if is_failed(number):
        tags["error"] = "card declined"
    return [
        _span(number, 0, None, "SERVER", "storefront", "POST /checkout", at, 0, length, tags),
        _span(number, 1, 0, "SERVER", "payment", "Payment.Charge", at, 5, length - 10, tags),
        _span(number, 2, 1, "CLIENT", "payment", "provider", at, 10, length - 20),
        _span(number, 3, 0, "PRODUCER", "storefront", "mail send", at, length - 4, 3),
    ]


def _span_id(number: int, place: int) -> str:
    return f"{number * 10 + place + 1:016x}"


def _span(
    number: int,
    place: int,
    parent: int | None,
    kind: str,
    service: str,
    name: str,
    at: datetime,
    offset_ms: int,
    length_ms: int,
    tags: dict[str, str] | None = None,
) -> dict[str, Any]:
    begin = at + timedelta(milliseconds=offset_ms)
    span: dict[str, Any] = {
        "traceId": trace_id(number),
        "id": _span_id(number, place),
        "kind": kind,
        "name": name,
        "timestamp": int(begin.timestamp() * 1_000_000),
        "duration": length_ms * 1000,
        "localEndpoint": {"serviceName": service},
        "tags": tags or {},
    }
    if parent is not None:
        span["parentId"] = _span_id(number, parent)
    return span

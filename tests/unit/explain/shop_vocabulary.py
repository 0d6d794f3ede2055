"""The vocabulary of a small shop, as `read_vocabulary` would give it."""

from datetime import datetime
from zoneinfo import ZoneInfo

from logstream.explain.ask import KnownAttribute, KnownPattern, Vocabulary

BERLIN = ZoneInfo("Europe/Berlin")
# A Monday in winter: Berlin is an hour ahead of UTC.
NOW = datetime(2026, 11, 30, 14, 30, tzinfo=BERLIN)

SERVICES = {
    "prod": {
        **{"payment-gateway": 900, "checkout": 800, "cart": 700, "auth": 600, "orders": 500},
        **{"api-gateway": 450, "orders-db": 300, "inventory": 200, "notification": 150},
        **{"search": 120, "error": 20, "all": 10, "last": 5},
    },
    "staging": {"checkout": 40, "payment-gateway": 30},
}
_PATTERNS = (
    ("payment-gateway", "error", "Card declined for order <num>: <word>"),
    ("payment-gateway", "warn", "Acquirer <word> answered after <duration>"),
    ("payment-gateway", "error", "Connection reset by peer while calling <word>"),
    ("checkout", "info", "Order <num> packed in <duration>"),
    ("checkout", "error", "Call to <word> failed after <num> ms (deadline exceeded)"),
    ("checkout", "debug", "GET /healthz <num> kube-probe/<word>"),
    ("cart", "info", "cart <id> updated user=<id> items=<num>"),
    ("cart", "warn", "Cannot add <id> to cart <id>: only <num> left"),
    ("auth", "warn", "Login failed for <email> from <ip>: wrong password"),
    ("auth", "info", "Login succeeded for user <id> from <ip>"),
    ("auth", "error", "signing key <id> not found in JWKS after refresh"),
    ("orders", "info", "Reservation for order <num> created"),
    ("orders", "error", "Duplicate order <num> rejected"),
    ("orders-db", "warn", "duration: <num> ms statement: SELECT <word>"),
    ("orders-db", "fatal", "could not write to file <path>: No space left on device"),
    ("api-gateway", "error", "Circuit breaker for <word> opened: <num> of calls failed"),
    ("api-gateway", "info", "Circuit breaker for <word> closed"),
    ("inventory", "warn", "Low stock for sku <id>: <num> left"),
    ("notification", "info", "Confirmation mail sent to <email>"),
    ("search", "info", 'search query="<word>" hits=<num> took=<duration>'),
    ("search", "debug", "cache MISS for shard <num>"),
)
_ATTRIBUTES = (
    KnownAttribute("user.id", 900, "text", (("4711", 12), ("ann", 3))),
    KnownAttribute("order.id", 500, "text", (("1001", 2),)),
    KnownAttribute("host.name", 2000, "text", (("orders-db-0", 300), ("node-17", 200))),
    KnownAttribute("cloud.region", 2000, "text", (("eu-west-1", 900), ("eu-central-1", 800))),
    KnownAttribute("http.response.status_code", 800, "number", (("200", 700), ("503", 20))),
    KnownAttribute("http.request.method", 800, "text", (("GET", 500), ("POST", 300))),
    KnownAttribute("http.route", 800, "text", (("/cart/{id}", 200),)),
    KnownAttribute("retries", 50, "number", (("1", 40),)),
    KnownAttribute("error.type", 30, "text", (("timeout", 20),)),
    KnownAttribute("service.version", 2000, "text", (("4.12.3", 100),)),
)
VOCABULARY = Vocabulary(
    services=SERVICES,
    patterns=[
        KnownPattern(number, template, template, 10, (service,), (severity,))
        for number, (service, severity, template) in enumerate(_PATTERNS, 1)
    ],
    attributes=_ATTRIBUTES,
    aliases={"psp": "payment-gateway", "acquiring": "Acquirer", "night job": "service:orders"},
)

"""Who calls whom in three systems: a shop of 5, a ticket office of 45, a company of 200."""

import random

Call = tuple[str, str]

SHOP: list[Call] = [
    ("gateway", "cart"),
    ("gateway", "checkout"),
    ("checkout", "payment"),
    ("checkout", "orders-db"),
]

_TICKETS = {
    "ts-gateway": "ts-ui travel travel2 travel-plan preserve preserve-other order order-other user "
    "auth verification-code route station train price basic config contacts food assurance "
    "consign inside-payment rebook cancel execute admin-order admin-route admin-travel "
    "admin-user admin-basic-info notification security",
    "travel": "basic seat route train order ticketinfo",
    "travel2": "basic seat route train order-other ticketinfo",
    "travel-plan": "route-plan travel travel2 seat ticketinfo",
    "route-plan": "route travel travel2 station",
    "ticketinfo": "basic",
    "basic": "station train route price",
    "seat": "order order-other config travel",
    "preserve": "contacts assurance security food consign station travel order seat user "
    "notification ticketinfo",
    "preserve-other": "contacts assurance security food consign station travel2 order-other seat "
    "user notification ticketinfo",
    "order": "station",
    "order-other": "station",
    "food": "food-map travel station",
    "consign": "consign-price",
    "inside-payment": "order order-other payment",
    "rebook": "seat travel travel2 order order-other station inside-payment",
    "cancel": "notification inside-payment order order-other user",
    "execute": "order order-other",
    "admin-order": "order order-other",
    "admin-route": "route",
    "admin-travel": "travel travel2",
    "admin-user": "user",
    "admin-basic-info": "station train config price contacts",
    "security": "order order-other",
    "user": "auth",
    "auth": "verification-code",
    "notification": "mail-queue",
    "delivery": "mail-queue",
    "order-db": "",
}
_DATABASES = ("order", "user", "station", "train", "route", "price", "auth", "food-map")


def tickets() -> list[Call]:
    """About 45 services, as those of TrainTicket call each other: dense, with circles."""
    calls = [
        (_full(source), _full(target))
        for source, targets in _TICKETS.items()
        for target in targets.split()
    ]
    return calls + [(_full(name), f"{name}-mongo") for name in _DATABASES]


def company(seed: int = 7) -> list[Call]:
    """About 200: front ends, teams with services of their own, what all call, some circles."""
    chance = random.Random(seed)
    teams = ("billing", "search", "stock", "mail", "users", "orders", "media", "risk", "reports")
    tiers = [
        [f"{team}-{kind}" for team in teams for kind in kinds.split()]
        for kinds in ("web app", "api admin-api jobs", "core rules import export sync", "cache-api")
    ]
    databases = [f"{team}-{kind}" for team in teams for kind in ("db", "replica", "queue", "index")]
    extra = [[f"{name}-{number}" for name in tier[::2] for number in (2, 3)] for tier in tiers]
    tiers = [tier + more for tier, more in zip(tiers, extra, strict=True)]
    calls = [("edge-proxy", name) for name in tiers[0]]
    for depth, tier in enumerate(tiers):
        for name in tier:
            deeper = [one for below in tiers[depth + 1 :] for one in below] or databases
            own = [one for one in deeper if one.split("-")[0] == name.split("-")[0]] or deeper
            calls += [
                (name, chance.choice(own if chance.random() < 0.75 else deeper))
                for _ in range(chance.choice((1, 1, 2, 2, 3)))
            ]
            if depth >= 2:
                calls.append((name, chance.choice(databases)))
            if chance.random() < 0.05:
                calls.append((name, chance.choice(tier)))
            if chance.random() < 0.15:
                calls.append((name, "accounts"))
    return sorted({(source, target) for source, target in calls if source != target})


def _full(name: str) -> str:
    return (
        name if name.startswith("ts-") or name.endswith(("-queue", "-db")) else f"ts-{name}-service"
    )

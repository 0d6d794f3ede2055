"""Words of the trade that mean the same.

`WORDS`: single words, one for another. `IDIOMS`: what people ask for, and the words that
programs write for it. `SERVICE_WORDS`: what people call a part of a system, and how such
services are named.
"""

from logstream.explain.ask.words import stem

_GROUPS = (
    "login logon signin signon",
    "logout logoff signout",
    "user username account customer",
    "auth authentication authenticate authorize authorization",
    "preauth pre-authentication preauthentication",
    "database db sql",
    "connection conn connect",
    "disconnect disconnection",
    "configuration config settings",
    "sync synchronize synchronization synced",
    "delete remove removal purge drop",
    "create creation add",
    "terminate kill stop shutdown destroy",
    "start boot launch begin startup",
    "restart reboot",
    "memory mem ram heap oom",
    "cpu processor vcpu",
    "disk storage volume filesystem",
    "mail email smtp",
    "payment pay charge billing",
    "decline reject refuse deny denied",
    "timeout timed-out deadline",
    "slow latency sluggish",
    "crash panic abort segfault killed",
    "exception traceback stacktrace throwable",
    "retry attempt retries",
    "request req",
    "response reply answer",
    "certificate cert tls ssl",
    "permission privilege",
    "missing absent notfound",
    "duplicate dup",
    "message msg",
    "address addr",
    "invalid illegal bad malformed",
    "unknown unrecognized",
    "expire expiry expiration stale",
    "spawn launch",
    "transfer send transmit",
    "receive get",
    "replicate replica replication",
    "verify verification validate validation check",
    "usage used use consumption",
    "success successful succeed",
    "job task",
    "queue backlog",
    "deploy deployment rollout",
    "healthcheck healthz readyz liveness health",
    "upload put",
    "download fetch",
    "take took taken",
    "cache cached",
    "node host",
    "pause suspend",
    "resume unpause",
)


def _words() -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for group in _GROUPS:
        stems = [stem(word) for word in group.split()]
        for one in stems:
            others = found.setdefault(one, {})
            others.update({other: 0.7 for other in stems if other != one})
    return found


WORDS = _words()


def meanings(word: str) -> dict[str, float]:
    """The stems that a stem may stand for, with how well: itself at best."""
    return {**WORDS.get(word, {}), word: 1.0}


# Two words that are written as one: joined before words are looked up.
PAIRS = {
    **{("log", "in"): "login", ("logged", "in"): "login", ("logging", "in"): "login"},
    **{("sign", "in"): "login", ("signed", "in"): "login", ("signing", "in"): "login"},
    **{("sign", "ins"): "login", ("log", "ins"): "login", ("log", "on"): "login"},
    **{("logged", "on"): "login", ("log", "out"): "logout", ("logged", "out"): "logout"},
    **{("timed", "out"): "timeout", ("time", "out"): "timeout", ("times", "out"): "timeout"},
    **{("timing", "out"): "timeout", ("time", "outs"): "timeout", ("user", "names"): "username"},
    **{("user", "name"): "username", ("shut", "down"): "shutdown", ("e", "mail"): "email"},
    **{("started", "up"): "startup", ("stack", "trace"): "stacktrace"},
    **{("health", "check"): "healthcheck", ("health", "checks"): "healthcheck"},
    **{("data", "base"): "database", ("pre", "authentication"): "preauthentication"},
}

# (any of these asks for it, the phrases that programs write), in lower case. The words of an
# ask count by their stems, in this order, with a few others between them.
IDIOMS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (
        (
            *("authentication failure", "failed authentication", "login failure", "failed login"),
            *("failed login attempt", "failed attempt login", "auth failure", "rejected login"),
            *("unsuccessful login", "unsuccessful authentication", "bad login", "wrong password"),
            *("invalid credentials", "bad credentials", "bad password", "login error"),
            *("failed attempts authenticate", "failed authentication attempt", "denied login"),
            *("not login", "cannot login", "unable login", "couldn't login", "can't login"),
            *("failed to authenticate", "not authenticate"),
        ),
        (
            *("authentication failure", "failed password", "login failed", "login failure"),
            *("failed login", "logon failure", "invalid password", "wrong password"),
            *("invalid credentials", "bad credentials", "authentication failed", "auth fail"),
            *("bad response code while validating token", "unable to validate token"),
            "password check failed",
        ),
    ),
    (
        (
            *("successful login", "login success", "accepted login", "successful authentication"),
            *("login succeeded", "successfully login", "login successfully"),
            *("successfully authenticated", "authenticated successfully"),
        ),
        (
            *("accepted password", "accepted publickey", "login succeeded", "login successful"),
            *("logged in successfully", "successful login", "logon success", "login success"),
            *("authenticated successfully", "authentication succeeded", "signed in"),
        ),
    ),
    (
        (
            *("attempts login", "login attempts", "attempts authenticate", "tried login"),
            *("authentication attempts", "attempted username", "try login"),
        ),
        ("password for", "publickey for", "login attempt", "login succeeded", "login failed"),
    ),
    (
        ("out of memory", "memory exhausted", "oom", "run out of memory", "oom killed"),
        ("out of memory", "outofmemory", "cannot allocate memory", "oom-kill", "oom kill"),
    ),
    (
        (
            *("disk full", "full disk", "out of disk", "disk space", "no space"),
            *("no space left", "no space left device"),
        ),
        ("no space left", "disk full", "enospc", "disk is full", "out of disk"),
    ),
    (
        ("timeout",),
        (
            *("timeout", "timed out", "time out", "deadline exceeded", "timedout"),
            "no answer in time",
        ),
    ),
    (
        (
            *("healthcheck", "health probe", "liveness probe", "readiness probe", "heartbeat"),
            *("health request", "kube probe"),
        ),
        ("healthz", "readyz", "livez", "/health", "health check", "healthcheck", "heartbeat"),
    ),
    (
        ("break-in", "break-in attempt", "intrusion", "intrusion attempt"),
        ("break-in attempt", "break-in", "intrusion"),
    ),
    (
        (
            *("connection reset by peer", "connection reset", "reset connection"),
            *("connections were reset", "connection resets"),
        ),
        ("connection reset", "econnreset"),
    ),
    (
        ("connection refused", "refused connection", "refusing connections"),
        ("connection refused", "econnrefused"),
    ),
    (
        ("rate limit", "throttled", "throttling", "too many requests"),
        ("rate limit", "too many requests", "throttl"),
    ),
    (
        ("access denied", "permission denied", "unauthorized", "forbidden"),
        ("access denied", "permission denied", "unauthorized", "forbidden", "not authorized"),
    ),
    (
        ("out of stock", "sold out", "no stock left", "not enough stock", "insufficient stock"),
        ("out of stock", "sold out", "insufficient stock", "not enough stock", "no stock"),
    ),
    (
        ("null pointer", "nullpointer", "npe", "null pointer exception"),
        ("nullpointerexception", "null pointer", "nonetype", "undefined is not"),
    ),
)

_SERVICE_GROUPS = (
    ("database db sql postgres postgresql mysql mariadb mongo mongodb oracle datastore",
     "db database postgres postgresql pg mysql mariadb sql mongo mongodb oracle"),
    ("login logon signin auth authentication authorization identity sso password token",
     "auth login identity sso iam oauth keycloak authentication sshd openssh"),
    ("mail email mails emails notification notifications sms push",
     "mail mailer email smtp notification notifications notify notifier postfix"),
    ("payment payments pay paying billing card cards charge charges invoice",
     "payment payments pay billing stripe charge invoice card"),
    ("basket cart trolley", "cart basket"),
    ("checkout purchase purchases buying", "checkout order orders"),
    ("order orders", "order orders"),
    ("shipping shipment shipments delivery deliveries parcel", "shipping shipment delivery"),
    ("stock warehouse inventory", "inventory stock warehouse"),
    ("gateway proxy ingress nginx loadbalancer", "gateway proxy ingress nginx envoy traefik"),
    ("queue kafka rabbitmq broker messaging", "queue kafka rabbitmq broker nats"),
    ("cache redis memcached", "redis cache memcached"),
    ("frontend ui website web browser webpage", "frontend web ui site"),
    ("scheduler cron batch jobs", "scheduler cron batch job jobs"),
    ("product products catalog catalogue", "catalog catalogue product products"),
    ("price prices pricing", "pricing price prices"),
    ("profile profiles account accounts", "profile user account users accounts"),
    ("search searching", "search elasticsearch solr"),
    ("recommendation recommendations suggestions", "recommendation recommendations"),
    ("ssh", "ssh sshd openssh"),
    ("storage files blob hdfs", "storage hdfs s3 minio blob"),
    ("kubernetes k8s cluster", "kubernetes cluster kubelet k8s"),
)  # fmt: skip

SERVICE_WORDS: dict[str, tuple[str, ...]] = {
    word: tuple(names.split()) for words, names in _SERVICE_GROUPS for word in words.split()
}

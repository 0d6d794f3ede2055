"""The shop's services: languages, versions and the pods they run on."""

from dataclasses import dataclass
from random import Random

LANGUAGES = {
    "web-frontend": "node",
    "api-gateway": "go",
    "auth": "python",
    "catalog": "java",
    "search": "python",
    "cart": "go",
    "checkout": "java",
    "payment-gateway": "java",
    "inventory": "java",
    "orders": "python",
    "orders-db": "c",
    "shipping": "node",
    "notification": "python",
    "recommendations": "python",
    "pricing": "go",
    "user-profile": "node",
    "batch-jobs": "python",
    "cluster": "go",
}
REGIONS = ("eu-central-1", "eu-west-1")


@dataclass(frozen=True)
class Pod:
    """One running copy of a service; `attributes` go with each of its lines."""

    service: str
    name: str
    version: str
    attributes: dict[str, str]


class Fleet:
    """Every pod of the shop; two to four a service, one of the database."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self.pods: dict[str, list[Pod]] = {}
        self._version_before: dict[str, str] = {}
        for service in LANGUAGES:
            version = f"{rng.randint(1, 9)}.{rng.randint(0, 30)}.{rng.randint(0, 9)}"
            count = 1 if service in ("orders-db", "cluster") else rng.randint(2, 4)
            self.pods[service] = self._rolled_out(service, version, count)

    def any_pod(self, service: str, rng: Random) -> Pod:
        """A pod of the service, each as likely."""
        pods = self.pods[service]
        return pods[int(rng.random() * len(pods))]

    def version(self, service: str) -> str:
        """The version now running."""
        return self.pods[service][0].version

    def deploy(self, service: str, version: str) -> None:
        """Replace every pod of the service by new ones of that version."""
        self._version_before[service] = self.version(service)
        self.pods[service] = self._rolled_out(service, version, len(self.pods[service]))

    def roll_back(self, service: str) -> None:
        """New pods of the version that ran before the last `deploy`."""
        self.deploy(service, self._version_before[service])

    def restart(self, service: str) -> None:
        """New pods of the version that runs already."""
        self.pods[service] = self._rolled_out(
            service, self.version(service), len(self.pods[service])
        )

    def _rolled_out(self, service: str, version: str, count: int) -> list[Pod]:
        replica_set = f"{self._rng.getrandbits(36):09x}"
        return [self._pod(service, version, replica_set) for _ in range(count)]

    def _pod(self, service: str, version: str, replica_set: str) -> Pod:
        name = (
            f"{service}-0"
            if service == "orders-db"
            else f"{service}-{replica_set}-{self._rng.getrandbits(20):05x}"
        )
        region = REGIONS[int(self._rng.random() * 10) // 7]
        return Pod(
            service,
            name,
            version,
            {"host.name": name, "service.version": version, "cloud.region": region},
        )


def next_version(version: str) -> str:
    """The next minor version: 4.12.3 → 4.13.0."""
    major, minor, _ = version.split(".")
    return f"{major}.{int(minor) + 1}.0"

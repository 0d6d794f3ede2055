"""rsyslog and syslog-ng, as Debian builds them, forward what they receive to us.

Their packages are unpacked beside the clients; nothing is installed on the machine.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.integration.clients.test_client_libraries import lines_of
from tests.service_thread import free_port

SENDERS = Path(__file__).parent / "senders"
PACKAGES = (
    *("rsyslog", "rsyslog-elasticsearch", "libestr0", "libfastjson4", "liblognorm5"),
    *("syslog-ng-core", "syslog-ng-mod-http", "libivykis0", "libnet1", "libpcre3", "libwrap0"),
)
LIBRARIES = (
    *("usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu", "lib/x86_64-linux-gnu"),
    *("lib/aarch64-linux-gnu", "usr/lib/syslog-ng", "usr/lib/syslog-ng/3.38"),
)
MESSAGES = (
    "<14>Nov 24 17:00:00 host-1 payments[12]: Payment processed for order 42",
    "<12>Nov 24 17:00:01 host-1 payments[12]: slow query took 1530 ms",
    "<11>Nov 24 17:00:02 host-1 payments[12]: checkout failed for user ünï-☃",
)


@pytest.fixture(scope="session")
def debian(clients_home: Path) -> Path:
    """The folder in which the daemons' packages are unpacked."""
    folder = clients_home / "debian"
    if not (folder / "usr/sbin/syslog-ng").exists():
        if shutil.which("apt-get") is None:
            pytest.skip("rsyslog and syslog-ng are taken from Debian's packages; no apt-get here")
        packages = clients_home / "packages"
        packages.mkdir(exist_ok=True)
        subprocess.run(["apt-get", "download", "-q", *PACKAGES], cwd=packages, check=True)
        for package in packages.glob("*.deb"):
            subprocess.run(["dpkg", "-x", str(package), str(folder)], check=True)
    return folder


@contextmanager
def running(command: list[str], debian: Path) -> Iterator[None]:
    paths = os.pathsep.join(str(debian / library) for library in LIBRARIES)
    environment = {**os.environ, "LD_LIBRARY_PATH": paths}
    process = subprocess.Popen(command, env=environment)
    try:
        yield
        assert process.poll() is None, "the daemon ended by itself"
    finally:
        process.terminate()
        process.wait(20)


def configured(name: str, folder: Path, ports: dict[str, int]) -> Path:
    """The configuration with its places filled in."""
    text = (SENDERS / name).read_text().replace("FOLDER", str(folder))
    for port, number in ports.items():
        text = text.replace(f"PORT_{port.upper()}", str(number))
    (folder / name).write_text(text)
    return folder / name


def send_until_stored(port: int, product: str, mark: str) -> None:
    """The three messages, once the daemon listens: until then a first one goes nowhere."""
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sender:
        for _ in range(100):
            sender.sendto(
                f"<15>Nov 24 17:00:00 host-1 probe: {mark} listens".encode(), ("127.0.0.1", port)
            )
            time.sleep(0.1)
            recent = httpx.get(f"{product}/logs/recent", params={"limit": 1000}).json()
            if any(f"{mark} listens" in line["message"] for line in recent):
                break
        for message in MESSAGES:
            sender.sendto(message.encode(), ("127.0.0.1", port))


def assert_stored(product: str, mark: str) -> None:
    lines = lines_of(product, mark)
    assert {line["severity"]: line["message"].strip() for line in lines.values()} == {
        "info": f"Payment processed for order 42 via {mark}",
        "warn": f"slow query took 1530 ms via {mark}",
        "error": f"checkout failed for user ünï-☃ via {mark}",
    }
    assert {line["source"] for line in lines.values()} == {"payments"}


def test_rsyslog_forwards_to_us(
    product: str, ports: dict[str, int], debian: Path, tmp_path: Path
) -> None:
    incoming = free_port()
    configuration = configured("rsyslog.conf", tmp_path, {**ports, "in": incoming})
    modules = next(debian.glob("usr/lib/*/rsyslog"))
    command = [str(debian / "usr/sbin/rsyslogd"), "-n", "-f", str(configuration)]
    with running([*command, "-i", str(tmp_path / "pid"), "-M", str(modules)], debian):
        send_until_stored(incoming, product, "rsyslog")
        for mark in ("rsyslog_elasticsearch", "rsyslog_tcp", "rsyslog_udp"):
            assert_stored(product, mark)


def test_syslog_ng_forwards_to_us(
    product: str, ports: dict[str, int], debian: Path, tmp_path: Path
) -> None:
    incoming = free_port()
    configuration = configured("syslog-ng.conf", tmp_path, {**ports, "in": incoming})
    command = [
        *(str(debian / "usr/sbin/syslog-ng"), "-F", "--no-caps", "-f", str(configuration)),
        *("--module-path", str(debian / "usr/lib/syslog-ng/3.38")),
        *("--persist-file", str(tmp_path / "persist"), "--pidfile", str(tmp_path / "pid")),
        *("--control", str(tmp_path / "control")),
    ]
    with running(command, debian):
        send_until_stored(incoming, product, "syslog-ng")
        for mark in ("syslog_ng_http", "syslog_ng_tcp"):
            assert_stored(product, mark)

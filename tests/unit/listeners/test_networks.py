"""Who may send to a listener."""

import logging

import pytest

from ingest_service.listeners.networks import Networks
from logstream.settings import LOOPBACK_AND_PRIVATE


@pytest.mark.parametrize(
    ("address", "may"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("::ffff:192.168.1.7", True),
        ("fe80::1%eth0", True),
        ("172.31.255.1", True),
        ("172.32.0.1", False),
        ("8.8.8.8", False),
        ("::ffff:8.8.8.8", False),
        ("2001:db8::1", False),
    ],
)
def test_loopback_and_private_networks_may_send_by_default(address: str, may: bool) -> None:
    assert Networks(LOOPBACK_AND_PRIVATE).allow(address, "syslog_udp") is may


def test_a_stranger_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    networks = Networks(["10.1.0.0/16"])
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert not networks.allow("10.2.0.1", "syslog_udp")
    assert caplog.text.count("10.2.0.1") == 1

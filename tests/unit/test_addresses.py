import pytest

from logstream.addresses import url_host, without_password


@pytest.mark.parametrize(
    ("host", "reached_at"),
    [
        ("0.0.0.0", "127.0.0.1"),
        ("::", "[::1]"),
        ("::1", "[::1]"),
        ("[::1]", "[::1]"),
        ("logs.example", "logs.example"),
    ],
)
def test_a_server_on_every_interface_is_reached_over_the_loopback(
    host: str, reached_at: str
) -> None:
    assert url_host(host) == reached_at


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ann:s3cret@db/logs", "postgresql://ann:***@db/logs"),
        ("postgresql://ann:s3@cret@db/logs", "postgresql://ann:***@db/logs"),
        (
            "postgresql://db/logs?password=s3cret&user=ann",
            "postgresql://db/logs?password=***&user=ann",
        ),
        (
            "postgresql:///logs?host=/run&sslpassword=x",
            "postgresql:///logs?host=/run&sslpassword=***",
        ),
    ],
)
def test_a_password_is_never_shown(url: str, shown: str) -> None:
    assert without_password(url) == shown

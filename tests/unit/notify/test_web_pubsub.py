"""Connection strings: refused with one clear line that never repeats the key."""

import pytest

from logstream.errors import SettingsError
from logstream.notify.web_pubsub import WebPubSub

KEY = "top-secret-access-key-0123456789abcdef"


@pytest.mark.parametrize(
    ("connection_string", "reason"),
    [
        ("", "Endpoint is missing"),
        (f"AccessKey={KEY};Version=1.0;", "Endpoint is missing"),
        ("Endpoint=http://a.example:8080;Version=1.0;", "an identity signs only for https://"),
        (f"Endpoint=https://a.webpubsub.azure.com;AccessKey=;{KEY}=", "AccessKey is empty"),
        (f"https://a.webpubsub.azure.com {KEY}", "no '='"),
        (f"Endpoint=a.webpubsub.azure.com;AccessKey={KEY}", "'a.webpubsub.azure.com' is not"),
        (f"Endpoint=amqp://a;AccessKey={KEY}", "'amqp://a' is not an http"),
        (f"Endpoint=http://[::1;AccessKey={KEY}", "'http://[::1' is not an http"),
        (f"Endpoint=http://a:port;AccessKey={KEY}", "'http://a:port' is not an http"),
    ],
)
def test_an_unusable_connection_string_is_refused_without_showing_the_key(
    connection_string: str, reason: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        WebPubSub(connection_string, "logstream")
    line = refused.value.one_line()
    assert line.startswith("WEBPUBSUB_CONNECTION_STRING cannot be used") and reason in line
    assert KEY not in line
    assert "Keys page" in line


@pytest.mark.parametrize("hub", ["", "7up", "a/b", "a" * 129])
def test_a_hub_name_that_azure_would_refuse_is_refused_at_the_start(hub: str) -> None:
    with pytest.raises(SettingsError, match="WEBPUBSUB_HUB="):
        WebPubSub(f"Endpoint=http://127.0.0.1:1;AccessKey={KEY};Version=1.0;", hub)


async def test_azures_usual_form_is_accepted() -> None:
    push = WebPubSub(
        f"Endpoint=https://logs.webpubsub.azure.com;AccessKey={KEY};Version=1.0;", "logstream"
    )
    access = await push.client_access("ann", ["logs"], 60)
    assert access.url.startswith("wss://logs.webpubsub.azure.com/client/hubs/logstream?")
    await push.close()

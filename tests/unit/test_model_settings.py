"""A language model is configured whole or not at all."""

import pytest

from logstream import wiring
from logstream.errors import SettingsError
from logstream.settings import load_settings, setting_names

AZURE = {
    "AZURE_OPENAI_ENDPOINT": "https://shop.openai.azure.com/",
    "AZURE_OPENAI_KEY": "a-secret-0123456789",
    "AZURE_OPENAI_DEPLOYMENT": "chat",
}
OPENAI = {"OPENAI_API_KEY": "sk-a-secret-0123456789", "OPENAI_MODEL": "gpt-4o-mini"}


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    for name in setting_names():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(str(tmp_path))


def given(monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            {"AZURE_OPENAI_KEY": "a-secret-0123456789"},
            "AZURE_OPENAI_KEY is set, but AZURE_OPENAI_ENDPOINT and AZURE_OPENAI_DEPLOYMENT are",
        ),
        (
            {**AZURE, "AZURE_OPENAI_DEPLOYMENT": ""},
            "AZURE_OPENAI_ENDPOINT is set, but AZURE_OPENAI_DEPLOYMENT is not",
        ),
        (
            {"AZURE_OPENAI_API_VERSION": "2024-10-21", **OPENAI},
            "AZURE_OPENAI_API_VERSION is set, but AZURE_OPENAI_ENDPOINT",
        ),
        (
            {"OPENAI_MODEL": "gpt-4o-mini"},
            "OPENAI_MODEL=gpt-4o-mini is set, but OPENAI_API_KEY is not",
        ),
        (
            {**OPENAI, "OPENAI_BASE_URL": "localhost:11434"},
            "OPENAI_BASE_URL=localhost:11434: must begin with http",
        ),
    ],
)
def test_half_a_model_stops_the_process_in_one_line(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str], said: str
) -> None:
    given(monkeypatch, values)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    line = caught.value.one_line()
    assert said in line
    assert "\n" not in line and "a-secret" not in line


@pytest.mark.parametrize(
    ("values", "model", "address"),
    [
        (OPENAI, "gpt-4o-mini", "https://api.openai.com/v1"),
        # A key alone is what many machines have: it must not stop the start.
        (
            {"OPENAI_API_KEY": "sk-a-secret-0123456789"},
            "gpt-4o-mini",
            "https://api.openai.com/v1",
        ),
        (
            {"OPENAI_MODEL": "qwen3", "OPENAI_BASE_URL": "http://127.0.0.1:11434/v1/"},
            "qwen3",
            "http://127.0.0.1:11434/v1",
        ),
        (AZURE, "chat", "https://shop.openai.azure.com"),
        # Azure goes first, as its description says.
        ({**AZURE, **OPENAI}, "chat", "https://shop.openai.azure.com"),
    ],
)
def test_a_whole_model_is_opened(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str], model: str, address: str
) -> None:
    given(monkeypatch, values)
    opened = wiring.open_chat_model(load_settings())
    assert opened is not None
    assert (opened.name, opened.address) == (model, address)


def test_without_settings_there_is_no_model() -> None:
    assert wiring.open_chat_model(load_settings()) is None

"""Which settings a language model needs; half of them stop the process at start."""

from typing import TYPE_CHECKING

from logstream.errors import SettingsError

if TYPE_CHECKING:
    from logstream.settings import Settings

# Of OpenAI, where none is named: small, and does what is asked of it.
USUAL_MODEL = "gpt-4o-mini"


def check_model(settings: "Settings") -> None:
    """Raises SettingsError when a language model is configured by half."""
    azure: tuple[tuple[str, object], ...] = (
        ("AZURE_OPENAI_ENDPOINT", settings.azure_openai_endpoint),
        ("AZURE_OPENAI_KEY", settings.azure_openai_key),
        ("AZURE_OPENAI_DEPLOYMENT", settings.azure_openai_deployment),
    )
    given = [name for name, value in azure if value is not None]
    missing = [name for name, value in azure if value is None]
    if settings.azure_openai_api_version is not None:
        given.append("AZURE_OPENAI_API_VERSION")
    if given and missing:
        raise SettingsError(
            f"{given[0]} is set, but {' and '.join(missing)} {_are(missing)} not",
            "Azure OpenAI needs endpoint, key and deployment; remove all to do without a model",
        )
    if settings.openai_model is not None and not has_openai(settings):
        raise SettingsError(
            f"OPENAI_MODEL={settings.openai_model} is set, but OPENAI_API_KEY is not",
            "set the key, or in OPENAI_BASE_URL the address of a server that needs none",
        )


def has_openai(settings: "Settings") -> bool:
    """True when OpenAI, or a server like it, is configured."""
    return settings.openai_api_key is not None or settings.openai_base_url is not None


def _are(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"

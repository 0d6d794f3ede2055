"""Every setting: its environment variable, unit, default and one sentence.

The README's table is generated from here (`scripts/settings_table.py`) and tested.
Read from the environment, then from `.env` in the working directory. Only
`wiring.py` and the commands look at settings; adapters take plain arguments.
"""

import difflib
import os
from collections.abc import Iterable
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from logstream.errors import SettingsError
from logstream.model_settings import check_model
from logstream.retention_rules import RetentionRules

MEBIBYTE = 1024 * 1024
LOOPBACK_AND_PRIVATE = (
    *("127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
    *("169.254.0.0/16", "fe80::/10", "fc00::/7"),
)
LONGEST_TIMEOUT_SECONDS = 86_400
LONGEST_MEMORY_DAYS = 36_500
SHORTEST_SECRET = 32


class Settings(BaseSettings):
    """All settings; construct with `load_settings()` to get one-line errors."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", populate_by_name=True
    )

    database_url: SecretStr | None = Field(
        None,
        alias="DATABASE_URL",
        description="PostgreSQL 14 or newer, `postgresql://user:password@host/name`; "
        "absent: an embedded PostgreSQL under the data directory.",
    )
    eventhub_connection_string: SecretStr | None = Field(
        None,
        alias="EVENTHUB_CONNECTION_STRING",
        description="Azure Event Hubs namespace. Reserved: not used yet.",
    )
    eventhub_name: str | None = Field(
        None, alias="EVENTHUB_NAME", description="Event hub name. Reserved: not used yet."
    )
    webpubsub_connection_string: SecretStr | None = Field(
        None,
        alias="WEBPUBSUB_CONNECTION_STRING",
        description="Azure Web PubSub; without `AccessKey` the identity of this machine signs; "
        "absent: the hub built into the ingest service.",
    )
    webpubsub_hub: str = Field(
        "logstream", alias="WEBPUBSUB_HUB", description="Web PubSub hub name."
    )
    azure_openai_endpoint: str | None = Field(
        None,
        alias="AZURE_OPENAI_ENDPOINT",
        description="Azure OpenAI resource, `https://NAME.openai.azure.com`, whose model helps to "
        "read questions asked in plain words; absent, and no OPENAI_API_KEY or OPENAI_BASE_URL: "
        "built-in rules alone read them, and nothing leaves this machine.",
    )
    azure_openai_key: SecretStr | None = Field(
        None, alias="AZURE_OPENAI_KEY", description="Key of that resource."
    )
    azure_openai_deployment: str | None = Field(
        None,
        alias="AZURE_OPENAI_DEPLOYMENT",
        description="Name of the deployment of a chat model there.",
    )
    azure_openai_api_version: str | None = Field(
        None,
        alias="AZURE_OPENAI_API_VERSION",
        description="Dated version of its API, for example `2024-10-21`; absent: the v1 API.",
    )
    openai_api_key: SecretStr | None = Field(
        None,
        alias="OPENAI_API_KEY",
        description="Key of OpenAI or of the server at OPENAI_BASE_URL, which may need none.",
    )
    openai_model: str | None = Field(
        None,
        alias="OPENAI_MODEL",
        description="Chat model that helps to read questions; absent: gpt-4o-mini. "
        "Azure OpenAI goes before it.",
    )
    openai_base_url: str | None = Field(
        None,
        alias="OPENAI_BASE_URL",
        description="Any server that speaks OpenAI's API, for example "
        "`http://127.0.0.1:11434/v1`; absent: OpenAI itself.",
    )

    data_dir: Path = Field(
        Path(".logstream"),
        alias="LOGSTREAM_DATA_DIR",
        description="Where the embedded database, secrets made at first start and import "
        "progress live.",
    )
    host: str = Field(
        "127.0.0.1",
        alias="LOGSTREAM_HOST",
        description="Address the ingest service and the dashboard listen on.",
    )
    require_keys: bool | None = Field(
        None,
        alias="LOGSTREAM_REQUIRE_KEYS",
        description="Whether every request needs an API key, `true` or `false`; absent: when "
        "the service listens on another address than loopback, which it does once a key is made.",
    )
    secret: SecretStr | None = Field(
        None,
        alias="LOGSTREAM_SECRET",
        description="Signs what lets the dashboard, `simulate`, `import` and `export` in, at "
        "least 32 characters, the same for all processes; absent: a file in the data directory, "
        "made at first start.",
    )
    api_key: SecretStr | None = Field(
        None,
        alias="LOGSTREAM_API_KEY",
        description="Key that `import`, `simulate` and `export` come with; needed for a service of "
        "another data directory.",
    )
    rate_limit_per_second: float | None = Field(
        None,
        alias="LOGSTREAM_RATE_LIMIT_PER_SECOND",
        gt=0,
        le=1_000_000,
        description="Requests a second from one client address before 429; absent: no limit.",
    )
    max_attributes: int = Field(
        1000,
        alias="LOGSTREAM_MAX_ATTRIBUTES",
        ge=1,
        le=1_000_000,
        description="Most attributes of one record or span, nested ones included; one with "
        "more is rejected.",
    )
    redact: str | None = Field(
        None,
        alias="LOGSTREAM_REDACT",
        description="What is masked before it is stored, comma separated: `email`, `card`, "
        "`bearer`, `/regex/`, `name=/regex/`; absent: nothing.",
    )
    port: int = Field(
        8000, alias="LOGSTREAM_PORT", ge=1, le=65535, description="Port of the ingest service."
    )
    workers: int = Field(
        1,
        alias="LOGSTREAM_WORKERS",
        ge=1,
        le=64,
        description="Ingest processes on the one port; more than one lands more lines a second "
        "on a machine with cores to spare.",
    )
    dashboard_port: int = Field(
        8501,
        alias="LOGSTREAM_DASHBOARD_PORT",
        ge=1,
        le=65535,
        description="Port of the dashboard.",
    )
    url: str = Field(
        "http://127.0.0.1:8000",
        alias="LOGSTREAM_URL",
        description="Where `import`, `export`, `simulate` and the dashboard find the running "
        "service.",
    )
    public_url: str | None = Field(
        None,
        alias="LOGSTREAM_PUBLIC_URL",
        description="The ingest service's address as browsers see it; absent: the host of the "
        "page with the ingest port.",
    )
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        alias="LOGSTREAM_ALLOWED_ORIGINS",
        description="Further web origins, comma separated, whose pages may send and read; "
        "pages of the service's own host name may always read, on any port.",
    )
    default_environment: str = Field(
        "production",
        alias="LOGSTREAM_DEFAULT_ENVIRONMENT",
        description="Environment of records that name none.",
    )
    naive_timezone: str = Field(
        "UTC",
        alias="LOGSTREAM_NAIVE_TIMEZONE",
        description="Zone of timestamps that carry none, an IANA name.",
    )
    syslog_port: int = Field(
        0,
        alias="LOGSTREAM_SYSLOG_PORT",
        ge=0,
        le=65535,
        description="Port for syslog over UDP and TCP, usually 514; 0: do not listen.",
    )
    gelf_port: int = Field(
        0,
        alias="LOGSTREAM_GELF_PORT",
        ge=0,
        le=65535,
        description="Port for GELF over UDP and TCP, usually 12201; 0: do not listen.",
    )
    forward_port: int = Field(
        0,
        alias="LOGSTREAM_FORWARD_PORT",
        ge=0,
        le=65535,
        description="Port for Fluentd's Forward protocol over TCP, usually 24224; 0: do not "
        "listen.",
    )
    listener_networks: Annotated[tuple[str, ...], NoDecode] = Field(
        LOOPBACK_AND_PRIVATE,
        alias="LOGSTREAM_LISTENER_NETWORKS",
        description="Networks, comma separated CIDRs, that may send to these three ports, which "
        "know no keys; absent: loopback and private networks.",
    )
    max_body_bytes: int = Field(
        20 * MEBIBYTE,
        alias="LOGSTREAM_MAX_BODY_BYTES",
        ge=1024,
        description="Largest request body in bytes, on the wire and after decompression.",
    )
    max_records: int = Field(
        100_000,
        alias="LOGSTREAM_MAX_RECORDS",
        ge=1,
        description="Most records, spans or metrics in one request; one with more is answered 413.",
    )
    max_pending_bytes: int = Field(
        128 * MEBIBYTE,
        alias="LOGSTREAM_MAX_PENDING_BYTES",
        ge=MEBIBYTE,
        description="Bytes of bodies waiting to be landed before new ones are answered 503.",
    )
    body_timeout_seconds: float = Field(
        30.0,
        alias="LOGSTREAM_BODY_TIMEOUT_SECONDS",
        gt=0,
        le=LONGEST_TIMEOUT_SECONDS,
        description="How long a request's body may stand still before it is answered 408, in "
        "seconds; a whole body may take four times that.",
    )
    land_timeout_seconds: float = Field(
        2.0,
        alias="LOGSTREAM_LAND_TIMEOUT_SECONDS",
        gt=0,
        le=LONGEST_TIMEOUT_SECONDS,
        description="How long lines wait for an unreachable database before they go into the "
        "spool, in seconds.",
    )
    spool_max_bytes: int = Field(
        4 * 1024 * MEBIBYTE,
        alias="LOGSTREAM_SPOOL_MAX_BYTES",
        ge=0,
        description="Largest spool under the data directory, in bytes; beyond it requests are "
        "answered 503.",
    )
    statement_timeout_seconds: float = Field(
        10.0,
        alias="LOGSTREAM_STATEMENT_TIMEOUT_SECONDS",
        gt=0,
        le=LONGEST_TIMEOUT_SECONDS,
        description="Longest time one question may take in the database, in seconds.",
    )
    batch_memory_days: int = Field(
        7,
        alias="LOGSTREAM_BATCH_MEMORY_DAYS",
        ge=1,
        le=LONGEST_MEMORY_DAYS,
        description="How long an Idempotency-Key is remembered, in days.",
    )
    reject_memory_days: int = Field(
        7,
        alias="LOGSTREAM_REJECT_MEMORY_DAYS",
        ge=1,
        le=LONGEST_MEMORY_DAYS,
        description="How long refused records are kept for inspection, in days.",
    )
    retention_days: int = Field(
        0,
        alias="LOGSTREAM_RETENTION_DAYS",
        ge=0,
        le=LONGEST_MEMORY_DAYS,
        description="How long lines and spans are kept after they were received, in days; 0 keeps "
        "them for ever.",
    )
    retention_rules: str | None = Field(
        None,
        alias="LOGSTREAM_RETENTION_RULES",
        description="Exceptions from it, comma separated: `ENVIRONMENT[/SEVERITY]=DAYS`, for "
        "example `staging=7,*/debug=3`; the most specific one wins. Those with a severity do "
        "not mean spans.",
    )
    seal_after_seconds: int = Field(
        3600,
        alias="LOGSTREAM_SEAL_AFTER_SECONDS",
        ge=1,
        le=LONGEST_TIMEOUT_SECONDS,
        description="Age at which a segment is closed and indexed though it is not full, in "
        "seconds; one with few lines waits 24 times as long.",
    )
    trigram: Literal["never", "idle"] = Field(
        "never",
        alias="LOGSTREAM_TRIGRAM",
        description="`idle`: while few lines arrive, index every part of every message too; "
        "takes up to half as much disk again.",
    )

    @property
    def retention(self) -> RetentionRules:
        """The default and the rules together."""
        return RetentionRules.parse(self.retention_rules or "", self.retention_days)

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip().rstrip("/") for part in value.split(",") if part.strip())
        return value

    @field_validator("listener_networks", mode="before")
    @classmethod
    def _are_networks(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        networks = tuple(part.strip() for part in value.split(",") if part.strip())
        for network in networks:
            try:
                ip_network(network, strict=False)
            except ValueError:
                raise ValueError(
                    f"'{network}' is no network; use for example 10.0.0.0/8,192.168.1.7"
                ) from None
        return networks

    @field_validator("secret")
    @classmethod
    def _is_long(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value().encode()) < SHORTEST_SECRET:
            raise ValueError(f"must have {SHORTEST_SECRET} characters or more")
        return value

    @field_validator("retention_rules")
    @classmethod
    def _rules_are_read(cls, value: str | None) -> str | None:
        RetentionRules.parse(value or "")
        return value

    @field_validator("naive_timezone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(
                "is not a known time zone; use a name such as Europe/Berlin"
            ) from error
        return value

    @field_validator("url", "public_url", "azure_openai_endpoint", "openai_base_url")
    @classmethod
    def _is_http(cls, value: str | None) -> str | None:
        if value is not None and urlsplit(value).scheme not in ("http", "https"):
            raise ValueError("must begin with http:// or https://")
        return value.rstrip("/") if value else value

    @field_validator("database_url")
    @classmethod
    def _is_postgres(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and urlsplit(value.get_secret_value()).scheme not in (
            "postgresql",
            "postgres",
        ):
            raise ValueError("must be a postgresql:// address")
        if value is not None:
            _parse_address(value.get_secret_value())
        return value


def _parse_address(url: str) -> None:
    """Raises ValueError for what libpq or SQLAlchemy could not read; repeats nothing of it."""
    from psycopg import Error  # here: commands without a database start sooner
    from psycopg.conninfo import conninfo_to_dict

    try:
        _ = urlsplit(url).port
    except ValueError:
        raise ValueError("its port is not a number from 0 to 65535") from None
    try:
        conninfo_to_dict(url)
    except Error:
        raise ValueError(
            "is no address PostgreSQL can read; percent-encode special characters in user "
            "and password, and name only libpq's parameters after the question mark"
        ) from None


def setting_names() -> tuple[str, ...]:
    """The environment variables we read, in the order of the table."""
    return tuple(str(field.alias) for field in Settings.model_fields.values())


def load_settings(**overrides: object) -> Settings:
    """The settings from the environment and `.env`; `overrides` (by field name) win.

    Raises SettingsError, one line naming variable, value and remedy. A secret's value
    is never repeated.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        settings = Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        raise SettingsError(_explain(error)) from None
    check_model(settings)
    return settings


def unknown_settings(environment: Iterable[str] | None = None) -> list[str]:
    """A warning for each `LOGSTREAM_*` variable that no setting reads, nearest name included."""
    if environment is None:
        environment = {*os.environ, *dotenv_values(".env")}
    known = setting_names()
    warnings = []
    for name in sorted(environment):
        if name.startswith("LOGSTREAM_") and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            remedy = f"; did you mean {near[0]}?" if near else ""
            warnings.append(f"{name} is not a setting of LogStream{remedy}")
    return warnings


def _explain(error: ValidationError) -> str:
    first = error.errors()[0]
    place = str(first["loc"][0]) if first["loc"] else "settings"
    by_name = {**Settings.model_fields, **{str(f.alias): f for f in Settings.model_fields.values()}}
    field = by_name.get(place)
    variable = str(field.alias) if field is not None else place
    reason = first["msg"].removeprefix("Value error, ")
    secret = field is not None and "SecretStr" in str(field.annotation)
    value = "" if secret else f"={first['input']!s}"
    return f"{variable}{value}: {reason[:1].lower()}{reason[1:]}"

"""Settings stop the process with one line that names variable, value and remedy."""

import pytest

from logstream.errors import SettingsError
from logstream.settings import Settings, load_settings, setting_names, unknown_settings


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    for name in setting_names():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(str(tmp_path))


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("LOGSTREAM_PORT", "99999", "LOGSTREAM_PORT=99999: input should be less than"),
        ("LOGSTREAM_MAX_BODY_BYTES", "lots", "LOGSTREAM_MAX_BODY_BYTES=lots"),
        ("LOGSTREAM_NAIVE_TIMEZONE", "Mars/Olympus", "Mars/Olympus: is not a known time zone"),
        ("LOGSTREAM_URL", "localhost", "LOGSTREAM_URL=localhost: must begin with http"),
        ("LOGSTREAM_LAND_TIMEOUT_SECONDS", "0", "LOGSTREAM_LAND_TIMEOUT_SECONDS=0"),
        ("LOGSTREAM_LAND_TIMEOUT_SECONDS", "inf", "LOGSTREAM_LAND_TIMEOUT_SECONDS=inf"),
        ("LOGSTREAM_STATEMENT_TIMEOUT_SECONDS", "1e12", "less than or equal to 86400"),
        ("LOGSTREAM_BATCH_MEMORY_DAYS", "99999999999", "less than or equal to 36500"),
    ],
)
def test_a_bad_setting_is_named_in_one_line(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert said in caught.value.one_line()
    assert "\n" not in caught.value.one_line()


def test_a_bad_database_address_is_refused_without_repeating_the_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", "mysql://admin:hunter2@db/logs")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert caught.value.one_line().startswith("DATABASE_URL: must be a postgresql:// address")
    assert "hunter2" not in caught.value.one_line()


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        ("@db:five/logs", "its port is not a number from 0 to 65535"),
        ("@db:99999/logs", "its port is not a number from 0 to 65535"),
        ("@db/logs?no_such_parameter=1", "is no address PostgreSQL can read"),
        ("%ZZ@db/logs", "is no address PostgreSQL can read"),
        ("@[::1/logs", "invalid IPv6 URL"),
    ],
)
def test_a_database_address_that_cannot_be_read_is_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch, rest: str, reason: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgresql://admin:hunter2{rest}")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert caught.value.one_line().startswith(f"DATABASE_URL: {reason}")
    assert "hunter2" not in caught.value.one_line()


def test_a_database_address_of_a_socket_directory_is_accepted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address = "postgresql://logs@/logs?host=%2Fvar%2Frun%2Fpostgresql&port=5432"
    monkeypatch.setenv("DATABASE_URL", address)
    url = load_settings().database_url
    assert url is not None and url.get_secret_value() == address


def test_secrets_are_not_shown_when_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://admin:hunter2@db/logs")
    assert "hunter2" not in repr(load_settings())


def test_an_unknown_variable_is_warned_about_with_the_nearest_name() -> None:
    assert unknown_settings({"LOGSTREAM_PROT", "PATH", "LOGSTREAM_PORT"}) == [
        "LOGSTREAM_PROT is not a setting of LogStream; did you mean LOGSTREAM_PORT?"
    ]


def test_an_argument_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGSTREAM_PORT", "9000")
    assert load_settings(port=9001).port == 9001
    assert load_settings(port=None).port == 9000


def test_every_setting_is_explained_in_a_sentence() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description and field.description.endswith("."), name

"""`logstream doctor` in front of a healthy and of broken set-ups."""

import socket
from pathlib import Path

import psycopg
import pytest

from logstream import doctor
from logstream.doctor import Finding, Verdict
from logstream.land.spool import Spool
from logstream.settings import Settings, load_settings
from tests.peers.openai import KEY, MODEL, openai_peer


@pytest.fixture(autouse=True)
def _no_dotenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LOGSTREAM_TEST_DATABASE_URL", raising=False)


def findings(settings: Settings) -> dict[str, Finding]:
    return {finding.check: finding for finding in doctor.look_at_everything(settings)}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def settings_for(tmp_path: Path, **given: object) -> Settings:
    ports: dict[str, object] = {"port": free_port(), "dashboard_port": free_port()}
    return load_settings(**{"data_dir": tmp_path, **ports, **given})


def test_a_migrated_database_is_found_healthy(tmp_path: Path, database_url: str) -> None:
    found = findings(settings_for(tmp_path, database_url=database_url))
    assert found["database"].verdict is Verdict.OK
    assert found["database"].found.startswith("PostgreSQL ")
    assert found["schema"].verdict is Verdict.OK


def test_an_empty_database_wants_a_migration(tmp_path: Path, database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("DROP TABLE alembic_version")
    schema = findings(settings_for(tmp_path, database_url=database_url))["schema"]
    assert (schema.verdict, schema.remedy) == (Verdict.FAIL, "run 'logstream migrate'")


def test_an_unreachable_database_fails_without_telling_its_password(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    url = f"postgresql://analyst:s3cret@127.0.0.1:{free_port()}/logs"
    assert doctor.examine(settings_for(tmp_path, database_url=url)) == 1
    shown = capsys.readouterr().out
    assert "Connection refused" in shown
    assert "check host, port, user and password in DATABASE_URL" in shown
    assert "s3cret" not in shown


def test_before_the_first_up_nothing_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    found = findings(settings_for(tmp_path))
    assert found["database"].remedy == "start 'logstream up' to use it"
    assert found["embedded PostgreSQL"].verdict is Verdict.OK
    assert not [finding for finding in found.values() if finding.verdict is Verdict.FAIL]


def test_a_port_taken_by_another_program_names_it(tmp_path: Path, database_url: str) -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        port = squatter.getsockname()[1]
        service = findings(settings_for(tmp_path, database_url=database_url, port=port))["service"]
    assert service.verdict is Verdict.FAIL
    assert f"port {port} is taken by process " in service.found
    assert "--port (LOGSTREAM_PORT)" in service.remedy


def test_a_misspelt_variable_is_a_warning(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGSTREAM_RETENTION_DAY", "30")
    variables = findings(settings_for(tmp_path, database_url=database_url))["variables"]
    assert variables.verdict is Verdict.WARN
    assert variables.found.startswith("LOGSTREAM_RETENTION_DAY is not a setting of LogStream")


def test_a_hub_connection_string_with_neither_key_nor_https_fails(
    tmp_path: Path, database_url: str
) -> None:
    settings = settings_for(
        tmp_path,
        database_url=database_url,
        webpubsub_connection_string="Endpoint=http://a.example",
    )
    hub = findings(settings)["hub"]
    assert hub.verdict is Verdict.FAIL
    assert "WEBPUBSUB_CONNECTION_STRING" in hub.found


def test_a_data_directory_below_a_file_fails(tmp_path: Path, database_url: str) -> None:
    (tmp_path / "notes.txt").write_text("a file, not a folder")
    settings = settings_for(
        tmp_path, database_url=database_url, data_dir=tmp_path / "notes.txt" / "data"
    )
    assert findings(settings)["data directory"].verdict is Verdict.FAIL


def test_the_spool_tells_how_much_waits_in_it(tmp_path: Path, database_url: str) -> None:
    settings = settings_for(tmp_path, database_url=database_url, spool_max_bytes=1000)
    assert findings(settings)["spool"].found == "empty"
    spool = Spool(tmp_path / "spool", max_bytes=1000)
    spool.append(b"x" * 76, lines=1200)  # 100 bytes with its head
    found = findings(settings)["spool"]
    assert found.verdict is Verdict.WARN
    assert found.found.startswith("1,200 lines wait, 100 of 1,000 bytes, the oldest since 20")
    for _ in range(7):
        spool.append(b"x" * 76)
    assert findings(settings)["spool"].verdict is Verdict.FAIL
    spool.close()


def test_a_model_is_greeted_and_what_is_wrong_with_it_is_named(
    tmp_path: Path, database_url: str
) -> None:
    def model(**given: object) -> Finding:
        return findings(settings_for(tmp_path, database_url=database_url, **given))[
            "language model"
        ]

    assert (model().verdict, model().found) == (
        Verdict.OK,
        "none: built-in rules read questions",
    )
    with openai_peer() as peer:
        whole = {"openai_model": MODEL, "openai_base_url": peer.base_url, "openai_api_key": KEY}
        found = model(**whole)
        assert found.verdict is Verdict.OK
        assert found.found.startswith(f"{MODEL} at {peer.base_url} answers, after ")
        refused = model(**{**whole, "openai_api_key": "sk-wrong-0123456789"})
        assert (refused.verdict, refused.remedy) == (Verdict.FAIL, "check OPENAI_API_KEY")
        assert "sk-wrong" not in refused.found
    gone = model(**whole)
    assert gone.verdict is Verdict.FAIL and "cannot be reached" in gone.found

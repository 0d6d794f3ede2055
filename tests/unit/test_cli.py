"""The command line: what it offers, how it refuses, what `up` says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from logstream import addresses, cli, parts

COMMANDS = [
    *("up", "serve", "worker", "dashboard", "migrate", "simulate", "import", "export", "doctor"),
]


@pytest.fixture(autouse=True)
def _no_dotenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATABASE_URL", raising=False)


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["--help"])
    assert end.value.code == 0
    listed = re.findall(r"^    (\w+) ", capsys.readouterr().out + " ", re.MULTILINE)
    assert [name for name in COMMANDS if name not in listed and name != "dashboard"] == []


def test_help_loads_neither_streamlit_nor_the_database_driver() -> None:
    loaded = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from logstream import cli\n"
            "try: cli.main(['--help'])\n"
            "except SystemExit: pass\n"
            "print(sorted({'streamlit', 'psycopg', 'fastapi'} & set(sys.modules)))",
        ],
        capture_output=True,
        text=True,
        check=True,
        cwd=cli.APP.parent,
    )
    assert loaded.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main([command, "--help"])
    assert end.value.code == 0
    assert f"usage: logstream {command}" in capsys.readouterr().out


def test_a_bad_setting_is_one_line_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["up", "--port", "70000"]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 1
    assert errors[0].startswith("logstream: LOGSTREAM_PORT=70000: ")


def test_an_unknown_variable_is_warned_about_by_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOGSTREAM_PROT", "8100")
    cli.run(["up", "--port", "70000"])
    assert "LOGSTREAM_PROT is not a setting of LogStream; did you mean LOGSTREAM_PORT?" in (
        capsys.readouterr().err
    )


def test_a_worker_without_a_database_is_told_to_start_up(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert cli.run(["worker", "--data-dir", str(tmp_path)]) == 2
    assert "start 'logstream up', or set DATABASE_URL" in capsys.readouterr().err


def test_the_pause_before_a_restart_doubles_to_a_bound_and_is_forgotten_after_a_stable_minute() -> (
    None
):
    backoff = parts.Backoff()
    pauses = [backoff.pause_after(lived_seconds=1) for _ in range(8)]
    # 0.2 doubled: 0.2 0.4 0.8 1.6 3.2 6.4, then 12.8 is cut to 10
    assert pauses == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]
    assert backoff.pause_after(lived_seconds=60) == 0.2


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://analyst:s3cret@db:5432/logs", "postgresql://analyst:***@db:5432/logs"),
        ("postgresql://db/logs?user=a&password=s3cret", "postgresql://db/logs?user=a&password=***"),
        ("postgresql://a@/logs?host=%2Ftmp&port=5", "postgresql://a@/logs?host=%2Ftmp&port=5"),
    ],
)
def test_a_password_is_not_shown(address: str, shown: str) -> None:
    assert addresses.without_password(address) == shown


@pytest.mark.parametrize(
    ("number", "word"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (11, "11th"), (22, "22nd")]
)
def test_starts_are_counted_in_words(number: int, word: str) -> None:
    assert parts.ordinal(number) == word

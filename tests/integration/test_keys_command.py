"""`logstream keys`, and where the service listens with and without keys."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from logstream import wiring
from logstream.land import key_table
from tests.service_thread import settings_for
from tests.shop import ROOT


def keys(database_url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command as a person runs it."""
    return subprocess.run(
        [sys.executable, "-m", "logstream", "keys", *arguments],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_url, "COLUMNS": "250"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_key_is_shown_once_listed_by_its_prefix_and_revoked(database_url: str) -> None:
    made = keys(
        database_url,
        *("create", "--environment", "prod", "--role", "ingest"),
        *("--name", "the shop", "--rate", "500", "--expires", "30d"),
    )
    assert made.returncode == 0, made.stderr
    key = made.stdout.strip()
    prefix = key[:11]
    assert prefix in made.stderr
    assert key not in made.stderr
    listed = keys(database_url, "list").stdout
    assert key not in listed
    for word in (prefix, "the shop", "ingest", "prod", "500/s", "until", "never"):
        assert word in listed, word
    with psycopg.connect(database_url) as connection:
        [stored] = key_table.every_key(connection)
        assert stored.is_opened_by(key)
    revoked = keys(database_url, "revoke", key)
    assert revoked.returncode == 0
    assert key not in revoked.stdout
    assert "revoked" in keys(database_url, "list").stdout
    again = keys(database_url, "revoke", prefix)
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("create", "--role", "ingest"), "--environment"),
        (("create", "--role", "ingest", "--environment", "all"), "--environment"),
        (("create", "--role", "writer"), "writer"),
        (("create", "--role", "read", "--expires", "soon"), "soon"),
        (("create", "--role", "read", "--expires", "2020-01-31"), "past"),
        (("create", "--role", "read", "--rate", "0"), "0"),
        (("revoke", "ls_unknown0"), "ls_unknown0"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason(
    database_url: str, arguments: tuple[str, ...], said: str
) -> None:
    refused = keys(database_url, *arguments)
    assert refused.returncode == 2
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_readers_role_cannot_see_the_keys(database_url: str) -> None:
    engine = wiring.open_engine(database_url, statement_timeout_seconds=5, read_only=True)
    with engine.connect() as connection:
        may = connection.exec_driver_sql(
            "SELECT current_user, has_table_privilege('api_keys', 'SELECT')"
        ).one()
    engine.dispose()
    assert tuple(may) == ("logstream_reader", False)


def test_without_a_key_only_loopback_is_listened_on(database_url: str, tmp_path: Path) -> None:
    said: list[str] = []
    everywhere = settings_for(database_url, tmp_path, host="0.0.0.0")
    assert wiring.guarded(everywhere, said.append).host == "127.0.0.1"
    assert len(said) == 1
    assert "logstream keys create" in said[0]
    assert "LOGSTREAM_REQUIRE_KEYS=false" in said[0]
    assert wiring.guarded(everywhere.model_copy(update={"host": "::"}), said.append).host == "::1"
    said.clear()
    for choice in (True, False):
        chosen = everywhere.model_copy(update={"require_keys": choice})
        assert wiring.guarded(chosen, said.append).host == "0.0.0.0"
        assert wiring.requires_keys(chosen) is choice
    assert len(said) == 1, "keys are needed, and there is none"
    keys(database_url, "create", "--role", "read")
    assert wiring.guarded(everywhere, said.append).host == "0.0.0.0"
    assert wiring.requires_keys(everywhere)
    assert not wiring.requires_keys(settings_for(database_url, tmp_path))


def test_with_nobody_to_ask_for_keys_they_are_needed(tmp_path: Path) -> None:
    nowhere = "postgresql://nobody@127.0.0.1:9/none?connect_timeout=1"
    settings = settings_for(nowhere, tmp_path, host="0.0.0.0")
    with_host = wiring.guarded(settings, logging.getLogger(__name__).warning)
    assert with_host.host == "0.0.0.0"
    assert wiring.requires_keys(with_host)

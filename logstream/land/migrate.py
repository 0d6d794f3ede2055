"""Bringing a database to the schema this version needs."""

import threading
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from logstream.errors import SettingsError
from logstream.land.reader_role import make_reader_role

OLDEST_SERVER_VERSION = 140_000
# Any two processes that start together take turns under this advisory lock.
MIGRATION_LOCK = 0x4C6F_6753
# Alembic keeps what it works on in globals.
_one_at_a_time = threading.Lock()


def migrate(engine: sa.Engine) -> None:
    """Run all outstanding migrations; safe to call from several processes at once.

    Raises SettingsError when the server is older than PostgreSQL 14 or the database
    carries a schema newer than this version of LogStream.
    """
    with engine.connect() as connection:
        version = connection.scalar(sa.text("SELECT current_setting('server_version_num')::int"))
        if version is not None and version < OLDEST_SERVER_VERSION:
            raise SettingsError(
                f"the database is PostgreSQL {version // 10_000}",
                "LogStream needs PostgreSQL 14 or newer; point DATABASE_URL at one",
            )
        connection.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
        connection.commit()
        try:
            _refuse_newer_schema(connection)
            config = _config()
            config.attributes["connection"] = connection
            with _one_at_a_time:
                command.upgrade(config, "head")
            make_reader_role(connection)
            connection.commit()
        finally:
            connection.rollback()
            connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": MIGRATION_LOCK})
            connection.commit()


def newest_schema() -> str:
    """The name of this version's schema, as `alembic_version` holds it."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def _refuse_newer_schema(connection: sa.Connection) -> None:
    current = MigrationContext.configure(connection).get_current_revision()
    connection.commit()
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if current is not None and current not in known:
        raise SettingsError(
            f"the database has schema {current}, which this LogStream does not know",
            "run the newer LogStream that made it, or use another database",
        )


def _config() -> Config:
    config = Config()
    folder = str(Path(__file__).parent / "migrations")
    # Alembic reads options through configparser, to which a percent sign is special.
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config

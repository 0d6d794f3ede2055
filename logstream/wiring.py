"""Settings in, ready parts out: the only place that picks adapters."""

import functools
import secrets
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from pydantic import SecretStr
from sqlalchemy.engine import make_url

from logstream.addresses import is_loopback, url_host
from logstream.api_keys import Role
from logstream.errors import SettingsError
from logstream.explain.ask.asker import Asker
from logstream.explain.chat_model import OpenAIChat
from logstream.land.alias_table import AliasTable
from logstream.land.group_commit import GroupCommit
from logstream.land.kept_rejects import mark_resent
from logstream.land.key_table import holds_keys
from logstream.land.memory import RecentLines
from logstream.land.migrate import migrate as run_migrations
from logstream.land.migrate import newest_schema
from logstream.land.postgres import PostgresWriter
from logstream.land.reach import as_ours
from logstream.land.reader_role import become_reader
from logstream.land.remembering import Elsewhere, RememberingReader
from logstream.land.service_notes import ServiceNotes
from logstream.land.shown_keys import shown_keys
from logstream.land.spool import Spool
from logstream.land.view_table import ViewTable
from logstream.land.watch import Away, DatabaseWatch
from logstream.model import LogRecord
from logstream.model_settings import USUAL_MODEL, has_openai
from logstream.notify.built_in_hub import BuiltInHub
from logstream.notify.publisher import PROBE_SECONDS, Publisher
from logstream.notify.web_pubsub import WebPubSub
from logstream.passes import Passes, renewing
from logstream.ports import LogReader
from logstream.query.cache import CachedReader
from logstream.query.export.exporter import Exporter
from logstream.query.reader import PostgresReader
from logstream.query.trace_cache import CachedTraceReader
from logstream.query.trace_reader import PostgresTraceReader
from logstream.receive.redaction import Redaction
from logstream.settings import Settings

PASS_SECRET = "pass-secret"  # noqa: S105 - the name of a file


def database_url(settings: Settings) -> str:
    """The libpq address of the database in use.

    Without DATABASE_URL that is the embedded database of a running `up` on the same data
    directory. Raises SettingsError when neither is there.
    """
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    from logstream.land.embedded import running_url

    url = running_url(settings.data_dir)
    if url is None:
        raise SettingsError(
            f"DATABASE_URL is not set and no embedded database runs in {settings.data_dir}",
            "start 'logstream up', or set DATABASE_URL to a postgresql:// address",
        )
    return url


def open_engine(url: str, *, statement_timeout_seconds: float, read_only: bool) -> sa.Engine:
    """A pooled SQLAlchemy engine on psycopg 3 for a libpq address.

    For reading: as the role that may only read, where there is one; every question sees one
    moment of the store, however many statements it takes.
    """
    options = f"-c statement_timeout={int(statement_timeout_seconds * 1000)} -c timezone=UTC"
    if read_only:
        options += (
            " -c default_transaction_read_only=on"
            r" -c default_transaction_isolation=repeatable\ read -c jit=off"
        )
    engine = sa.create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        pool_size=5,
        max_overflow=10,
        pool_timeout=10,
        pool_pre_ping=True,
        connect_args={
            "options": options,
            "connect_timeout": 5,
            # A server that is gone without a word must not hold a question for minutes.
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "tcp_user_timeout": 10_000,
            "application_name": "logstream-read" if read_only else "logstream",
        },
    )
    if read_only:
        sa.event.listen(engine, "connect", become_reader)
    return engine


def open_reader(settings: Settings) -> CachedReader:
    """A reader of the database in use, which all viewers of this process share."""
    return CachedReader(_open_postgres(settings))


def _open_postgres(settings: Settings) -> PostgresReader:
    return PostgresReader(
        open_engine(
            database_url(settings),
            statement_timeout_seconds=settings.statement_timeout_seconds,
            read_only=True,
        )
    )


def open_traces(
    settings: Settings, watched: Callable[[], AbstractContextManager[None]] = nullcontext
) -> CachedTraceReader:
    """A reader of traces and services, which all viewers of this process share.

    `watched` surrounds its questions, see PostgresTraceReader.
    """
    engine = open_engine(
        database_url(settings),
        statement_timeout_seconds=settings.statement_timeout_seconds,
        read_only=True,
    )
    return CachedTraceReader(PostgresTraceReader(engine, watched))


def open_exporter(settings: Settings) -> Exporter:
    """What exports the lines of the database in use, over connections of its own."""
    return Exporter(
        open_engine(
            database_url(settings),
            statement_timeout_seconds=settings.statement_timeout_seconds,
            read_only=True,
        )
    )


@dataclass(frozen=True)
class Store:
    """The database in use as the service sees it: there, away, or not there yet."""

    reader: LogReader
    writer: GroupCommit
    watch: DatabaseWatch
    database: CachedReader
    lines: RecentLines
    # The pattern of a record that has just landed, 0 when it is not known; never blocks.
    pattern_of: Callable[[LogRecord], int]
    # Notes that a refused record was sent again; blocks, raises StoreUnavailable.
    mark_resent: Callable[[int], None]
    # API keys as people may see them; blocks.
    shown_keys: Callable[[], list[dict[str, Any]]]
    aliases: AliasTable
    notes: ServiceNotes
    views: ViewTable
    exporter: Exporter
    traces: CachedTraceReader

    @property
    def away(self) -> Away | None:
        """Since when and why lines cannot be landed; None when all is well."""
        return self.writer.away or self.watch.away

    def start(self) -> None:
        """Begin looking for the database and landing."""
        self.watch.start()
        self.writer.start()

    async def close(self) -> None:
        """Land or spool what waits, then give everything back."""
        await self.writer.close()
        await self.watch.close()
        self.exporter.close()
        self.traces.close()
        self.database.close()


def open_store(
    settings: Settings,
    on_landed: Callable[[int, Sequence[LogRecord]], None],
    elsewhere: Elsewhere | None = None,
) -> Store:
    """Reader and writer of the database in use; see GroupCommit for `on_landed`.

    `elsewhere` is what further processes of the service remember.

    The database need not be there. Raises SettingsError when the spool's folder cannot be used.
    """
    try:
        spool = Spool(settings.data_dir / "spool", settings.spool_max_bytes)
    except OSError as error:
        raise SettingsError(
            f"LOGSTREAM_DATA_DIR={settings.data_dir} cannot hold the spool: {error.strerror}",
            "give a directory that can be written",
        ) from None
    url = database_url(settings)
    watch = DatabaseWatch(functools.partial(migrate, url), newest_schema())
    lines = RecentLines()

    def landed(first_id: int, records: Sequence[LogRecord]) -> None:
        lines.landed(first_id, records)
        on_landed(first_id, records)

    writer = GroupCommit(
        PostgresWriter(url, check=watch.check),
        spool,
        on_landed=landed,
        on_spooled=lines.spooled,
        watch=watch,
        max_pending_bytes=settings.max_pending_bytes,
        land_timeout_seconds=settings.land_timeout_seconds,
    )
    postgres = _open_postgres(settings)
    database = CachedReader(postgres)
    reader = RememberingReader(
        database, lines, watch, lambda: (writer.away, writer.spool_report.lines), elsewhere
    )
    return Store(
        reader,
        writer,
        watch,
        database,
        lines,
        lambda record: postgres.pattern_of(writer.skeleton_of(record) or 0),
        functools.partial(mark_resent, url),
        functools.partial(shown_keys, url),
        AliasTable(url),
        ServiceNotes(url),
        ViewTable(url),
        open_exporter(settings),
        open_traces(settings, reader.watched),
    )


def migrate(url: str) -> None:
    """Bring the database at a libpq address to this version's schema.

    Raises StoreUnavailable when it may help to try again later, SettingsError when not.
    """
    engine = open_engine(url, statement_timeout_seconds=0, read_only=False)
    try:
        run_migrations(engine)
    except sa.exc.DBAPIError as error:
        raise as_ours(error) from None
    finally:
        engine.dispose()


def open_push(
    settings: Settings, is_heard: Callable[[str], bool] | None = None
) -> tuple[BuiltInHub | None, WebPubSub, Publisher]:
    """The hub to serve (None on Azure), the client that publishes, and the publisher.

    `is_heard` is given when another process serves the built-in hub at our address: whether
    a group there has an audience. The hub to serve is None then, too.
    """
    if settings.webpubsub_connection_string is not None:
        push = WebPubSub(
            settings.webpubsub_connection_string.get_secret_value(), settings.webpubsub_hub
        )
        return None, push, Publisher(push, probe_seconds=PROBE_SECONDS)
    hub = BuiltInHub(hub_access_key(settings.data_dir), settings.webpubsub_hub)
    push = WebPubSub(
        hub.connection_string(url_host(settings.host), settings.port), settings.webpubsub_hub
    )
    if is_heard is not None:
        return None, push, Publisher(push, has_audience=is_heard)
    return hub, push, Publisher(push, has_audience=hub.has_members)


def open_chat_model(settings: Settings) -> OpenAIChat | None:
    """The language model that is configured; None when there is none. Nothing is sent yet."""
    if settings.azure_openai_endpoint is not None:
        return OpenAIChat(
            settings.azure_openai_deployment or "",
            key=_revealed(settings.azure_openai_key),
            base_url=settings.azure_openai_endpoint,
            is_azure=True,
            api_version=settings.azure_openai_api_version,
        )
    if has_openai(settings):
        return OpenAIChat(
            settings.openai_model or USUAL_MODEL,
            key=_revealed(settings.openai_api_key),
            base_url=settings.openai_base_url,
        )
    return None


def open_asker(settings: Settings, reader: LogReader, *, has_model: bool = True) -> Asker:
    """What reads questions in plain words, with the configured model if there is one."""
    return Asker(
        reader,
        AliasTable(database_url(settings)).every,
        open_chat_model(settings) if has_model else None,
        Redaction.parse(settings.redact or ""),
    )


def _revealed(secret: SecretStr | None) -> str:
    return "" if secret is None else secret.get_secret_value()


def hub_access_key(data_dir: Path) -> str:
    """The built-in hub's secret, made at first start and kept in the data directory."""
    return _kept_secret(data_dir, "hub-access-key")


def passes(settings: Settings) -> Passes:
    """Signs and checks what lets LogStream's own processes and pages in."""
    if settings.secret is not None:
        return Passes(settings.secret.get_secret_value())
    return Passes(_kept_secret(settings.data_dir, PASS_SECRET))


def sender_authorization(
    settings: Settings, holder: str, role: Role = "ingest"
) -> Callable[[], dict[str, str]]:
    """What a command of ours gets in with: LOGSTREAM_API_KEY, or a pass.

    The pass is good for the service of the same data directory.
    """
    if settings.api_key is not None:
        header = {"Authorization": f"Bearer {settings.api_key.get_secret_value()}"}
        return lambda: header
    if settings.secret is None and not (settings.data_dir / PASS_SECRET).exists():
        return dict  # no service was ever started here
    return renewing(passes(settings), role, holder)


def requires_keys(settings: Settings) -> bool:
    """Whether every request needs an API key."""
    if settings.require_keys is not None:
        return settings.require_keys
    return not is_loopback(settings.host)


def guarded(settings: Settings, say: Callable[[str], None]) -> Settings:
    """The settings with a host that may be listened on; `say` is told when that is another.

    Without any key nobody is let in from outside by accident: then only loopback is listened
    on, unless LOGSTREAM_REQUIRE_KEYS says that this was thought of.
    """
    is_inside = is_loopback(settings.host)
    if is_inside and settings.require_keys is not True:
        return settings
    if not is_inside and settings.require_keys is False:
        return settings
    if _holds_keys(database_url(settings)):
        return settings
    make_one = "logstream keys create --environment production --role ingest"
    if settings.require_keys:
        say(f"API keys are needed and there is none yet; make one with: {make_one}")
        return settings
    loopback = "::1" if ":" in settings.host else "127.0.0.1"
    say(
        f"no API key exists, so LOGSTREAM_HOST={settings.host} is not listened on but {loopback}; "
        f"make one with '{make_one}' and start again, or set LOGSTREAM_REQUIRE_KEYS=false "
        "behind a guard of your own"
    )
    return settings.model_copy(update={"host": loopback})


def _holds_keys(url: str) -> bool:
    """Whether there is a key; True too when nobody knows: then every request needs one."""
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            return holds_keys(connection)
    except psycopg.Error:
        return True


def _kept_secret(data_dir: Path, name: str) -> str:
    path = data_dir / name
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
            fresh.touch(mode=0o600)
            fresh.write_text(secrets.token_urlsafe(32))
            # The first of two processes wins; both then read the same secret.
            try:
                path.hardlink_to(fresh)
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        return path.read_text().strip()
    except OSError as error:
        raise SettingsError(
            f"LOGSTREAM_DATA_DIR={data_dir} cannot be used: {error.strerror}",
            "give a directory that can be written",
        ) from None

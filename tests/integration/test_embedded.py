"""The embedded PostgreSQL's supervisor, with real servers that are really killed."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from logstream.errors import SettingsError, StoreUnavailable
from logstream.land.embedded import EmbeddedPostgres, holder, running_url

pytestmark = pytest.mark.slow

SUPERVISOR = """
import sys, time
from pathlib import Path
from logstream.land.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), "logstream up")
print(server.start(), flush=True)
print(server.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str, int]]:
    """Another process that runs the server of tmp_path: the process, URL, the server's pid."""
    process = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    server_pid = 0
    try:
        url, server_pid = process.stdout.readline().strip(), int(process.stdout.readline())
        yield process, url, server_pid
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        if server_pid and psutil.pid_exists(server_pid):
            psutil.Process(server_pid).send_signal(signal.SIGQUIT)


def write_line(url: str, body: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS lines (body text)")
        connection.execute("INSERT INTO lines VALUES (%s)", (body,))


def lines(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("SELECT body FROM lines ORDER BY body")]


def test_data_is_kept_across_a_stop_and_a_start(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path) as server:
        write_line(server.url, "payment authorised")
    assert not server.is_running()
    with EmbeddedPostgres(tmp_path) as server:
        assert lines(server.url) == ["payment authorised"]


def test_a_long_path_with_spaces_works(tmp_path: Path) -> None:
    deep = tmp_path / "a project of mine" / ("long-" * 20) / "data"
    with EmbeddedPostgres(deep) as server:
        write_line(server.url, "order placed")
        assert lines(server.url) == ["order placed"]


def test_no_tcp_port_is_opened_and_commits_reach_the_disk(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path) as server, psycopg.connect(server.url) as connection:
        settings = dict(
            connection.execute(
                "SELECT name, setting FROM pg_settings WHERE name IN ('listen_addresses',"
                " 'fsync', 'synchronous_commit', 'full_page_writes', 'data_checksums')"
            ).fetchall()
        )
        assert settings == {
            "listen_addresses": "",
            "fsync": "on",
            "synchronous_commit": "on",
            "full_page_writes": "on",
            "data_checksums": "on",
        }
        encoding = connection.execute("SHOW server_encoding").fetchone()
        assert encoding == ("UTF8",)
        assert server.server_version.startswith("18")


def test_only_its_user_can_reach_the_socket(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path):
        mode = (tmp_path / "postgres" / "socket").stat().st_mode
        assert stat.S_IMODE(mode) == 0o700


def test_a_second_supervisor_is_told_who_holds_the_directory(
    tmp_path: Path, supervisor: tuple[subprocess.Popen[str], str, int]
) -> None:
    process, url, _ = supervisor
    second = EmbeddedPostgres(tmp_path)
    with pytest.raises(SettingsError) as refusal:
        second.start()
    assert f"in use by process {process.pid} (logstream up, since " in refusal.value.one_line()
    assert "choose another --data-dir" in refusal.value.one_line()
    assert running_url(tmp_path) == url
    write_line(url, "the first one is not disturbed")


def test_the_directory_is_free_after_a_stop(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path):
        assert holder(tmp_path) is not None
    assert holder(tmp_path) is None
    assert running_url(tmp_path) is None


def test_a_killed_server_is_started_again_with_all_that_was_committed(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path) as server:
        write_line(server.url, "card charged")
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        while server.is_running():
            time.sleep(0.01)
        server.start()
        assert lines(server.url) == ["card charged"]


def test_a_server_whose_supervisor_was_killed_is_taken_over(
    tmp_path: Path, supervisor: tuple[subprocess.Popen[str], str, int]
) -> None:
    process, url, orphan = supervisor
    write_line(url, "stock reserved")
    process.kill()
    process.wait()
    assert psutil.pid_exists(orphan)
    with EmbeddedPostgres(tmp_path) as server:
        assert server.pid != orphan
        assert not psutil.pid_exists(orphan) or psutil.Process(orphan).status() == "zombie"
        assert lines(server.url) == ["stock reserved"]


def test_a_start_after_server_and_supervisor_were_killed_recovers(
    tmp_path: Path, supervisor: tuple[subprocess.Popen[str], str, int]
) -> None:
    process, url, orphan = supervisor
    write_line(url, "parcel sent")
    os.kill(orphan, signal.SIGKILL)
    process.kill()
    process.wait()
    with EmbeddedPostgres(tmp_path) as server:
        assert lines(server.url) == ["parcel sent"]


def test_a_stale_pid_file_that_names_somebody_elses_process_is_no_obstacle(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path) as server:
        write_line(server.url, "refund issued")
        assert server.pid is not None
        pid_file = server.cluster / "postmaster.pid"
        written = pid_file.read_text()
        dead_pid = str(server.pid)
        os.kill(server.pid, signal.SIGKILL)
    # the number was given to another process since: this one
    pid_file.write_text(written.replace(dead_pid, str(os.getpid()), 1))
    with EmbeddedPostgres(tmp_path) as server:
        assert lines(server.url) == ["refund issued"]


def test_a_half_made_cluster_is_redone(tmp_path: Path) -> None:
    unfinished = tmp_path / "postgres" / "data.new"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(tmp_path) as server:
        write_line(server.url, "begun anew")
        assert lines(server.url) == ["begun anew"]
    assert not unfinished.exists()


def test_a_data_directory_that_cannot_be_made_gives_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("a file, not a folder")
    with pytest.raises(SettingsError) as refusal:
        EmbeddedPostgres(tmp_path / "notes.txt" / "data").start()
    assert refusal.value.one_line() == (
        f"cannot use data directory {tmp_path}/notes.txt/data: {tmp_path}/notes.txt/data: "
        "Not a directory; choose another --data-dir (LOGSTREAM_DATA_DIR)"
    )


def test_a_cluster_of_another_major_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path) as server:
        pass
    (server.cluster / "PG_VERSION").write_text("15\n")
    with pytest.raises(SettingsError, match="was made by PostgreSQL 15; the embedded one is 18"):
        EmbeddedPostgres(tmp_path).start()


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path) as server:
        pass
    (server.cluster / "global" / "pg_control").unlink()
    with pytest.raises(StoreUnavailable) as failure:
        EmbeddedPostgres(tmp_path).start()
    assert "could not" in failure.value.message
    assert "pg_control" in failure.value.message
    assert holder(tmp_path) is None

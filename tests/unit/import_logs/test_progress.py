from contextlib import closing
from pathlib import Path

import pytest

from logstream.errors import LogStreamError
from logstream.import_logs.progress import FILE_NAME, FileProgress, Intent, Progress, ProgressBusy


def entry_of(path: Path) -> FileProgress:
    status = path.stat()
    return FileProgress(str(path), status.st_ino, status.st_dev, "", "", "program", 7)


def intent(start: int, end: int) -> Intent:
    return Intent(start, end, 3, f"key-{start}", f"digest-{end}", 1, 2)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "shop.log"
    path.write_text("one\n")
    return path


def candidates(data_dir: Path, path: Path, service: str = "") -> list[FileProgress]:
    with closing(Progress(data_dir)) as progress:
        return progress.candidates(path, path.stat(), service, "")


def remember(data_dir: Path, path: Path) -> None:
    with closing(Progress(data_dir)) as progress:
        progress.add(entry_of(path))
        progress.save()


def test_an_intent_is_on_disk_before_the_batch_is_sent(tmp_path: Path, log: Path) -> None:
    remember(tmp_path, log)
    with closing(Progress(tmp_path)) as progress:
        (entry,) = progress.candidates(log, log.stat(), "", "")
        progress.intend(entry, intent(0, 4))
    (found,) = candidates(tmp_path, log)
    assert found.pending == [intent(0, 4)]
    assert found.check() == (4, "digest-4")
    with closing(Progress(tmp_path)) as progress:
        (entry,) = progress.candidates(log, log.stat(), "", "")
        progress.finish(entry, intent(0, 4))
    (found,) = candidates(tmp_path, log)
    assert found.pending == []
    assert (found.offset, found.digest, found.last_unix_nano) == (4, "digest-4", 2)


def test_other_options_are_another_import(tmp_path: Path, log: Path) -> None:
    remember(tmp_path, log)
    assert candidates(tmp_path, log)
    assert candidates(tmp_path, log, service="till") == []


def test_a_renamed_file_is_known_and_a_copy_beside_it_is_another(tmp_path: Path, log: Path) -> None:
    remember(tmp_path, log)
    copy = tmp_path / "copy.log"
    copy.write_bytes(log.read_bytes())
    assert candidates(tmp_path, copy) == []
    renamed = log.rename(tmp_path / "shop.log.1")
    assert candidates(tmp_path, renamed)


def test_two_imports_never_write_one_progress_file(tmp_path: Path) -> None:
    with closing(Progress(tmp_path)), pytest.raises(ProgressBusy) as caught:
        Progress(tmp_path)
    assert "another import is writing" in caught.value.message
    Progress(tmp_path).close()


def test_a_damaged_progress_file_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("{broken")
    with pytest.raises(LogStreamError) as caught:
        Progress(tmp_path)
    assert FILE_NAME in caught.value.message
    assert caught.value.hint.startswith("remove it")


def test_a_data_directory_that_is_a_file_is_one_clear_line(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(LogStreamError) as caught:
        Progress(blocked / "data")
    assert "LOGSTREAM_DATA_DIR" in caught.value.hint

"""The ingest service over a real PostgreSQL, for the tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service_thread import running_service, settings_for


@pytest.fixture
def service(database_url: str, tmp_path: Path) -> Iterator[str]:
    """Base URL of a running ingest service on a fresh database."""
    with running_service(settings_for(database_url, tmp_path)) as base:
        yield base

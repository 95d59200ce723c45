"""Fixtures of the gym's tests: a database of each kind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.gym.database.database import Database, open_database
from tests import needs
from tests.gym.postgresql import PostgreSQL

KINDS = ["sqlite", pytest.param("postgresql", marks=needs.postgresql)]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    server = PostgreSQL()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'gym.db'}"
    server: PostgreSQL = request.getfixturevalue("postgresql")
    return server.new_database()


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """An empty database of each kind, open."""
    opened = open_database(url)
    yield opened
    opened.close()


@pytest.fixture
def lone_database(tmp_path: Path) -> Iterator[Database]:
    """An empty SQLite database, for tests of what both kinds do alike."""
    opened = open_database(f"sqlite:///{tmp_path / 'lone.db'}")
    yield opened
    opened.close()

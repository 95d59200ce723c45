"""Fixtures of the gym's tests: a database of each kind."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.gym.database.database import Database, open_database
from tests import needs
from tests.gym.postgresql import PostgreSQL
from tests.unhurried import unhurried as unhurried

KINDS = ["sqlite", pytest.param("postgresql", marks=needs.postgresql)]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    server = PostgreSQL()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with empty tables: to copy it costs a quarter of what the migrations cost."""
    file = tmp_path_factory.mktemp("migrated") / "gym.db"
    open_database(f"sqlite:///{file}").close()
    return file


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, migrated: Path, tmp_path: Path) -> str:
    """Of a database with empty tables."""
    if request.param == "sqlite":
        return f"sqlite:///{shutil.copy(migrated, tmp_path / 'gym.db')}"
    server: PostgreSQL = request.getfixturevalue("postgresql")
    return server.new_database()


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """A database of each kind with empty tables, open."""
    opened = open_database(url)
    yield opened
    opened.close()


@pytest.fixture
def lone_database(migrated: Path, tmp_path: Path) -> Iterator[Database]:
    """A SQLite database with empty tables, for tests of what both kinds do alike."""
    opened = open_database(f"sqlite:///{shutil.copy(migrated, tmp_path / 'lone.db')}")
    yield opened
    opened.close()

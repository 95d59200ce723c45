"""Fixtures of the tests of the gym's REST interface."""

from collections.abc import Iterator

import pytest

from monitor.gym.database.database import Database
from tests.gym.web.stage import WebStage, web_stage


@pytest.fixture
def gym(lone_database: Database) -> Iterator[WebStage]:
    """With an empty database, and no broker."""
    with web_stage(lone_database) as stage:
        yield stage

"""A gym's database for the tests of the exports, and the command."""

from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.__main__ import main
from monitor.gym.database.database import Database
from monitor.gym.people.clients import add_client
from tests.gym.collected import NOON_UNIX_S, add_machine, add_set

DAY_S = 86_400.0
LOAD_80_6_KG_N = 80.6 * 9.80665


@pytest.fixture
def gym(lone_database: Database) -> Database:
    """Ada with two visits, Ben without consent, a set of somebody unknown, and one of nobody."""
    with lone_database.writing() as connection:
        ada = add_client(connection, "Ada", "2025-11-01").client_id
        ben = add_client(connection, "Ben", None).client_id
        add_machine(connection, "leg-press", "Leg press")
        add_machine(connection, "row", "=Row, seated")
        add_set(connection, ada, "leg-press", NOON_UNIX_S, load_n=LOAD_80_6_KG_N, outcome="failure", under_load_s=92.4)
        add_set(connection, ada, "row", NOON_UNIX_S + 300, load_n=None, strength_n=None, skill=None, note="=1+1")
        add_set(connection, ben, "row", NOON_UNIX_S + 400)
        add_set(connection, "c-gone", "row", NOON_UNIX_S + 500, marked_failure=True)
        add_set(
            connection, None, "chest", NOON_UNIX_S + 600, started_unix_s=None, outcome="failure", marked_failure=False
        )
        add_set(connection, ada, "leg-press", NOON_UNIX_S + DAY_S, reps=5)
    return lone_database


@pytest.fixture
def export(gym: Database, tmp_path: Path) -> Callable[..., int]:
    """The command with these arguments and the database; returns its exit status."""
    config = tmp_path / "gym.toml"
    config.write_text(f'[store]\nurl = "sqlite:///{gym.place}"\n')
    return lambda *words: main(["export", "--sets", "--config", str(config), *map(str, words)])

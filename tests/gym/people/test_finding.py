"""A client is found by what a trainer types."""

import pytest

from monitor.gym.database.database import Database
from monitor.gym.people.clients import add_client
from monitor.gym.people.errors import UnknownClient
from monitor.gym.people.finding import client_named


def test_by_the_id_or_by_a_name_that_only_one_has(lone_database: Database) -> None:
    with lone_database.writing() as connection:
        jo = add_client(connection, "Jörg", None)
        anna, other_anna = (add_client(connection, name, None) for name in ("Anna", "ANNA"))
        assert client_named(connection, jo.client_id) == jo
        assert client_named(connection, " JO\u0308RG ") == jo
        assert client_named(connection, other_anna.client_id) == other_anna
        with pytest.raises(UnknownClient, match="2 clients have the name 'anna': give an id, c-") as refused:
            client_named(connection, "anna")
        assert anna.client_id in str(refused.value)
        with pytest.raises(UnknownClient, match="no client has the id or the name 'Ann'"):
            client_named(connection, "Ann")

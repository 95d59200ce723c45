"""Finds a client by what a trainer types: the id, or a name that only one client has."""

import unicodedata

from sqlalchemy import Connection

from monitor.gym.people.clients import Client, clients
from monitor.gym.people.errors import UnknownClient


def client_named(connection: Connection, word: str) -> Client:
    """Raises UnknownClient."""
    everybody = clients(connection)
    for one in everybody:
        if one.client_id == word:
            return one
    name = unicodedata.normalize("NFC", word.strip()).casefold()
    named = [one for one in everybody if one.name.casefold() == name]
    if len(named) == 1:
        return named[0]
    if named:
        ids = " or ".join(one.client_id for one in named)
        raise UnknownClient(f"{len(named)} clients have the name {word!r}: give an id, {ids}")
    raise UnknownClient(f"no client has the id or the name {word!r}: `rep-monitor gym people export` lists them")

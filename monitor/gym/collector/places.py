"""Reads and writes how far each machine is collected, in one transaction with what was collected."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, bindparam, select, update

from monitor.gym.collector.machine import CollectedMachine, Place
from monitor.gym.database.inserting import insert_missing
from monitor.gym.database.tables import events, forget_requests, machines, sets
from monitor.mqtt.contract.topics import TopicTree


class Collected(NamedTuple):
    """What one transaction stores."""

    events: list[dict[str, Any]]
    sets: list[dict[str, Any]]
    places: Mapping[TopicTree, Place]
    described: Sequence[CollectedMachine]  # with a new status or info
    now_unix_s: float


def read_places(connection: Connection, sites: Sequence[str]) -> dict[TopicTree, Place]:
    columns = machines.c
    query = select(columns.site, columns.machine, columns.store_id, columns.seq, columns.sets_seq, columns.lost).where(
        columns.site.in_(sites)
    )
    return {TopicTree(machine, site): Place(*place) for site, machine, *place in connection.execute(query)}


def store(connection: Connection, batch: Collected) -> None:
    """The same batch may be stored again: after a lost connection nobody knows whether it was."""
    seen = {"first_seen_unix_s": batch.now_unix_s, "last_seen_unix_s": batch.now_unix_s}
    new = dict.fromkeys([*batch.places, *(machine.tree for machine in batch.described)])
    insert_missing(connection, machines, [{"site": tree.root, "machine": tree.machine, **seen} for tree in new])
    insert_missing(connection, events, batch.events)
    if batch.sets:
        unnamed = select(forget_requests.c.client_id).where(forget_requests.c.done_unix_s.is_(None))
        forgotten = set(connection.execute(unnamed).scalars())
        insert_missing(
            connection,
            sets,
            [row if row["client_id"] not in forgotten else row | {"client_id": None} for row in batch.sets],
        )
    _change(connection, [(tree, msgspec.structs.asdict(place)) for tree, place in batch.places.items()], batch)
    _change(connection, [(m.tree, {"status": m.status, "info": m.info}) for m in batch.described], batch)


def _change(connection: Connection, rows: Sequence[tuple[TopicTree, dict[str, Any]]], batch: Collected) -> None:
    if not rows:
        return
    query = update(machines).where(
        machines.c.site == bindparam("its_site"), machines.c.machine == bindparam("its_machine")
    )
    changed = [
        {"its_site": tree.root, "its_machine": tree.machine, "last_seen_unix_s": batch.now_unix_s, **values}
        for tree, values in rows
    ]
    names = [name for name in changed[0] if not name.startswith("its_")]
    connection.execute(query.values({name: bindparam(name) for name in names}), changed)

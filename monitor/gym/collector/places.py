"""Reads and writes how far each machine is collected, in one transaction with what was collected."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, select

from monitor.gym.collector.machine import CollectedMachine, Place
from monitor.gym.database.inserting import insert_missing, insert_or_change
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
    insert_missing(connection, events, batch.events)
    if batch.sets:
        unnamed = select(forget_requests.c.client_id).where(forget_requests.c.done_unix_s.is_(None))
        forgotten = set(connection.execute(unnamed).scalars())
        insert_missing(
            connection,
            sets,
            [row if row["client_id"] not in forgotten else row | {"client_id": None} for row in batch.sets],
        )
    seen = {"first_seen_unix_s": batch.now_unix_s, "last_seen_unix_s": batch.now_unix_s}
    for rows in (
        [_key(tree) | seen | msgspec.structs.asdict(place) for tree, place in batch.places.items()],
        [_key(machine.tree) | seen | {"status": machine.status, "info": machine.info} for machine in batch.described],
    ):
        insert_or_change(connection, machines, rows, kept=["first_seen_unix_s"])


def _key(tree: TopicTree) -> dict[str, Any]:
    return {"site": tree.root, "machine": tree.machine}

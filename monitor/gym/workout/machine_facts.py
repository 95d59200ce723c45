"""What the card needs to know of a machine: its name, its place on the floor, the loads that it can select."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, select, tuple_

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2
from monitor.gym.database.tables import machines
from monitor.gym.people.clients import MachineKey


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineFacts:
    """A machine of the gym."""

    label: str
    position: int
    plates_n: Sequence[float]  # rising; empty where not known


class _Plates(msgspec.Struct):
    plates_kg: tuple[float, ...] | None = None


class _Info(msgspec.Struct):
    """The part of `InfoMessage` that is needed; what else a machine says does not matter here."""

    machine: _Plates


def machine_facts(connection: Connection, keys: Collection[MachineKey]) -> dict[MachineKey, MachineFacts]:
    """Of every key, also of a machine that has never been there."""
    columns = machines.c
    query = select(columns.site, columns.machine, columns.label, columns.position, columns.info)
    found = {key: MachineFacts(label=key[1], position=0, plates_n=()) for key in keys}
    for site, machine, label, position, info in connection.execute(
        query.where(tuple_(columns.site, columns.machine).in_(list(keys)))
    ):
        found[site, machine] = MachineFacts(label=label or machine, position=position, plates_n=plates_n(info))
    return found


def plates_n(info: object) -> tuple[float, ...]:
    """From a machine's info, as it is stored; none where that is of another version, or says nothing about plates."""
    try:
        plates_kg = msgspec.convert(info, type=_Info).machine.plates_kg or ()
    except msgspec.ValidationError:
        return ()
    return tuple(sorted({kg * STANDARD_GRAVITY_M_S2 for kg in plates_kg if kg > 0}))

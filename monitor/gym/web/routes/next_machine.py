"""Sends a client on to the next machine, which gets lifter, load and tempo at the same time."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from fastapi import APIRouter

from monitor.gym.collector.questions import NoAnswer
from monitor.gym.database.database import Database
from monitor.gym.people.clients import Client, Setting, client, setting
from monitor.gym.web.house import House, TheHouse, Trainer
from monitor.gym.web.problem import Refusal
from monitor.gym.web.request_body import RequestBody
from monitor.gym.web.texts import ClientId, Id, Site
from monitor.mqtt.contract.commands import Command, LifterCommand, LoadCommand, ProtocolCommand

router = APIRouter(prefix="/api", tags=["floor"])


class NextRequest(RequestBody):
    """Who goes where."""

    client_id: ClientId
    site: Site
    machine: Id


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandAnswer:
    """What the machine answered. `detail` is a sentence where it did not do it."""

    command: str  # lifter, load or protocol
    ok: bool
    detail: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class NextSet:
    """What the client finds there. `load_n` null: none is chosen; `protocol` null: that of the machine's profile."""

    seat: str
    load_n: float | None
    protocol: str | None
    answers: list[CommandAnswer]


@router.post("/next")
async def next_machine(asked: NextRequest, house: TheHouse, _: Trainer) -> NextSet:
    """Sends lifter, load and tempo to a machine. A client without consent is not named there."""
    who, its = await asyncio.to_thread(_chosen, house.database, asked)
    now = house.collector.floor.get((asked.site, asked.machine))
    if now is None:
        raise Refusal(HTTPStatus.NOT_FOUND, "No machine of this name has been seen here.")
    commands: dict[str, Command] = {
        "lifter": LifterCommand(id="next", stamp_s=0.0, lifter=who.client_id if who.consent_on is not None else None),
    }
    if now.info is None or now.info.machine.kind != "static":  # which has no load: its target is a share of a peak
        commands["load"] = LoadCommand(id="next", stamp_s=0.0, load_n=its.next_load_n)
    commands["protocol"] = ProtocolCommand(id="next", stamp_s=0.0, name=its.protocol)
    if now.online:
        answers: Sequence[CommandAnswer] = await asyncio.gather(
            *(_answer(house, asked, name, command) for name, command in commands.items())
        )
    else:
        offline = "The machine is offline: start its computer, or look at its network."
        answers = [CommandAnswer(command=name, ok=False, detail=offline) for name in commands]
    house.floor.changed()
    return NextSet(seat=its.seat, load_n=its.next_load_n, protocol=its.protocol, answers=list(answers))


def _chosen(database: Database, asked: NextRequest) -> tuple[Client, Setting]:
    with database.reading() as connection:
        who = client(connection, asked.client_id)
        return who, setting(connection, asked.client_id, asked.site, asked.machine)


async def _answer(house: House, asked: NextRequest, name: str, command: Command) -> CommandAnswer:
    try:
        ack = await house.collector.command(asked.site, asked.machine, command)
    except NoAnswer as silence:
        return CommandAnswer(command=name, ok=False, detail=f"{silence}.")
    return CommandAnswer(command=name, ok=ack.ok, detail=None if ack.ok else ack.detail or ack.error)

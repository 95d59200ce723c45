"""The floor: every machine at once, what they are called, and in which order they stand."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field
from sqlalchemy import update

from monitor.gym.database.tables import machines
from monitor.gym.web.floor_view import ShownFloor
from monitor.gym.web.house import Reader, TheHouse, Trainer
from monitor.gym.web.problem import Refusal
from monitor.gym.web.request_body import RequestBody
from monitor.gym.web.texts import Id, Line, Site

router = APIRouter(prefix="/api", tags=["floor"])


class MachinePlace(RequestBody):
    """What people call a machine (null: its id), and its place in the order on the floor."""

    site: Site
    machine: Id
    label: Line | None
    position: Annotated[int, Field(ge=0, le=10_000)]


@router.get("/floor", response_model=ShownFloor)
async def floor(login: Reader, house: TheHouse) -> Response:
    """Every machine now; to be asked once a second. Displays get no name without consent."""
    return Response(await house.floor.encoded(login.role), media_type="application/json")


@router.patch("/machines")
def place_machine(place: MachinePlace, house: TheHouse, _: Trainer) -> MachinePlace:
    """Names a machine, and places it on the floor."""
    its = (machines.c.site == place.site) & (machines.c.machine == place.machine)
    with house.database.writing() as connection:
        values = {"label": place.label or None, "position": place.position}
        changed = connection.execute(update(machines).where(its).values(values)).rowcount
    if not changed:
        raise Refusal(HTTPStatus.NOT_FOUND, "No machine of this name has been seen here.")
    house.floor.changed()
    return place

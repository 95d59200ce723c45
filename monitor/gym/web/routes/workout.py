"""The workout: visits with their sets, a client's card and progress."""

import time
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse
from pydantic import Field

from monitor.gym.handout.handout import handout, handout_policy
from monitor.gym.web.house import Reader, TheHouse, Trainer
from monitor.gym.web.request_body import RequestBody
from monitor.gym.web.texts import ClientId, Id, Note, Site, UnixTime
from monitor.gym.workout.card import Card, card
from monitor.gym.workout.progress import Point, progress
from monitor.gym.workout.visits import Visit, VisitSet, mark_set, visits
from monitor.profile.weights import Unit

DAY_S = 86_400.0
HTML: dict[str, Any] = {"text/html": {"schema": {"type": "string"}}}
router = APIRouter(prefix="/api", tags=["workout"])


class SetMark(RequestBody):
    """What the trainer says about a set. `marked_failure` null: as detected."""

    site: Site
    machine: Id
    store_id: Id
    seq: Annotated[int, Field(ge=1, le=2**53)]
    marked_failure: bool | None
    note: Note | None


@router.get("/visits")
def list_visits(
    login: Reader,
    house: TheHouse,
    since_unix_s: UnixTime | None = None,
    until_unix_s: UnixTime | None = None,
    client_id: Annotated[Id | None, Query()] = None,
) -> list[Visit]:
    """The visits in which a set ended in that time, of one client or all; without all three, those of the last day.

    A display gets no id of a client without consent, and no notes.
    """
    if client_id is None and since_unix_s is None:
        since_unix_s = (time.time() if until_unix_s is None else until_unix_s) - DAY_S
    with house.database.reading() as connection:
        found = visits(connection, client_id, since_unix_s, until_unix_s)
    return found if login.role == "trainer" else [_for_display(visit) for visit in found]


def _for_display(visit: Visit) -> Visit:
    client_id = visit.client_id if visit.name is not None else None
    return replace(visit, client_id=client_id, sets=[replace(one, note=None, seat="") for one in visit.sets])


@router.patch("/sets")
def change_set(mark: SetMark, house: TheHouse, _: Trainer) -> VisitSet:
    """Marks a set as a failure or not, and keeps a note."""
    with house.database.writing() as connection:
        return mark_set(connection, mark.site, mark.machine, mark.store_id, mark.seq, mark.marked_failure, mark.note)


@router.get("/clients/{client_id}/card")
def client_card(
    client_id: ClientId, house: TheHouse, _: Trainer, sheet: Annotated[int, Query(ge=0, le=10_000)] = 0
) -> Card:
    """A sheet of a client's card, 16 visits wide; sheet 0 has the newest."""
    with house.database.reading() as connection:
        return card(connection, client_id, sheet)


@router.get("/clients/{client_id}/progress")
def client_progress(
    client_id: ClientId, site: Annotated[Site, Query()], machine: Annotated[Id, Query()], house: TheHouse, _: Trainer
) -> list[Point]:
    """A client's skill and strength at one machine, visit by visit."""
    with house.database.reading() as connection:
        return progress(connection, client_id, site, machine)


@router.get("/clients/{client_id}/handout", response_class=Response, responses={200: {"content": HTML}})
def client_handout(
    client_id: ClientId, began_unix_s: UnixTime, house: TheHouse, _: Trainer, units: Unit = "kg"
) -> Response:
    """A client's visit as one page of A4, in this computer's local time."""
    with house.database.reading() as connection:
        page = handout(connection, client_id, began_unix_s, units)
    policy = f"{handout_policy()}; frame-ancestors 'none'"
    return HTMLResponse(page, headers={"Content-Security-Policy": policy})

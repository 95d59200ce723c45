"""The people: clients, how each machine is set for them, the table of all, and forgetting."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BeforeValidator, Field

from monitor.gym.forgetting import AskedForgetting, forget_client, forget_request
from monitor.gym.people.clients import (
    Client,
    Setting,
    add_client,
    change_client,
    client,
    clients,
    set_setting,
    setting,
    settings_of,
)
from monitor.gym.people.people_csv import ImportReport, export_people, import_people
from monitor.gym.people.people_table import people_text
from monitor.gym.web.house import TheHouse, Trainer
from monitor.gym.web.problem import Refusal
from monitor.gym.web.request_body import RequestBody
from monitor.gym.web.texts import ClientId, Line, Note

router = APIRouter(prefix="/api", tags=["people"])
CSV: dict[str, Any] = {"text/csv": {"schema": {"type": "string"}}}
Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]


def _of_known_fields(given: Any) -> Any:
    if isinstance(given, dict) and (odd := sorted(given.keys() - Setting.__dataclass_fields__.keys())):
        raise ValueError(f"has an unknown field, {odd[0]!r:.40}; known are {', '.join(Setting.__dataclass_fields__)}")
    return given


GivenSetting = Annotated[Setting, BeforeValidator(_of_known_fields)]


class NewClient(RequestBody):
    """`consent_on`: the day on which the client consented; null: not yet."""

    name: Line
    consent_on: Day | None = None
    note: Note = ""


class ChangedClient(RequestBody):
    """What is not given stays as it is."""

    name: Line = ""
    consent_on: Day | None = None
    note: Note = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ForgetBegun:
    """Ask `/api/forget/{request_id}` for the machines' answers."""

    request_id: str


@router.get("/clients")
def list_clients(house: TheHouse, _: Trainer) -> list[Client]:
    """Everybody, by name."""
    with house.database.reading() as connection:
        return clients(connection)


@router.post("/clients", status_code=HTTPStatus.CREATED)
def new_client(given: NewClient, house: TheHouse, _: Trainer) -> Client:
    """Adds a client under a new id."""
    with house.database.writing() as connection:
        return add_client(connection, given.name, given.consent_on, given.note)


@router.get("/clients/{client_id}")
def one_client(client_id: ClientId, house: TheHouse, _: Trainer) -> Client:
    """A client by id."""
    with house.database.reading() as connection:
        return client(connection, client_id)


@router.patch("/clients/{client_id}")
def changed_client(client_id: ClientId, changes: ChangedClient, house: TheHouse, _: Trainer) -> Client:
    """Changes a name, a consent or a note."""
    with house.database.writing() as connection:
        changed = change_client(connection, client_id, **changes.model_dump(exclude_unset=True))
    house.floor.changed()
    return changed


@router.delete("/clients/{client_id}", status_code=HTTPStatus.ACCEPTED)
def forget(client_id: ClientId, house: TheHouse, _: Trainer) -> ForgetBegun:
    """Forgets a client: here at once, on every machine as soon as it is there."""
    with house.database.reading() as connection:
        client(connection, client_id)
    request_id = forget_client(house.database, client_id)
    house.floor.changed()
    return ForgetBegun(request_id=request_id)


@router.get("/forget/{request_id}")
def forgotten(
    request_id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")], house: TheHouse, _: Trainer
) -> AskedForgetting:
    """What the machines answered to a forgetting."""
    with house.database.reading() as connection:
        found = forget_request(connection, request_id)
    if found is None:
        raise Refusal(HTTPStatus.NOT_FOUND, "Nobody was forgotten under this id.")
    return found


@router.get("/clients/{client_id}/settings")
def settings(client_id: ClientId, house: TheHouse, _: Trainer) -> list[Setting]:
    """How the machines are set for a client."""
    with house.database.reading() as connection:
        return settings_of(connection, client_id)


@router.put("/clients/{client_id}/settings")
def put_setting(client_id: ClientId, given: GivenSetting, house: TheHouse, _: Trainer) -> Setting:
    """Sets one machine for a client."""
    with house.database.writing() as connection:
        set_setting(connection, client_id, given)
        return setting(connection, client_id, given.site, given.machine)


@router.get("/people.csv", response_class=Response, responses={200: {"content": CSV}})
def people_csv(house: TheHouse, _: Trainer) -> Response:
    """All people as a table, which contains their names."""
    with house.database.reading() as connection:
        table = export_people(connection)
    headers = {"Content-Disposition": 'attachment; filename="people.csv"'}
    return Response(table, headers=headers, media_type="text/csv")


async def _body(request: Request) -> bytes:
    return await request.body()


@router.post("/people.csv", openapi_extra={"requestBody": {"content": CSV, "required": True}})
def import_csv(data: Annotated[bytes, Depends(_body)], house: TheHouse, _: Trainer) -> ImportReport:
    """Adds and changes people by a table; all of it or nothing."""
    with house.database.writing() as connection:
        report = import_people(connection, people_text(data))
    house.floor.changed()
    return report

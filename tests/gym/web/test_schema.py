"""Every route against what the OpenAPI document says of it: sound and odd requests, made by schemathesis."""

from http import HTTPStatus
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import positive_data_acceptance
from schemathesis.core.result import Ok
from sqlalchemy import delete, insert, update

from monitor.display.admission import COOKIE
from monitor.gym.database.tables import clients, sets
from tests.gym.collected import NOON_UNIX_S, add_machine, add_set
from tests.gym.web.stage import BASE, OWN_TOKEN, WebStage
from tests.soak import long, soak

ADA = "c-0a1b2c3d4e"
KNOWN: dict[str, Any] = {
    "client_id": ADA,
    "site": "rep",
    "machine": "row",
    "store_id": "s",
    "seq": 1,
    "began_unix_s": NOON_UNIX_S - 85,
    "consent_on": "2026-11-01",
}
NEVER_GOOD = {  # what is made at random is no code, no id of a request, no table, and no sound window
    "POST /api/pair",
    "DELETE /api/logins/{login_id}",
    "GET /api/forget/{request_id}",
    "POST /api/people.csv",
    "PUT /api/clients/{client_id}/settings",
}
EXAMPLES = long(300, 2)  # of each route, sound and odd ones
WITHOUT = [positive_data_acceptance]  # people's values have rules beyond a schema: a day that exists, a window in order
pytestmark = [soak, pytest.mark.may_leak]  # the threads of schemathesis' own server


def test_every_route_keeps_its_promises(gym: WebStage) -> None:
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", gym.app, headers={"Host": "127.0.0.1:8100"})
    schema.config.update(base_url=BASE)
    schema.config.generation.update(with_security_parameters=False)
    with gym.database.writing() as connection:
        add_machine(connection, "row")
        add_set(connection, ADA, "row", NOON_UNIX_S)
    gym.collector.add("row")
    statuses: dict[str, set[int]] = {}
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        says_something = operation.body or operation.path_parameters or operation.query
        for mode in GenerationMode if says_something else [GenerationMode.POSITIVE]:
            _check(gym, operation, mode, statuses.setdefault(operation.label, set()))
    assert len(statuses) > 20
    never_good = {label for label, seen in statuses.items() if not any(status < 300 for status in seen)}
    assert never_good <= NEVER_GOOD


def _check(gym: WebStage, operation: "APIOperation[Any, Any, Any, Any]", mode: GenerationMode, seen: set[int]) -> None:
    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        deadline=None,
        database=None,
        derandomize=True,
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def holds(case: Case[Any]) -> None:
        if mode is GenerationMode.POSITIVE:
            _bring_back(gym)
            for part in (case.path_parameters, case.query, case.body):
                if isinstance(part, dict):
                    part.update({name: value for name, value in KNOWN.items() if name in part})
        answer = case.call(headers={"Host": "127.0.0.1:8100"}, cookies={COOKIE: OWN_TOKEN})
        seen.add(answer.status_code)
        assert answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR
        case.validate_response(answer, excluded_checks=WITHOUT)

    holds()


def _bring_back(gym: WebStage) -> None:
    """Ada, whom a request may have forgotten."""
    with gym.database.writing() as connection:
        connection.execute(delete(clients))
        ada = {"client_id": ADA, "name": "Ada", "consent_on": "2026-11-01", "created_unix_s": 1.0}
        connection.execute(insert(clients).values(ada))
        connection.execute(update(sets).values(client_id=ADA))

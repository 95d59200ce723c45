"""The one shape of every error of the REST interface: {"error": "a sentence for a person"}."""

import logging
import traceback
from dataclasses import dataclass
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from monitor.gym.database.errors import DatabaseError
from monitor.gym.handout.choosing import HandoutRefused
from monitor.gym.people.consent import NoConsent
from monitor.gym.people.errors import BadField, PeopleError, UnknownClient
from monitor.gym.workout.errors import WorkoutError

RETRY_AFTER_S = 5
STATUS = {
    UnknownClient: HTTPStatus.NOT_FOUND,
    WorkoutError: HTTPStatus.NOT_FOUND,
    HandoutRefused: HTTPStatus.NOT_FOUND,
    NoConsent: HTTPStatus.CONFLICT,
}  # other errors of people: a value that cannot be
FRAMEWORKS = {
    400: "The body cannot be read. Send JSON.",
    404: "There is no such address.",
    405: "This address has no such method.",
}
RULES = {
    "string_pattern_mismatch": "has a character, or a form, that is not allowed here",
    "string_type": "must be a text",
    "string_too_long": "is too long; shorten it to {max_length} characters",
    "string_too_short": "is empty, or too short",
    "model_attributes_type": "must be an object; send JSON as application/json",
    "missing": "is missing",
    "extra_forbidden": "is no field of this request",
}  # of Pydantic, whose own words show a regular expression, or name what only programmers know
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """What every answer with a status from 400 on contains."""

    error: str  # a sentence for a person


class Refusal(HTTPException):
    """Ends a request with a sentence."""

    def __init__(self, status: HTTPStatus, sentence: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(status.value, sentence, headers)


def problem(status: int, sentence: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": sentence}, status, headers)


def add_handlers(app: FastAPI) -> None:
    """So that every error of a route gets the shape."""
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(DatabaseError, _no_database)
    app.add_exception_handler(PeopleError, _not_so)
    app.add_exception_handler(WorkoutError, _not_so)


def unexpected(error: Exception, method: str) -> JSONResponse:
    """A bug. The log gets the place, but not the message, which may contain what a person typed."""
    trace = "".join(traceback.format_tb(error.__traceback__))
    _log.error("a %s request failed with %s:\n%s", method, type(error).__name__, trace)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "This failed by a mistake of the program; its log says where.")


async def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    sentence = error.detail
    if not isinstance(error, Refusal):  # of the framework, in its own words
        sentence = FRAMEWORKS.get(error.status_code, error.detail)
    return problem(error.status_code, sentence, dict(error.headers or {}))


async def _malformed(_: Request, error: Exception) -> JSONResponse:
    """Names the field and the rule, never the value."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"][1:] if isinstance(part, str)) or str(first["loc"][0])
    words = RULES.get(first["type"])
    rule = words.format(**first.get("ctx", {})) if words else first["msg"].removeprefix("Value error, ")
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{place}: {rule}.")


async def _not_so(_: Request, error: Exception) -> JSONResponse:
    status = next((status for kind, status in STATUS.items() if isinstance(error, kind)), 422)
    sentence = f"{error}."
    return problem(status, sentence if isinstance(error, BadField) else sentence[:1].upper() + sentence[1:])


async def _no_database(_: Request, error: Exception) -> JSONResponse:
    _log.warning("no answer for a page: %s", error)
    sentence = "The database cannot be used now. The gym goes on by itself when it is back."
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, sentence, {"Retry-After": str(RETRY_AFTER_S)})

"""The gym's page as an ASGI application: all routes, behind one gate.

    app = make_app(database, collector, config)

Every route asks for a login (`Reader`, `Trainer` in `house.py`), except those that let a screen in. `/api/openapi.json`
describes them all.
"""

from typing import Any

from fastapi import FastAPI

from monitor.display.pairing import PairingCodes
from monitor.gym.collector.collector import Collector
from monitor.gym.configuration import GymConfig
from monitor.gym.database.database import Database
from monitor.gym.web.floor_view import FloorView
from monitor.gym.web.gate import Gate
from monitor.gym.web.house import House
from monitor.gym.web.logins import Logins
from monitor.gym.web.page_files import page_routes
from monitor.gym.web.problem import Problem, add_handlers
from monitor.gym.web.routes import access, floor, next_machine, people, workout
from monitor.version import VERSION

COOKIE = "rep-monitor-gym"
ERRORS: dict[int | str, dict[str, Any]] = {"4XX": {"model": Problem}, "5XX": {"model": Problem}}


def make_app(database: Database, collector: Collector, config: GymConfig, own_token: str | None = None) -> FastAPI:
    """`own_token` lets this computer's own programs in, as trainers."""
    app = FastAPI(
        title="rep-monitor gym",
        version=VERSION,
        openapi_url="/api/openapi.json",
        docs_url=None,  # its assets come from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        responses=dict(ERRORS),
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.house = House(
        database=database,
        collector=collector,
        logins=Logins(database, own_token),
        codes=PairingCodes(),
        floor=FloorView(database, collector),
        cookie=f"{COOKIE}-{config.display.port}",
        url=config.page_url,
    )
    for each in (access, floor, next_machine, people, workout):
        app.include_router(each.router)
    app.include_router(page_routes())
    add_handlers(app)
    app.add_middleware(Gate)
    return app

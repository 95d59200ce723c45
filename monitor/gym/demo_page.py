"""The gym's page of the demo: at this computer only, with one code that lets every screen in while the demo runs."""

import asyncio
import hmac
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import replace

from monitor.display.pairing import PairingCodes
from monitor.gym.collector.collector import Collector
from monitor.gym.configuration import GymConfig, GymPageSettings
from monitor.gym.database.database import Database
from monitor.gym.web.app import make_app
from monitor.gym.web.logins import PageRole
from monitor.gym.web.server import PagePort, open_port, serve_page
from monitor.state.folders import StateError

PORTS_TRIED = 20


class DemoCodes(PairingCodes[PageRole]):
    """Also takes `lasting`, as often as it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.lasting = self.make("trainer")

    def redeem(self, given: str, address: str) -> PageRole | None:
        return (
            "trainer" if hmac.compare_digest(given.encode(), self.lasting.encode()) else super().redeem(given, address)
        )


@asynccontextmanager
async def demo_page(database: Database, collector: Collector) -> AsyncIterator[str]:
    """Serves it during the block. Yields its address with the code. Raises StateError without a free port."""
    with ExitStack() as stack:
        display, port = _free_port(stack)
        config = GymConfig(display=display)
        app, codes = make_app(database, collector, config), DemoCodes()
        app.state.house = replace(app.state.house, codes=codes)
        serving = asyncio.create_task(serve_page(app, port), name="gym: page")
        try:
            yield f"{config.page_url}#{codes.lasting}"
        finally:
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving


def _free_port(stack: ExitStack) -> tuple[GymPageSettings, PagePort]:
    first = GymPageSettings().port
    for number in range(first, first + PORTS_TRIED):
        display = GymPageSettings(port=number)
        with suppress(StateError):
            return display, stack.enter_context(open_port(display))
    raise StateError(f"no port from {first} to {first + PORTS_TRIED - 1} is free for the gym's page")

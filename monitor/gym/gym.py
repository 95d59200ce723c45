"""Runs the gym: its broker where none is given, the collector, its page, what is passed on, and retention."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from monitor.access.credentials import address_of
from monitor.display.token import kept_token
from monitor.gym.collector.collector import Collector
from monitor.gym.configuration import FOLDER, GymConfig
from monitor.gym.database.database import Database, open_database
from monitor.gym.database.errors import DatabaseAway
from monitor.gym.forgetting import pass_on_requests
from monitor.gym.retention import keep_recent_events
from monitor.gym.web.app import make_app
from monitor.gym.web.own_programs import own_token
from monitor.gym.web.server import open_port, serve_page
from monitor.mqtt.broker.embedded_broker import EmbeddedBroker
from monitor.mqtt.client.address import Address
from monitor.mqtt.contract.roles import Role
from monitor.state.folders import StateError, state_directory

RETRY_S = 5.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class GymPlaces:
    """Where the running gym can be reached. `page_url` is None without a page."""

    broker: Address
    database: Database
    page_url: str | None


async def run_gym(config: GymConfig, on_up: Callable[[GymPlaces], None]) -> None:
    """Runs until it is cancelled. Raises DatabaseError, StateError, ConfigError."""
    async with contextlib.AsyncExitStack() as stack:
        port = stack.enter_context(open_port(config.display)) if config.display.enabled else None
        address = await stack.enter_async_context(_broker(config))
        database = await stack.enter_async_context(_database(config))
        mqtt = config.mqtt
        collector = Collector(address, mqtt.roots, database, mqtt.client_id, mqtt.answers_at_once)
        # Before `on_up` reports: from then on `gym code` may ask, and it waits three seconds for an answer.
        app = None if port is None else make_app(database, collector, config, own_token())
        on_up(GymPlaces(broker=address, database=database, page_url=config.page_url))
        async with asyncio.TaskGroup() as group:
            group.create_task(collector.run(), name="gym: collector")
            group.create_task(pass_on_requests(database, collector), name="gym: forget")
            if port is not None and app is not None:
                group.create_task(serve_page(app, port), name="gym: page")
            if config.store.keep_days is not None:
                group.create_task(keep_recent_events(database, config.store.keep_days), name="gym: retention")


@contextlib.asynccontextmanager
async def _broker(config: GymConfig) -> AsyncIterator[Address]:
    """The given broker, or the gym's own, where machines log in as `daemon` with the password of the collector."""
    if config.mqtt.host is not None:
        yield address_of(config)
        return
    password = kept_token(state_directory(FOLDER), Role.COLLECTOR)
    accounts = {str(Role.COLLECTOR): password, "daemon": password}
    async with contextlib.AsyncExitStack() as stack:
        try:
            broker = await stack.enter_async_context(EmbeddedBroker(port=config.mqtt.port, passwords=accounts))
        except OSError as error:
            raise StateError(f"port {config.mqtt.port} is taken: give another [mqtt] port, or a host") from error
        yield Address(host=broker.host, port=broker.port, username=str(Role.COLLECTOR), password=password)


@contextlib.asynccontextmanager
async def _database(config: GymConfig) -> AsyncIterator[Database]:
    """Waits for a server that does not answer yet."""
    while True:
        try:
            database = await asyncio.to_thread(open_database, config.database_url)
            break
        except DatabaseAway as away:
            _log.warning("%s; trying again", away)
            await asyncio.sleep(RETRY_S)
    try:
        yield database
    finally:
        database.close()

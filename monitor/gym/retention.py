"""Removes events that are older than `[store] keep_days`, a few at a time, so that the collector never waits long."""

import asyncio
import contextlib
import time
from functools import partial

from sqlalchemy import delete, select, tuple_

from monitor.gym.database.database import Database
from monitor.gym.database.errors import DatabaseError
from monitor.gym.database.tables import events
from monitor.worker_thread import finished

BATCH = 5_000  # events of a transaction
EVERY_S = 3600.0
DAY_S = 86_400.0


async def keep_recent_events(database: Database, keep_days: int) -> None:
    """Runs until it is cancelled."""
    while True:
        with contextlib.suppress(DatabaseError):  # the collector reports it
            await finished(partial(remove_old_events, database, time.time() - keep_days * DAY_S))
        await asyncio.sleep(EVERY_S)


def remove_old_events(database: Database, before_unix_s: float, batch: int = BATCH) -> int:
    """Removes events that were collected before then; sets and clients stay. Returns how many. Raises DatabaseError."""
    key = tuple_(*events.primary_key.columns)
    some = select(*events.primary_key.columns).where(events.c.collected_unix_s < before_unix_s).limit(batch)
    removed = 0
    while True:
        with database.writing() as connection:
            count = connection.execute(delete(events).where(key.in_(some))).rowcount
        removed += count
        if count < batch:
            return removed

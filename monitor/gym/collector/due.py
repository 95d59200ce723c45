"""Keeps what has come until one transaction stores it. Bounded: a record that finds no room is asked for again."""

import asyncio
from typing import Any

from monitor.gym.collector.machine import CollectedMachine
from monitor.mqtt.client.ledger import ReceivedRecord

MOST_RECORDS = 20_000


class Due:
    """What the intake puts in, and the storing takes out."""

    def __init__(self) -> None:
        self.taking = False  # False while the database is away
        self.something = asyncio.Event()
        self.records: list[tuple[CollectedMachine, ReceivedRecord]] = []
        self.sets: list[dict[str, Any]] = []  # rows
        self.moved: dict[CollectedMachine, None] = {}  # with a new place
        self.undescribed: dict[CollectedMachine, None] = {}  # with a new status or info

    @property
    def has_room(self) -> bool:
        return self.taking and len(self.records) < MOST_RECORDS

    def forget_all(self) -> None:
        """To be called when the machines continue from what the database has."""
        self.records, self.sets, self.moved = [], [], {}

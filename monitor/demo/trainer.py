"""The trainer of the simulated gym: sends each client's id and load to the machine before the set.

The commands go through the gym where there is one, so that its page knows who lifts, else over MQTT.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from uuid import uuid4

import msgspec

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2
from monitor.demo.walk import PlannedSet
from monitor.mqtt.client.connection import Connection
from monitor.mqtt.contract import payload
from monitor.mqtt.contract.commands import Command, LifterCommand, LoadCommand
from monitor.mqtt.contract.messages import AckMessage
from monitor.mqtt.contract.topics import TopicTree

ANSWER_WITHIN_S = 5.0
AGAIN_S = 1.0
Through = Callable[[TopicTree, Command], Awaitable[bool]]  # whether the machine has carried the command out


class Trainer:
    """Sends commands over one connection; `run` receives the answers."""

    def __init__(self, connection: Connection, through: Through | None = None) -> None:
        self._connection = connection
        self._through = through or self._over_mqtt
        self._awaited: dict[str, asyncio.Future[AckMessage]] = {}

    async def run(self) -> None:
        """Runs until it is cancelled. Raises BrokerError."""
        await self._connection.subscribe([TopicTree("+").topic("ack", "+")])
        async for message in self._connection.messages():
            ack = msgspec.json.decode(message.payload, type=AckMessage)
            if (awaited := self._awaited.get(ack.id)) is not None and not awaited.done():
                awaited.set_result(ack)

    async def prepare(self, effort: PlannedSet, client_id: str) -> None:
        """Returns once the machine knows who comes and what the load is."""
        tree, load_n = TopicTree(effort.machine), effort.load_kg * STANDARD_GRAVITY_M_S2
        for begin in (partial(LifterCommand, lifter=client_id), partial(LoadCommand, load_n=load_n)):
            while True:
                if await self._through(tree, begin(id=f"trainer-{uuid4().hex[:16]}", stamp_s=time.time())):
                    break
                await asyncio.sleep(AGAIN_S)

    async def _over_mqtt(self, tree: TopicTree, command: Command) -> bool:
        """False if the machine refuses, for example because a set is in progress, or does not answer yet."""
        answer: asyncio.Future[AckMessage] = asyncio.get_running_loop().create_future()
        self._awaited[command.id] = answer
        try:
            await self._connection.publish(payload.command(tree, command))
            with suppress(TimeoutError):
                async with asyncio.timeout(ANSWER_WITHIN_S):
                    return (await answer).ok
            return False
        finally:
            del self._awaited[command.id]

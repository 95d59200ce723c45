"""Sends commands to machines, and waits for their acknowledgements."""

import asyncio
import time
from uuid import uuid4

import msgspec

from monitor.mqtt.client.channel import BrokerError, PublishRefused
from monitor.mqtt.client.connection import Connection
from monitor.mqtt.contract import payload
from monitor.mqtt.contract.commands import Command, ForgetCommand
from monitor.mqtt.contract.messages import AckMessage
from monitor.mqtt.contract.topics import TopicTree

ANSWERED_WITHIN_S = 5.0
FORGOTTEN_WITHIN_S = 20.0  # it is acknowledged when it is done


class NoAnswer(Exception):
    """The machine has not answered, or the command did not reach it; the message says which."""


class Questions:
    """`connection` is None while the broker is away."""

    def __init__(self, name: str) -> None:
        self.connection: Connection | None = None
        self._prefix = f"{name[:40]}-"
        self._waiting: dict[str, asyncio.Future[AckMessage]] = {}

    def new_id(self) -> str:
        return f"{self._prefix}{uuid4().hex[:16]}"

    def is_ours(self, id: str) -> bool:
        return id.startswith(self._prefix)

    def answered(self, ack: AckMessage) -> bool:
        """True if somebody waits for this answer."""
        waiting = self._waiting.get(ack.id)
        if waiting is not None and not waiting.done():
            waiting.set_result(ack)
        return waiting is not None

    async def ask(self, tree: TopicTree, command: Command, clock_ahead_s: float) -> AckMessage:
        """Sends the command with a new id and the machine's time. Raises NoAnswer."""
        if self.connection is None:
            raise NoAnswer(f"{tree} cannot be reached: there is no connection to the broker")
        id = self.new_id()
        command = msgspec.structs.replace(command, id=id, stamp_s=time.time() + clock_ahead_s)
        waiting = self._waiting[id] = asyncio.get_running_loop().create_future()
        within_s = FORGOTTEN_WITHIN_S if isinstance(command, ForgetCommand) else ANSWERED_WITHIN_S
        try:
            async with asyncio.timeout(within_s):
                await self.connection.publish(payload.command(tree, command))
                ack: AckMessage = await waiting
                return ack
        except TimeoutError as error:
            raise NoAnswer(f"{tree} has not answered within {within_s:g} s") from error
        except (BrokerError, PublishRefused) as error:
            raise NoAnswer(f"{tree} cannot be reached: {error}") from error
        finally:
            del self._waiting[id]
